//! Whether the audit is as it was written, and which line is the first that is not.

use super::{Link, Seal, Sealed};
use crate::token::{Digest, Pepper, Peppers};
use std::fmt;

/// A line as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// One that can be read.
    Line(Box<Sealed>),
    /// One that this program would not have written, by its number.
    Unreadable(i64),
}

impl Found {
    /// The line's number.
    pub const fn seq(&self) -> i64 {
        match self {
            Self::Line(sealed) => sealed.line.seq,
            Self::Unreadable(seq) => *seq,
        }
    }
}

/// No seal of an end is ever a line's code, a token's digest or a session's.
const HEAD_LABEL: &str = "audit head";

/// What the database holds of the chain's end, and where the chain begins.
///
/// No line says that it is the last one, nor that the lines before the first code were written without one. The seal
/// does: it is made with a pepper over both ends, so that whoever can write in the database, but has no pepper, can
/// neither cut off the end nor take all codes away and have what is left pass. The start is sealed when the server
/// first opens the database, so an end without a seal is never a good one.
///
/// Two things such a person still can do, and neither shows in the database itself: put back an older end with the
/// lines and the seal that it had then, of which they kept a copy; and, before a start of the server, make the
/// database look as one that never had a code nor a seal, which that start takes for one from before there were
/// codes, and says in the log how many lines it took so. Who keeps the number and the code that a verification told
/// finds both by sending them with the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The last line's number.
    pub seq: i64,
    /// The last line that was written before there were codes.
    pub chained_after: i64,
    /// The last line's code, if it has one.
    pub code: Option<Digest>,
    /// The seal over these three.
    pub seal: Option<Seal>,
    /// Lines without a number, or with one below 1. Nothing writes such lines.
    pub unnumbered: u64,
}

impl Head {
    /// What the next line is tied to; none if the head contradicts itself.
    pub fn link(&self) -> Option<Link> {
        match self.code {
            Some(code) if self.seq > self.chained_after => Some(Link::After(code)),
            None if self.seq == self.chained_after => Some(Link::First(self.seq)),
            _ => None,
        }
    }

    /// The seal of this end under `pepper`.
    pub fn seal_under(&self, pepper: &Pepper) -> Seal {
        let mut message = Vec::with_capacity(64);
        message.extend_from_slice(&self.chained_after.to_be_bytes());
        message.extend_from_slice(&self.seq.to_be_bytes());
        // A pepper's name is shorter than a code, so the length tells whether there is one.
        if let Some(code) = &self.code {
            message.extend_from_slice(code.bytes());
        }
        message.extend_from_slice(pepper.id().as_str().as_bytes());
        Seal {
            pepper: pepper.id().as_str().to_owned(),
            code: pepper.seal(HEAD_LABEL, &message),
        }
    }

    /// Whether this end has its seal, made under one of `peppers`.
    pub fn is_sealed<'p>(&self, mut peppers: impl Iterator<Item = &'p Pepper>) -> bool {
        self.seal.as_ref().is_some_and(|seal| {
            let by = peppers.find(|pepper| pepper.id().as_str() == seal.pepper);
            by.is_some_and(|pepper| self.seal_under(pepper) == *seal)
        })
    }
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// Its code does not fit: it was edited, put in, or moved here from another place.
    Edited,
    /// There is no line with this number.
    Missing,
    /// The number is there twice.
    Doubled,
    /// It comes after a line with a greater number.
    OutOfOrder,
    /// The chain ends before this line, though the head says that there is more.
    CutOff,
    /// The head says that the chain ends before this line.
    Beyond,
    /// The head is not what was written with this line, the last one.
    Head,
    /// The end and the start have no seal, or one that does not fit: lines were cut off, or codes taken away.
    Unsealed,
    /// So many lines have no number of the chain.
    Unnumbered(u64),
    /// It was sealed under a pepper that is not here, so nothing can be said of it.
    UnknownPepper(String),
}

impl Wrong {
    /// A word for programs.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Edited => "edited",
            Self::Missing => "missing",
            Self::Doubled => "doubled",
            Self::OutOfOrder => "out_of_order",
            Self::CutOff => "cut_off",
            Self::Beyond => "beyond_head",
            Self::Head => "head_edited",
            Self::Unsealed => "head_unsealed",
            Self::Unnumbered(_) => "unnumbered",
            Self::UnknownPepper(_) => "unknown_pepper",
        }
    }
}

/// A bad line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its number.
    pub seq: i64,
    /// What is wrong with it.
    pub wrong: Wrong,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seq = self.seq;
        match &self.wrong {
            Wrong::Edited => write!(
                f,
                "line {seq} is not the one that was written: it was edited, put in or moved"
            ),
            Wrong::Missing => write!(f, "line {seq} is missing"),
            Wrong::Doubled => write!(f, "line {seq} is there twice"),
            Wrong::OutOfOrder => write!(f, "line {seq} is out of order"),
            Wrong::CutOff => write!(f, "lines are missing from line {seq} to the end"),
            Wrong::Beyond => write!(f, "line {seq} was added past the end"),
            Wrong::Head => write!(
                f,
                "the end of the chain is not the one that was written with line {seq}"
            ),
            Wrong::Unsealed => write!(
                f,
                "line {seq} is not sealed as the last one: lines after it were cut off, or the codes of lines were taken away"
            ),
            Wrong::Unnumbered(1) => f.write_str("1 line was put in without a number"),
            Wrong::Unnumbered(count) => write!(f, "{count} lines were put in without a number"),
            Wrong::UnknownPepper(pepper) => write!(
                f,
                "line {seq} cannot be verified: its pepper {pepper:?} is not here"
            ),
        }
    }
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Lines from before there were codes: counted, not verified.
    pub unchained: u64,
    /// Lines whose codes fit.
    pub verified: u64,
    /// Lines under peppers that are not here: only their place is verified.
    pub unknown: u64,
    /// The first of those.
    pub first_unknown: Option<Finding>,
    /// The first line that is not as it was written. Those after it were not looked at.
    pub broken: Option<Finding>,
}

impl Report {
    /// The first bad line of either kind; none if all is well.
    pub fn first_bad(&self) -> Option<&Finding> {
        self.first_unknown
            .iter()
            .chain(&self.broken)
            .min_by_key(|finding| finding.seq)
    }
}

/// Verifies the audit line by line, in constant memory.
#[derive(Debug)]
pub struct Chain<'p> {
    peppers: &'p Peppers,
    chained_after: i64,
    /// The last line that was good.
    seq: i64,
    link: Link,
    report: Report,
}

impl<'p> Chain<'p> {
    /// From the first line on; so many of them were written before there were codes.
    pub fn new(peppers: &'p Peppers, chained_after: i64) -> Self {
        Self {
            peppers,
            chained_after,
            seq: 0,
            link: Link::First(chained_after),
            report: Report::default(),
        }
    }

    /// The last line that was good.
    pub const fn seq(&self) -> i64 {
        self.seq
    }

    /// Takes the next line as it was found, and says whether to go on: not after the first that is not as it was written.
    pub fn take(&mut self, found: &Found) -> bool {
        if self.report.broken.is_none()
            && let Err(finding) = self.check(found)
        {
            self.report.broken = Some(finding);
        }
        self.report.broken.is_none()
    }

    /// What was found, when no line is left. `head` must be read after the last line: lines and head are written
    /// together, so it cannot be behind them.
    pub fn end(mut self, head: &Head) -> Report {
        if self.report.broken.is_none() {
            self.report.broken = self.check_end(head).err();
        }
        self.report
    }

    /// Under a pepper that is not here, nothing can be said of the seal.
    fn check_seal(&mut self, head: &Head) -> Result<(), Finding> {
        match &head.seal {
            Some(seal) if self.pepper(&seal.pepper).is_none() => {
                let wrong = Wrong::UnknownPepper(seal.pepper.clone());
                let finding = bad(self.seq, wrong);
                self.report.first_unknown.get_or_insert(finding);
                Ok(())
            }
            _ if head.is_sealed(self.peppers.iter()) => Ok(()),
            _ => Err(bad(self.seq, Wrong::Unsealed)),
        }
    }

    fn check(&mut self, found: &Found) -> Result<(), Finding> {
        let (seq, expected) = (found.seq(), self.seq.saturating_add(1));
        if seq < 1 {
            return Err(bad(seq, Wrong::Unnumbered(1)));
        }
        if seq > expected {
            return Err(bad(expected, Wrong::Missing));
        }
        if seq == self.seq {
            return Err(bad(seq, Wrong::Doubled));
        }
        if seq < self.seq {
            return Err(bad(seq, Wrong::OutOfOrder));
        }
        let Found::Line(sealed) = found else {
            return Err(bad(seq, Wrong::Edited));
        };
        let Sealed { line, seal } = &**sealed;
        match seal {
            None if seq <= self.chained_after => self.report.unchained += 1,
            Some(seal) if seq > self.chained_after => {
                match self.pepper(&seal.pepper) {
                    None => self.note_unknown(seq, &seal.pepper),
                    Some(pepper) if line.code(pepper, &self.link) == seal.code => {
                        self.report.verified += 1;
                    }
                    Some(_) => return Err(bad(seq, Wrong::Edited)),
                }
                self.link = Link::After(seal.code);
            }
            _ => return Err(bad(seq, Wrong::Edited)),
        }
        self.seq = seq;
        Ok(())
    }

    fn check_end(&mut self, head: &Head) -> Result<(), Finding> {
        if head.seq > self.seq {
            return Err(bad(self.seq.saturating_add(1), Wrong::CutOff));
        }
        if head.seq < self.seq {
            return Err(bad(head.seq.saturating_add(1), Wrong::Beyond));
        }
        if head.chained_after != self.chained_after || head.link().as_ref() != Some(&self.link) {
            return Err(bad(self.seq, Wrong::Head));
        }
        if head.unnumbered > 0 {
            return Err(bad(0, Wrong::Unnumbered(head.unnumbered)));
        }
        self.check_seal(head)
    }

    fn pepper(&self, id: &str) -> Option<&'p Pepper> {
        self.peppers
            .iter()
            .find(|pepper| pepper.id().as_str() == id)
    }

    fn note_unknown(&mut self, seq: i64, pepper: &str) {
        self.report.unknown += 1;
        if self.report.first_unknown.is_none() {
            let wrong = Wrong::UnknownPepper(pepper.to_owned());
            self.report.first_unknown = Some(bad(seq, wrong));
        }
    }
}

const fn bad(seq: i64, wrong: Wrong) -> Finding {
    Finding { seq, wrong }
}
