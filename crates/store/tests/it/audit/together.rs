//! Several who write lines at once, and one who verifies meanwhile.

use super::{append, entry, five, is_good, peppers, verify, write};
use crate::{
    both_engines,
    world::{self, ACME, ADA, BOB, Counting, Engine, World},
};
use hallpass_domain::audit::Action;
use hallpass_store::{FeedKey, Store};
use std::sync::Arc;
use tokio::task::JoinSet;

both_engines!(
    parallel_transactions_keep_one_chain,
    verifying_goes_on_while_lines_are_written,
);

/// The end of the chain is held by another: who has no line does not ask for it, who has one waits. On SQLite there is
/// one writer at a time anyway.
#[test]
fn only_who_has_a_line_waits_for_the_end_of_the_chain() {
    world::run(Engine::Postgres, async |world: World| {
        let entropy = five(&world).await;
        let mut holder = world.raw().await;
        let hold = "begin; update audit_head set seq = seq";
        holder.execute(hold).await.unwrap();
        let changed = world.begin().await.commit(&[FeedKey::Catalogue]).await;
        assert_eq!(changed.unwrap(), Some(2));
        let store = world.store.clone();
        let task = tokio::spawn(async move {
            write(&store, &entropy, &[entry(None, BOB, Action::Refused)]).await;
        });
        world.until_it_waits(&task).await;
        holder.execute("rollback").await.unwrap();
        task.await.unwrap();
        is_good(&world, 6).await;
    });
}

const WRITERS: u8 = 8;
const COMMITS: u8 = 12;

/// Half of what they write changes what verification sees, so that both ends are held at once.
fn write_in_parallel(store: &Arc<Store>, entropy: &Arc<Counting>) -> JoinSet<u64> {
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let (store, entropy) = (store.clone(), entropy.clone());
        writers.spawn(async move {
            let mut written = 0;
            for commit in 0..COMMITS {
                let mut tx = store.begin().await.unwrap();
                let lines = (writer + commit) % 4;
                for _ in 0..lines {
                    append(
                        &mut tx,
                        &entropy,
                        &entry(Some(ACME), ADA, Action::TokenChanged),
                    );
                }
                if commit % 5 == 4 {
                    drop(tx);
                    continue;
                }
                let changed = [FeedKey::Catalogue];
                let changed = &changed[..usize::from(commit % 2)];
                tx.commit(changed).await.unwrap();
                written += u64::from(lines);
            }
            written
        });
    }
    writers
}

async fn parallel_transactions_keep_one_chain(world: World) {
    world.store.seal_audit_start(&peppers()).await.unwrap();
    world.warm_up().await;
    let entropy = Arc::new(Counting::new());
    let writers = write_in_parallel(&world.store, &entropy);
    let written = writers.join_all().await.iter().sum();
    is_good(&world, written).await;
    let head = world.store.audit_head().await.unwrap();
    assert_eq!(u64::try_from(head.seq), Ok(written));
}

async fn verifying_goes_on_while_lines_are_written(world: World) {
    world.store.seal_audit_start(&peppers()).await.unwrap();
    world.warm_up().await;
    let entropy = Arc::new(Counting::new());
    let mut writers = write_in_parallel(&world.store, &entropy);
    let mut written = 0;
    loop {
        let report = verify(&world).await;
        assert_eq!(report.first_bad(), None);
        assert!(report.verified >= written, "what was committed is verified");
        match writers.join_next().await {
            Some(done) => written += done.unwrap(),
            None => break,
        }
    }
    is_good(&world, written).await;
}
