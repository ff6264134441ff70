use super::*;
use hallpass_domain::{
    Entropy,
    id::TokenId,
    limits::{USE_AGENT_BYTES_MAX, USE_METHOD_BYTES_MAX, USE_PATH_BYTES_MAX, USE_ROWS_WAITING_MAX},
    time::{SECONDS_PER_HOUR, Timestamp},
    token::{Brand, Kind, PlainToken},
};

fn id(number: u32) -> TokenId {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    TokenId::from_bytes(bytes)
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(0).plus_seconds(seconds)
}

fn allowed(token: u32, seconds: i64) -> UseNote {
    UseNote::new(id(token), at(seconds), Outcome::Allowed)
}

fn refused(token: u32, seconds: i64) -> UseNote {
    UseNote::new(id(token), at(seconds), Outcome::Refused)
}

fn row(fold: &mut Fold) -> UseRow {
    let mut rows = fold.take(usize::MAX);
    assert_eq!(rows.len(), 1);
    rows.pop().unwrap()
}

fn folded(note: &UseNote) -> hallpass_domain::access_token::LastUse {
    let mut fold = Fold::default();
    fold.add(note);
    row(&mut fold).last.unwrap().last_use()
}

/// Hour, allowed and refused of each row.
fn counts(rows: &[UseRow]) -> Vec<(Timestamp, u64, u64)> {
    rows.iter()
        .map(|row| (row.hour, row.allowed, row.refused))
        .collect()
}

#[test]
fn the_last_allowed_use_wins_whatever_the_order() {
    let mut fold = Fold::default();
    for note in [
        allowed(1, 10).method("GET"),
        allowed(1, 30).method("PUT"),
        allowed(1, 20).method("POST"),
        refused(1, 40),
    ] {
        fold.add(&note);
    }
    let row = row(&mut fold);
    let last = row.last.as_ref().unwrap().last_use();
    assert_eq!((last.at, last.method.as_deref()), (at(30), Some("PUT")));
    assert_eq!((row.hour, row.allowed, row.refused), (at(0), 3, 1));
    assert!(fold.is_empty());
}

#[test]
fn uses_are_counted_by_the_hour() {
    let mut fold = Fold::default();
    for note in [
        allowed(1, SECONDS_PER_HOUR - 1),
        allowed(1, SECONDS_PER_HOUR),
        refused(1, SECONDS_PER_HOUR + 5),
    ] {
        fold.add(&note);
    }
    let rows = fold.take(usize::MAX);
    assert_eq!(counts(&rows), [(at(0), 1, 0), (at(SECONDS_PER_HOUR), 1, 1)]);
}

#[test]
fn a_refused_use_is_no_last_use() {
    let mut fold = Fold::default();
    fold.add(&refused(1, 1));
    assert_eq!(row(&mut fold).last, None);
}

#[test]
fn what_could_not_be_written_is_merged_with_what_came_since() {
    let mut fold = Fold::default();
    for note in [allowed(1, 50).method("GET"), allowed(2, 1), refused(1, 51)] {
        fold.add(&note);
    }
    let rows = fold.take(usize::MAX);
    for note in [
        allowed(1, 40).method("PUT"),
        allowed(1, SECONDS_PER_HOUR),
        allowed(3, 2),
    ] {
        fold.add(&note);
    }
    fold.put_back(rows);
    let mut rows = fold.take(usize::MAX);
    rows.sort_by_key(|row| (row.token, row.hour));
    let tokens: Vec<_> = rows.iter().map(|row| row.token).collect();
    assert_eq!(tokens, [id(1), id(1), id(2), id(3)]);
    let last = |row: &UseRow| row.last.as_ref().unwrap().last_use();
    assert_eq!(last(&rows[0]).method.as_deref(), Some("GET"));
    assert_eq!(
        counts(&rows[..2]),
        [(at(0), 2, 1), (at(SECONDS_PER_HOUR), 1, 0)]
    );
    assert_eq!(last(&rows[2]).at, at(1));
}

#[test]
fn what_waits_longest_is_taken_first() {
    let mut fold = Fold::default();
    let tokens = |rows: Vec<UseRow>| rows.iter().map(|row| row.token).collect::<Vec<_>>();
    for token in [5, 3, 4, 5, 1] {
        fold.add(&allowed(token, 1));
    }
    let first = fold.take(2);
    assert_eq!(first[0].allowed, 2);
    assert_eq!(tokens(first), [id(5), id(3)]);
    for token in [1, 3, 2] {
        fold.add(&allowed(token, 2));
    }
    assert_eq!(fold.len(), 4);
    let rows = fold.take(3);
    fold.add(&allowed(1, 3));
    fold.put_back(rows);
    assert_eq!(fold.len(), 4);
    assert_eq!(tokens(fold.take(2)), [id(4), id(3)], "as they were taken");
    let rows = fold.take(2);
    assert_eq!((rows[1].token, rows[1].allowed), (id(1), 3), "merged");
    assert_eq!(tokens(rows), [id(2), id(1)]);
    for token in [2, 4] {
        fold.add(&allowed(token, 3));
    }
    fold.add(&allowed(2, 4));
    assert_eq!(tokens(fold.take(1)), [id(2)]);
    assert_eq!(tokens(fold.take(3)), [id(4)]);
    assert!(fold.is_empty() && fold.take(1).is_empty());
}

#[test]
fn an_older_use_put_back_does_not_hide_a_newer_one() {
    let mut fold = Fold::default();
    fold.add(&allowed(1, 50));
    let rows = fold.take(usize::MAX);
    fold.add(&allowed(1, 60));
    fold.put_back(rows);
    assert_eq!(row(&mut fold).last.unwrap().at(), at(60));
}

#[test]
fn texts_are_cut_between_characters_and_stay_on_one_line() {
    let note = allowed(1, 1)
        .method(&"é".repeat(20))
        .path("/a\r\nb\u{7f}\u{85}?access_token=x")
        .agent(&"€".repeat(100));
    let last = folded(&note);
    assert_eq!(last.method.unwrap(), "é".repeat(USE_METHOD_BYTES_MAX / 2));
    assert_eq!(last.path.unwrap(), "/a\u{fffd}\u{fffd}b\u{fffd}\u{fffd}");
    assert_eq!(last.agent.unwrap(), "€".repeat(USE_AGENT_BYTES_MAX / 3));
    let path = "/".repeat(USE_PATH_BYTES_MAX + 1);
    assert_eq!(
        folded(&allowed(1, 1).path(&path)).path.unwrap().len(),
        USE_PATH_BYTES_MAX
    );
    assert_eq!(
        folded(&allowed(1, 1).path("/a#b")).path.as_deref(),
        Some("/a")
    );
}

#[test]
fn what_was_not_given_is_nothing() {
    let last = folded(&allowed(1, 1));
    assert_eq!(
        (last.method, last.path, last.address, last.agent),
        (None, None, None, None)
    );
    let last = folded(&allowed(1, 1).address("2001:db8::1".parse().unwrap()));
    assert_eq!(last.address.as_deref(), Some("2001:db8::1"));
}

#[test]
fn a_token_in_a_path_or_an_agent_is_not_stored() {
    struct Ones;
    impl Entropy for Ones {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(1);
        }
    }
    let token = PlainToken::generate(Brand::DEFAULT, Kind::PersonalAccessToken, &Ones);
    let text = format!("/{0}/x/{0}", token.expose());
    let last = folded(&allowed(1, 1).path(&text).agent(&text));
    let prefix = token.prefix();
    let shown = format!("/{prefix}…/x/{prefix}…");
    assert_eq!((last.path, last.agent), (Some(shown.clone()), Some(shown)));
    // Encoded, or with its end beyond what is kept.
    let encoded = token.expose().replace('_', "%5F");
    let twice = encoded.replace('%', "%25");
    let cut = format!("{}{}", "/".repeat(USE_AGENT_BYTES_MAX - 45), token.expose());
    for text in [encoded, twice, cut] {
        let last = folded(&allowed(1, 1).path(&text).agent(&text));
        for kept in [last.path.unwrap(), last.agent.unwrap()] {
            assert!(
                kept.ends_with(&format!("{}…", &prefix.as_str()[4..])),
                "{kept}"
            );
        }
    }
}

#[test]
fn a_full_buffer_drops_and_counts() {
    let uses = Uses::with_room(1, 4);
    let taken = (0..6)
        .filter(|number| uses.note(&allowed(*number, 1)))
        .count();
    assert_eq!((taken, uses.dropped(), uses.waiting()), (4, 2, 4));
    let mut fold = Fold::default();
    uses.drain_into(&mut fold);
    assert_eq!((fold.len(), uses.waiting()), (4, 0));
    assert!(uses.note(&allowed(9, 1)));
    uses.add_dropped(3);
    assert_eq!(uses.dropped(), 5);
}

#[test]
fn a_note_debugged_tells_no_text() {
    assert!(!format!("{:?}", allowed(1, 1).path("/secret")).contains("secret"));
}

#[test]
fn memory_is_bounded_when_nothing_can_be_written() {
    let mut fold = Fold::default();
    let max = u32::try_from(USE_ROWS_WAITING_MAX).unwrap();
    for token in 0..max + 3 {
        fold.add(&refused(token, 1));
    }
    // A row that is there still counts; another hour would be another row.
    fold.add(&refused(0, 2));
    fold.add(&refused(0, SECONDS_PER_HOUR));
    assert_eq!((fold.len(), fold.take_dropped()), (USE_ROWS_WAITING_MAX, 4));
    assert_eq!(fold.take_dropped(), 0);
    let rows = fold.take(1);
    assert_eq!(counts(&rows), [(at(0), 0, 2)]);
    fold.add(&refused(max, 1));
    // What was under way is not dropped for what came since, but there is room for no more.
    fold.put_back(rows);
    assert_eq!(
        (fold.len(), fold.take_dropped()),
        (USE_ROWS_WAITING_MAX + 1, 0)
    );
    fold.add(&refused(max + 1, 1));
    assert_eq!(fold.take_dropped(), 1);
    assert_eq!(counts(&fold.take(1)), [(at(0), 0, 2)]);
}

#[test]
fn threads_lose_nothing_that_was_taken() {
    let uses = Uses::with_room(3, 64);
    let mut fold = Fold::default();
    let taken: u64 = std::thread::scope(|threads| {
        let writers: Vec<_> = (0..4_u32)
            .map(|number| {
                let uses = &uses;
                threads.spawn(move || {
                    (0..5_000)
                        .filter(|second| uses.note(&allowed(number, *second)))
                        .count() as u64
                })
            })
            .collect();
        while writers.iter().any(|writer| !writer.is_finished()) {
            uses.drain_into(&mut fold);
        }
        writers
            .into_iter()
            .map(|writer| writer.join().unwrap())
            .sum()
    });
    uses.drain_into(&mut fold);
    let counted: u64 = fold.take(usize::MAX).iter().map(|row| row.allowed).sum();
    assert_eq!(counted, taken);
    assert_eq!(taken + uses.dropped(), 20_000);
}

#[test]
fn a_note_is_the_same_whatever_its_length() {
    let uses = Uses::with_room(1, 64);
    let address = "2001:db8::1".parse().unwrap();
    for path in [1, 40, 60, 110, USE_PATH_BYTES_MAX] {
        for agent in [1, 40, USE_AGENT_BYTES_MAX] {
            for note in [allowed(1, 7), allowed(1, 7).method("POST").address(address)] {
                let note = note
                    .path(&"é".repeat(path / 2 + 1))
                    .agent(&"a".repeat(agent));
                assert!(uses.note(&note));
                let mut fold = Fold::default();
                uses.drain_into(&mut fold);
                assert_eq!(row(&mut fold).last.unwrap().last_use(), note.last_use());
            }
        }
    }
}

#[test]
fn long_notes_are_bounded_by_themselves() {
    let uses = Uses::with_room(1, 16);
    let long = allowed(1, 1).path(&"/".repeat(USE_PATH_BYTES_MAX));
    let taken = (0..6).filter(|_| uses.note(&long)).count();
    assert_eq!((taken, uses.dropped(), uses.waiting()), (4, 2, 4));
    assert!(uses.note(&allowed(1, 1)));
}
