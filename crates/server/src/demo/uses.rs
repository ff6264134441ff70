//! How the demo's tokens were used: the last time, and hour by hour.

use super::{
    ago,
    tokens::{DemoToken, Fate, Rhythm},
};
use hallpass_domain::{
    Entropy,
    id::TokenId,
    time::{SECONDS_PER_DAY, SECONDS_PER_HOUR, Timestamp},
};
use hallpass_store::{HourCount, LastUseRow};

/// Hours are made up for so many seconds: six weeks.
pub(super) const COUNTED: i64 = 42 * SECONDS_PER_DAY;
/// An ended token is tried again in one of so many hours.
const TRIED_EVERY: i64 = 3;

/// The last use of `token`, if it was ever used.
pub(super) fn last(token: &DemoToken, id: TokenId, now: Timestamp) -> Option<LastUseRow> {
    let last = token.last?;
    let (method, path) = last.request;
    Some(LastUseRow {
        token: id,
        at: ago(now, last.ago),
        method: Some(method.to_owned()),
        path: Some(path.to_owned()),
        address: Some(last.address.to_owned()),
        agent: Some(last.agent.to_owned()),
    })
}

/// The counts of each hour since `token` was made in which it was used or refused.
pub(super) fn hours(
    token: &DemoToken,
    id: TokenId,
    now: Timestamp,
    entropy: &impl Entropy,
) -> Vec<HourCount> {
    let Some(last) = token.last.map(|last| ago(now, last.ago).start_of_hour()) else {
        return Vec::new();
    };
    let over = over_since(token)
        .filter(|_| token.still_tried)
        .map(|seconds| ago(now, seconds).start_of_hour());
    let first = ago(now, token.created.min(COUNTED)).start_of_hour();
    let mut counts = Vec::new();
    for step in 0..=now.seconds_since(first) / SECONDS_PER_HOUR {
        let hour = first.plus_seconds(step * SECONDS_PER_HOUR);
        let mut chance = [0];
        entropy.fill(&mut chance);
        let allowed = if hour <= last {
            allowed(token.rhythm, hour, last, chance[0])
        } else {
            0
        };
        let refused = if over.is_some_and(|over| hour > over) && step % TRIED_EVERY == 0 {
            1 + u64::from(chance[0] % 4)
        } else {
            0
        };
        if allowed + refused > 0 {
            counts.push(HourCount {
                token: id,
                hour,
                allowed,
                refused,
            });
        }
    }
    counts
}

/// Seconds since the token stopped working, if it has.
fn over_since(token: &DemoToken) -> Option<i64> {
    match token.fate {
        Fate::Revoked(since) | Fate::Suspended(since) => Some(since),
        Fate::Kept => token.ends.filter(|ends| *ends < 0).map(|ends| -ends),
    }
}

/// Uses in `hour`, no later than the hour of the last use, in which there is one at least.
fn allowed(rhythm: Rhythm, hour: Timestamp, last: Timestamp, chance: u8) -> u64 {
    let hours_before = last.seconds_since(hour) / SECONDS_PER_HOUR;
    let uses = match rhythm {
        Rhythm::Once => 0,
        Rhythm::Every { hours, about } if hours_before % hours == 0 => around(about, chance),
        Rhythm::Every { .. } => 0,
        Rhythm::AtWork(about) if is_working_hour(hour) => around(about, chance),
        Rhythm::AtWork(_) => 0,
    };
    uses.max(u64::from(hours_before == 0))
}

/// From half of `about` to one and a half of it.
fn around(about: u64, chance: u8) -> u64 {
    about / 2 + (about * u64::from(chance)).div_ceil(255)
}

/// Monday to Friday, 7 to 18 o'clock in UTC.
const fn is_working_hour(hour: Timestamp) -> bool {
    // The first of January 1970 was a Thursday; days are counted from Sunday.
    let weekday = (hour.seconds().div_euclid(SECONDS_PER_DAY) + 4).rem_euclid(7);
    let of_day = hour.seconds().rem_euclid(SECONDS_PER_DAY) / SECONDS_PER_HOUR;
    weekday != 0 && weekday != 6 && of_day >= 7 && of_day < 18
}
