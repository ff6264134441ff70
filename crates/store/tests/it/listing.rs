//! Lists: order, pages, search, uses.

use crate::{
    both_engines,
    world::{ACME, ADA, BOB, Draft, GLOBEX, NOW, World, all, name, prefix, token_id},
};
use hallpass_domain::{
    access_token::{Expiration, PersonalAccessToken},
    id::TokenId,
    name::fold_search,
};
use hallpass_store::{HourCount, LastUseRow, TokenQuery, TokenSort};

both_engines!(
    every_order_walks_all_pages,
    pages_stay_in_step_while_tokens_come_and_go,
    searches_find_letters_as_they_are,
    a_malformed_cursor_is_harmless,
    recent_uses_are_counted,
);

fn used(number: u32, at: hallpass_domain::time::Timestamp, address: &str) -> LastUseRow {
    LastUseRow {
        token: token_id(number),
        at,
        method: None,
        path: None,
        address: Some(address.to_owned()),
        agent: None,
    }
}

/// Twenty tokens with ties in every column, names included: revoked ones share theirs.
async fn settle(world: &World) {
    // Sorted by a language's rules these would stand otherwise.
    const NAMES: [&str; 10] = [
        "Zebra", "apple", "Äpfel", "a b", "a-b", "ab", "A_b", "éclair", "eclair", "10",
    ];
    for number in 0..20_u32 {
        let draft = Draft {
            // Ids are not in the order of making.
            id: token_id(number * 7 % 20),
            created: NOW.plus_seconds(i64::from(number / 4)),
            expiration: match number % 4 {
                0 => Expiration::Never,
                at => Expiration::At(NOW.plus_days(i64::from(at))),
            },
            ..Draft::new(number, NAMES[number as usize % 10])
        };
        if number == 10 {
            for earlier in 0..10 {
                world.revoke(token_id(earlier * 7 % 20), NOW).await;
            }
        }
        world.insert_all(&[draft]).await;
    }
    let uses: Vec<_> = (0..12)
        .map(|number| used(number, NOW.plus_seconds(i64::from(number % 3)), "10.0.0.1"))
        .collect();
    world.store.write_uses(&uses, &[]).await.unwrap();
    let bobs = Draft {
        owner: BOB,
        ..Draft::new(100, "Bob's")
    };
    let globex = Draft {
        organization: GLOBEX,
        ..Draft::new(101, "In Globex")
    };
    world.insert_all(&[bobs, globex]).await;
}

/// The order as the documentation has it.
fn key(sort: TokenSort, token: &PersonalAccessToken) -> (i64, String, TokenId) {
    let number = match sort {
        TokenSort::Created => token.created.micros(),
        TokenSort::Name => return (0, token.name.key(), token.id),
        TokenSort::Expiration => token.expiration.date().map_or(i64::MAX, |at| at.micros()),
        TokenSort::LastUsed => token
            .last_use
            .as_ref()
            .map_or(i64::MIN, |last| last.at.micros()),
    };
    (number, String::new(), token.id)
}

async fn every_order_walks_all_pages(world: World) {
    settle(&world).await;
    let sorts = [
        TokenSort::Created,
        TokenSort::Name,
        TokenSort::Expiration,
        TokenSort::LastUsed,
    ];
    for sort in sorts {
        for descending in [false, true] {
            let query = TokenQuery {
                sort,
                descending,
                ..all()
            };
            let (whole, sizes) = world.walk(query.clone()).await;
            assert_eq!(sizes, [20]);
            let keys: Vec<_> = whole.iter().map(|item| key(sort, &item.token)).collect();
            let mut expected = keys.clone();
            expected.sort();
            expected.dedup();
            if descending {
                expected.reverse();
            }
            assert_eq!(keys, expected, "{sort:?} {descending}");
            for (limit, last) in [(1, 1), (3, 2), (5, 5), (19, 1), (20, 20)] {
                let (paged, sizes) = world
                    .walk(TokenQuery {
                        limit,
                        ..query.clone()
                    })
                    .await;
                let paged: Vec<_> = paged.iter().map(|item| key(sort, &item.token)).collect();
                assert_eq!(paged, expected, "{sort:?} {descending} by {limit}");
                assert_eq!(sizes.last(), Some(&last), "no empty page at the end");
            }
        }
    }
}

async fn pages_stay_in_step_while_tokens_come_and_go(world: World) {
    world.insert_all(&Draft::several(10, 6)).await;
    let query = TokenQuery { limit: 3, ..all() };
    let page = world.store.list_tokens(ACME, ADA, &query).await.unwrap();
    let query = TokenQuery {
        after: page.next,
        ..query
    };
    // One before the cursor, and the token that the cursor names is another's by now.
    world.insert_all(&[Draft::new(1, "before")]).await;
    let gone = format!(
        "delete from token where id = {}",
        world.blob(token_id(12).bytes())
    );
    world.execute(&gone).await;
    let page = world.store.list_tokens(ACME, ADA, &query).await.unwrap();
    let ids: Vec<TokenId> = page.items.iter().map(|item| item.token.id).collect();
    assert_eq!(ids, [13, 14, 15].map(token_id));
    assert_eq!(page.next, None);
}

#[expect(clippy::too_many_lines, reason = "one table of searches")]
async fn searches_find_letters_as_they_are(world: World) {
    let names = [
        "100% sure",
        "100 sure",
        "a_b",
        "aXb",
        "back\\slash",
        "O'Brien \"x\"",
        "ÉTÉ",
        "été 2",
    ];
    let drafts: Vec<Draft> = (1..)
        .zip(names)
        .map(|(number, called)| Draft::new(number, called))
        .collect();
    world.insert_all(&drafts).await;
    let special = Draft {
        prefix: hallpass_domain::token::Prefix::parse("hpp_Qx7TzA").unwrap(),
        ..Draft::new(9, "by prefix")
    };
    world.insert_all(&[special]).await;
    let uses = [used(1, NOW, "192.0.2.77"), used(2, NOW, "2001:DB8::1")];
    world.store.write_uses(&uses, &[]).await.unwrap();
    for (search, expected) in [
        ("", &[1, 2, 3, 4, 5, 6, 7, 8, 9][..]),
        ("SURE", &[1, 2]),
        ("%", &[1]),
        ("100%", &[1]),
        ("1%e", &[]),
        ("_b", &[3]),
        ("A_B", &[3]),
        ("\\", &[5]),
        ("k\\s", &[5]),
        ("\\%", &[]),
        ("'", &[6]),
        ("o'bRIEN \"", &[6]),
        ("'; drop table token; --", &[]),
        ("' or 1=1 --", &[]),
        ("été", &[7, 8]),
        ("ÉTE\u{301}", &[7, 8]),
        ("qx7t", &[9]),
        ("hpp_Qx7TzA", &[9]),
        ("2.0.2.7", &[1]),
        ("2001:db8", &[2]),
        ("DB8::", &[2]),
        ("\0", &[]),
        ("100\0", &[]),
        ("$1", &[]),
    ] {
        let query = TokenQuery {
            search: fold_search(search),
            limit: 2,
            ..all()
        };
        let found = world.walk(query).await.0;
        let found: Vec<u8> = found.iter().map(|item| item.token.id.bytes()[15]).collect();
        assert_eq!(found, expected, "{search:?}");
    }
    assert_eq!(world.store.count_tokens().await.unwrap(), 9);
}

/// A cursor comes from the caller.
async fn a_malformed_cursor_is_harmless(world: World) {
    world.insert_all(&Draft::several(1, 3)).await;
    for sort in [TokenSort::Created, TokenSort::Name] {
        for key in ["", "\0", "9999999999999999999999", "'", "-1"] {
            let query = TokenQuery {
                sort,
                after: Some((key.to_owned(), token_id(0))),
                ..all()
            };
            world.store.list_tokens(ACME, ADA, &query).await.unwrap();
        }
    }
}

async fn recent_uses_are_counted(world: World) {
    world.insert_all(&Draft::several(1, 2)).await;
    let hour = NOW.start_of_hour();
    let counted = |number, hours: i64, allowed| HourCount {
        token: token_id(number),
        hour: hour.plus_seconds(hours * 3_600),
        allowed,
        refused: 1_000,
    };
    let hours = [
        counted(1, -2, 1),
        counted(1, -1, 20),
        counted(1, 0, 300),
        counted(2, -2, 7),
    ];
    world.store.write_uses(&[], &hours).await.unwrap();
    for (since, one, two) in [(-2, 321, 7), (-1, 320, 0), (0, 300, 0), (1, 0, 0)] {
        let recent_since = hour.plus_seconds(since * 3_600);
        let query = TokenQuery {
            recent_since,
            ..all()
        };
        let listed = world.walk(query).await.0;
        let uses: Vec<u64> = listed.iter().map(|item| item.recent_uses).collect();
        assert_eq!(uses, [one, two], "{since}");
        let found = world
            .store
            .find_token(ACME, ADA, token_id(1), recent_since)
            .await
            .unwrap();
        assert_eq!(found.unwrap().recent_uses, one);
    }
    assert_eq!(name("Token 1"), world.find(token_id(1)).await.token.name);
    assert_eq!(prefix(1), world.find(token_id(1)).await.token.prefix);
}
