use super::*;

fn moment(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

#[test]
fn words_hold_what_was_put_in() {
    for end in [
        None,
        Some(Timestamp::MIN),
        Some(Timestamp::MAX),
        Some(moment(-1)),
        Some(moment(0)),
    ] {
        for (revoked, suspended) in [(false, false), (true, false), (false, true), (true, true)] {
            let state = State::new(revoked, suspended, end);
            assert_eq!(
                (state.revoked(), state.suspended(), state.end()),
                (revoked, suspended, end)
            );
        }
    }
    for scope in [None, Some(0), Some(Link::NO_SCOPE - 1)] {
        for (record, more) in [(0, true), (u32::MAX, false)] {
            let link = Link::new(record, more, scope);
            assert_eq!(
                (link.record(), link.has_more(), link.scope()),
                (record, more, scope)
            );
        }
    }
    for kind in Kind::ALL {
        let tag = Tag::new(
            kind,
            u32::MAX - 1,
            kind == Kind::ApiKey,
            kind == Kind::ShortLived,
        );
        assert_eq!((tag.kind(), tag.bearer()), (kind, u32::MAX - 1));
        assert_eq!(tag.is_slow(), kind == Kind::ApiKey);
        assert_eq!(tag.is_remembered(), kind == Kind::ShortLived);
        assert!(tag.is_live() && !tag.gone().is_live() && !Tag::default().is_live());
    }
}

#[test]
fn the_version_comes_round_without_touching_its_neighbours() {
    let first = Tag::new(Kind::ShortLived, 7, true, true);
    let last = Tag(first.0 | Tag::VERSION);
    assert!(first.is_same_line(last) && first != last);
    assert_eq!(last.next(), first);
    assert!(!first.is_same_line(Tag::new(Kind::ShortLived, 8, true, true)));
}

#[test]
fn a_line_is_one_cache_line() {
    assert_eq!((size_of::<Line>(), align_of::<Line>()), (64, 64));
}

#[test]
fn every_bit_of_the_key_counts() {
    let key = Key::of_digest(&Digest::from_bytes([0x5a; 32]));
    let line = Line::default();
    assert_eq!(line.see(&key), None);
    let token = Snapshot {
        tag: Tag::new(Kind::ApiKey, 1, false, false),
        state: State(0),
        link: Link(0),
        id: TokenId::from_bytes([9; 16]),
    };
    line.fill(&key, &token);
    assert_eq!(line.see(&key), Some(token));
    for bit in 0..192 {
        let mut bytes = [0x5a; 32];
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(
            line.see(&Key::of_digest(&Digest::from_bytes(bytes))),
            None,
            "{bit}"
        );
    }
    assert_eq!(line.see(&Key { slow: true, ..key }), None);
    line.give_up();
    assert_eq!(line.see(&key), None);
}

/// A token's changing part: state, narrowing (a set of bits) and first moment.
#[derive(Clone, Copy, Debug)]
struct Shape {
    state: State,
    scope: u32,
}

impl Shape {
    fn allows(self, bit: u32, now: Timestamp) -> bool {
        let open = !self.state.revoked()
            && !self.state.suspended()
            && self.state.end().is_none_or(|end| now < end);
        open && self.scope >> bit & 1 != 0
    }
}

fn shapes() -> Vec<Shape> {
    let mut all = Vec::new();
    for revoked in [false, true] {
        for end in [Some(10), None] {
            for scope in [0b01, 0b10] {
                all.push(Shape {
                    state: State::new(revoked, false, end.map(moment)),
                    scope,
                });
            }
        }
    }
    all.push(Shape {
        state: State::new(false, true, None),
        scope: 0b11,
    });
    all
}

/// Plays the real loads against the real stores of two changes in a row, in every order in which they can
/// interleave when each takes effect at once: before each load, any number of the remaining stores.
fn interleave(
    words: [u64; WORDS],
    key: &Key,
    stores: &[(usize, u64)],
    mut check: impl FnMut(Snapshot),
) -> usize {
    let mut played = 0;
    let mut scripts = vec![vec![]];
    // The loads that stand between the words that change: tag, (keys), state, link, tag, and again on a retry.
    while let Some(script) = scripts.pop() {
        let mut memory = words;
        let mut done = 0;
        let mut point = 0;
        let mut open = None;
        let seen = see(
            |word| {
                if word == TAG || word == STATE || word == LINK {
                    let steps = script.get(point).copied().unwrap_or(0);
                    if point == script.len() {
                        open.get_or_insert(stores.len() - done);
                    }
                    for (word, value) in &stores[done..done + steps] {
                        memory[*word] = *value;
                    }
                    done += steps;
                    point += 1;
                }
                memory[word]
            },
            key,
        );
        if let Some(left) = open {
            for steps in 1..=left {
                // As many loads without a store as there may be before the next store.
                for idle in 0..4 {
                    let mut longer: Vec<usize> = script.clone();
                    longer.extend(std::iter::repeat_n(0, idle));
                    longer.push(steps);
                    scripts.push(longer);
                }
            }
        }
        played += 1;
        let Some(snapshot) = seen else {
            panic!("the token was there all the time")
        };
        check(snapshot);
    }
    played
}

#[test]
fn no_interleaving_allows_what_neither_token_allows() {
    let key = Key::of_digest(&Digest::from_bytes([1; 32]));
    let tag = Tag::new(Kind::PersonalAccessToken, 0, false, false);
    let link = |shape: Shape| Link::new(0, false, Some(shape.scope));
    let mut played = 0;
    for old in shapes() {
        for new in shapes() {
            // Back to the old narrowing at last: what a reader that compared links alone would fall for.
            let last = Shape {
                state: State::new(true, false, None),
                scope: old.scope,
            };
            let mut steps = stores(tag, old.state, new.state, link(new)).to_vec();
            steps.extend(stores(tag.next(), new.state, last.state, link(last)));
            let mut words = [0; WORDS];
            (words[TAG], words[STATE], words[LINK]) = (tag.0, old.state.0, link(old).0);
            words[KEY..].copy_from_slice(&key.words);
            played += interleave(words, &key, &steps, |seen| {
                let seen = Shape {
                    state: seen.state,
                    scope: seen.link.scope().unwrap(),
                };
                for now in [5, 15].map(moment) {
                    for bit in 0..2 {
                        let by = [old, new, last].map(|shape| shape.allows(bit, now));
                        let allowed = seen.allows(bit, now);
                        assert!(
                            !allowed || by[0] || by[1],
                            "{seen:?} between {old:?} and {new:?}"
                        );
                        assert!(
                            allowed || !by[0] || !by[1] || seen.state.revoked(),
                            "{seen:?} between {old:?} and {new:?}"
                        );
                    }
                }
            });
        }
    }
    assert!(played > 50_000, "{played}");
}
