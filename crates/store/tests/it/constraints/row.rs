//! A row that is written past the code, and how the database refuses it.

use crate::world::World;
use sqlx::error::ErrorKind;

/// A row, column by column.
#[derive(Clone)]
pub(super) struct Row {
    table: &'static str,
    columns: Vec<(&'static str, String)>,
}

impl Row {
    pub(super) fn new<const N: usize>(
        table: &'static str,
        columns: [(&'static str, &str); N],
    ) -> Self {
        let columns = columns
            .map(|(name, value)| (name, value.to_owned()))
            .to_vec();
        Self { table, columns }
    }

    pub(super) fn with(&self, changes: &[(&'static str, &str)]) -> Self {
        let mut row = self.clone();
        for (name, value) in changes {
            match row.columns.iter_mut().find(|(column, _)| column == name) {
                Some((_, old)) => (*value).clone_into(old),
                None => row.columns.push((name, (*value).to_owned())),
            }
        }
        row
    }

    fn sql(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|(name, _)| *name).collect();
        let values: Vec<&str> = self
            .columns
            .iter()
            .map(|(_, value)| value.as_str())
            .collect();
        format!(
            "insert into {} ({}) values ({})",
            self.table,
            names.join(", "),
            values.join(", ")
        )
    }
}

/// `row` is taken, and given back; with the change it is refused for this reason.
pub(super) async fn refuses(
    world: &World,
    row: &Row,
    cases: &[(&[(&'static str, &str)], ErrorKind)],
) {
    let mut raw = world.raw().await;
    for (changes, reason) in cases {
        // The row itself is good, so that it is the change which is refused.
        raw.execute("begin").await.unwrap();
        raw.execute(&row.sql()).await.unwrap();
        raw.execute("rollback").await.unwrap();
        let sql = row.with(changes).sql();
        let Err(sqlx::Error::Database(error)) = raw.execute(&sql).await else {
            panic!("not refused: {sql}")
        };
        assert_eq!(error.kind(), *reason, "{error}: {sql}");
    }
}

/// `row` is refused after it was taken once, unless it is changed so.
pub(super) async fn refuses_twice(
    world: &World,
    row: &Row,
    free: &[(&'static str, &str)],
    reason: ErrorKind,
) {
    let mut raw = world.raw().await;
    raw.execute("begin").await.unwrap();
    raw.execute(&row.sql()).await.unwrap();
    raw.execute(&row.with(free).sql()).await.unwrap();
    raw.execute("rollback").await.unwrap();
    raw.execute("begin").await.unwrap();
    raw.execute(&row.sql()).await.unwrap();
    for keep in 0..free.len() {
        // Everything differs but one.
        let mut changes = free.to_vec();
        changes.remove(keep);
        raw.execute("savepoint s").await.unwrap();
        let sql = row.with(&changes).sql();
        let Err(sqlx::Error::Database(error)) = raw.execute(&sql).await else {
            panic!("not refused: {sql}")
        };
        assert_eq!(error.kind(), reason, "{error}: {sql}");
        raw.execute("rollback to s").await.unwrap();
    }
    raw.execute("rollback").await.unwrap();
}
