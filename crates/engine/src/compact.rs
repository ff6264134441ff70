//! Leaving behind what is no longer needed.

use crate::{
    change::ApplyError,
    engine::{Engine, Writer},
    line::{Line, Link, Snapshot},
    record::Record,
};

impl Engine {
    /// A new engine that knows the same and does not answer yet, without the strings and sets that this one
    /// keeps only because a reader might still hold their place. Changes to this one wait meanwhile, about a
    /// second for a million tokens; verifications do not. Whoever calls puts it into this one's place **before
    /// the next change**.
    ///
    /// # Errors
    /// [`ApplyError::Full`] alone.
    pub fn compacted(&self) -> Result<Self, ApplyError> {
        let old = self.writer();
        let new = Self::with_capacity(old.tokens + old.remembered);
        let mut guard = new.writer();
        let writer = &mut *guard;
        writer
            .registers
            .copy((&self.directory, &self.arena), &new.directory, &new.arena)?;
        for (key, seen) in self
            .table
            .all()
            .filter(|(_, seen)| !seen.tag.is_remembered())
        {
            let link = self.copied(&seen, &new, writer)?;
            new.table.reserve(&mut writer.fills, &key);
            new.put(writer, &key, &Snapshot { link, ..seen });
            new.count_slow(key.is_slow(), true);
            writer.tokens += 1;
        }
        // Those share the record of the line that stands for the prefix.
        for (key, seen) in self
            .table
            .all()
            .filter(|(_, seen)| seen.tag.is_remembered())
        {
            let [line, _] = writer.index.find(&seen.id, &new.table);
            let Some((_, first)) = line.and_then(|place| new.table.with(place, Line::read)) else {
                continue;
            };
            new.table.reserve(&mut writer.fills, &key);
            new.put(
                writer,
                &key,
                &Snapshot {
                    link: first.link,
                    ..seen
                },
            );
            writer.remembered += 1;
        }
        drop(guard);
        drop(old);
        Ok(new)
    }

    fn copied(&self, seen: &Snapshot, new: &Self, writer: &mut Writer) -> Result<Link, ApplyError> {
        let record = Record::read(&self.arena, seen.link.record());
        let record = match self.directory.addresses.get(record.addresses()) {
            Some(rules) => {
                let rules = writer
                    .registers
                    .intern_addresses(&new.directory, rules.clone())?;
                record.with_addresses(rules)
            }
            None => return Err(ApplyError::Full),
        };
        let record = new.arena.append(record.bytes())?;
        let scope = match seen
            .link
            .scope()
            .and_then(|scope| self.directory.sets.get(scope))
        {
            Some(set) => Some(writer.registers.intern(&new.directory, set.clone())?),
            None => None,
        };
        Ok(Link::new(record, seen.link.has_more(), scope))
    }
}
