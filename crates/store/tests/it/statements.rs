//! Every statement fits the tables of both engines.

use crate::{
    both_engines,
    world::{Raw, World},
};
use hallpass_store::sql;
use sqlx::Executor;

both_engines!(every_statement_prepares, a_wrong_statement_does_not);

async fn prepare(raw: &mut Raw, text: &'static str) -> Result<(), sqlx::Error> {
    use sqlx::SqlSafeStr;
    match raw {
        Raw::Sqlite(on) => (&mut *on).prepare(text.into_sql_str()).await.map(|_| ()),
        Raw::Postgres(on) => (&mut *on).prepare(text.into_sql_str()).await.map(|_| ()),
    }
}

async fn every_statement_prepares(world: World) {
    let mut raw = world.raw().await;
    assert!(sql::all().count() > 120, "{}", sql::all().count());
    for (name, text) in sql::all() {
        if let Err(error) = prepare(&mut raw, text).await {
            panic!("{name}: {error}\n{text}");
        }
    }
}

/// Otherwise the test above could not fail.
async fn a_wrong_statement_does_not(world: World) {
    let mut raw = world.raw().await;
    for wrong in [
        "select missing from token",
        "update token set missing = $1 where id = $2",
        "select missing(seq) from head",
        "selec",
    ] {
        assert!(prepare(&mut raw, wrong).await.is_err(), "{wrong}");
    }
}
