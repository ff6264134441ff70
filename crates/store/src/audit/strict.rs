//! Lines as verification reads them: each column as this program writes it, or the line is not one of its own.

use super::{LineRow, Sealed};
use crate::StoreError;
use hallpass_domain::audit::Found;
use sqlx::{ColumnIndex, Database, Decode, FromRow, Row, Type, TypeInfo, ValueRef};

/// What a value may be stored as, by its name in SQLite and in PostgreSQL.
type Stored = [&'static str; 2];

const BYTES: Stored = ["BLOB", "BYTEA"];
const TEXT: Stored = ["TEXT", "TEXT"];
const NUMBER: Stored = ["INTEGER", "INT8"];

/// SQLite stores in a column whatever it is given. What is of another kind equals nothing that is searched for, though it
/// reads the same: such a line would verify, and no list would show it.
const COLUMNS: [(&str, Stored); 16] = [
    ("seq", NUMBER),
    ("number", NUMBER),
    ("id", BYTES),
    ("at", NUMBER),
    ("organization_id", BYTES),
    ("actor_user_id", BYTES),
    ("actor_token_id", BYTES),
    ("action", TEXT),
    ("target", TEXT),
    ("address", TEXT),
    ("agent", TEXT),
    ("before_state", TEXT),
    ("after_state", TEXT),
    ("detail", TEXT),
    ("pepper_id", TEXT),
    ("code", BYTES),
];

/// A row that somebody wrote past this program is named by its number, and the rows beside it are still read.
pub(super) fn found<R: Row>(row: &R) -> Found
where
    LineRow: for<'r> FromRow<'r, R>,
    for<'r> i64: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> &'r str: ColumnIndex<R>,
{
    let read = is_as_written(row).and_then(|()| Ok(LineRow::from_row(row)?));
    match read.and_then(Sealed::try_from) {
        Ok(sealed) => Found::Line(Box::new(sealed)),
        Err(_) => Found::Unreadable(row.try_get("number").unwrap_or(0)),
    }
}

fn is_as_written<R: Row>(row: &R) -> Result<(), StoreError>
where
    for<'r> &'r str: ColumnIndex<R>,
{
    for (column, stored) in COLUMNS {
        let value = row.try_get_raw(column)?;
        if !value.is_null() && !stored.contains(&kind::<R::Database>(&value).as_str()) {
            return Err(StoreError::Malformed("kind of column"));
        }
    }
    Ok(())
}

fn kind<D: Database>(value: &D::ValueRef<'_>) -> String {
    value.type_info().name().to_owned()
}
