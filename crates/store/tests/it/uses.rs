//! Uses of tokens.

use crate::{
    both_engines,
    world::{ACME, ADA, Draft, NOW, World, token_id},
};
use hallpass_domain::time::Timestamp;
use hallpass_store::{HourCount, LastUseRow};

both_engines!(
    the_last_use_moves_forward_only,
    counts_add_up,
    large_batches_are_written,
    a_failed_batch_writes_nothing,
    old_hours_are_forgotten,
);

fn used(number: u32, at: Timestamp, path: Option<&str>) -> LastUseRow {
    LastUseRow {
        token: token_id(number),
        at,
        method: Some("GET".to_owned()),
        path: path.map(str::to_owned),
        address: None,
        agent: None,
    }
}

fn counted(number: u32, hour: Timestamp, allowed: u64, refused: u64) -> HourCount {
    HourCount {
        token: token_id(number),
        hour,
        allowed,
        refused,
    }
}

async fn the_last_use_moves_forward_only(world: World) {
    world.insert_all(&Draft::several(1, 2)).await;
    let last = async || world.find(token_id(1)).await.token.last_use;
    assert_eq!(last().await, None);
    for (seconds, path, expected_seconds, expected_path) in [
        (10, Some("/a"), 10, Some("/a")),
        (9, Some("/older"), 10, Some("/a")),
        (10, Some("/same"), 10, Some("/same")),
        (11, None, 11, None),
    ] {
        let rows = [
            used(1, NOW.plus_seconds(seconds), path),
            used(2, NOW.plus_seconds(seconds), path),
        ];
        world.store.write_uses(&rows, &[]).await.unwrap();
        let last = last().await.unwrap();
        assert_eq!(last.at, NOW.plus_seconds(expected_seconds));
        assert_eq!(last.path.as_deref(), expected_path);
    }
}

async fn counts_add_up(world: World) {
    let hour = NOW.start_of_hour();
    world.store.write_uses(&[], &[]).await.unwrap();
    for _ in 0..3 {
        let rows = [
            counted(1, hour, 5, 1),
            counted(1, hour.plus_seconds(3_600), 1, 0),
            counted(2, hour, 0, 2),
        ];
        world.store.write_uses(&[], &rows).await.unwrap();
    }
    let sums = async |sql: &str| {
        world
            .count(&format!(
                "select cast(coalesce({sql}, -1) as BIGINT) from token_use_hour"
            ))
            .await
    };
    assert_eq!(sums("count(*)").await, 3);
    assert_eq!(sums("max(allowed)").await, 15);
    assert_eq!(sums("sum(allowed)").await, 18);
    assert_eq!(sums("sum(refused)").await, 9);
}

async fn large_batches_are_written(world: World) {
    let hour = NOW.start_of_hour();
    for round in 1..=2_i64 {
        let last: Vec<_> = (0..2_000)
            .map(|number| used(number, NOW.plus_seconds(round), Some("/")))
            .collect();
        let hours: Vec<_> = (0..2_000)
            .map(|number| counted(number, hour, 1, 1))
            .collect();
        world.store.write_uses(&last, &hours).await.unwrap();
        let at = NOW.plus_seconds(round).micros();
        assert_eq!(
            world
                .count(&format!("select count(*) from token_use where at = {at}"))
                .await,
            2_000
        );
        assert_eq!(
            world
                .count(&format!(
                    "select count(*) from token_use_hour where allowed = {round}"
                ))
                .await,
            2_000
        );
    }
}

async fn a_failed_batch_writes_nothing(world: World) {
    world.insert_all(&[Draft::new(1, "a")]).await;
    world
        .execute("alter table token_use_hour rename to gone")
        .await;
    let hours = [counted(1, NOW, 1, 1)];
    let failed = world
        .store
        .write_uses(&[used(1, NOW, None)], &hours)
        .await
        .unwrap_err();
    assert!(!failed.is_passing(), "{failed}");
    world
        .execute("alter table gone rename to token_use_hour")
        .await;
    let token = world
        .store
        .find_token(ACME, ADA, token_id(1), NOW)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(token.token.last_use, None);
    world
        .store
        .write_uses(&[used(1, NOW, None)], &hours)
        .await
        .unwrap();
}

async fn old_hours_are_forgotten(world: World) {
    let hour = NOW.start_of_hour();
    let hours = [-2, -1, 0].map(|hours| counted(1, hour.plus_seconds(hours * 3_600), 1, 0));
    world.store.write_uses(&[], &hours).await.unwrap();
    assert_eq!(world.store.trim_use_hours(hour).await.unwrap(), 2);
    assert_eq!(world.count("select count(*) from token_use_hour").await, 1);
}
