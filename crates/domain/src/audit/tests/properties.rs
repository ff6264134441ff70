//! Whatever is done to a chain, and wherever: the first line that suffered is named.

use super::{is_bad, pepper, verify, verify_under, written};
use crate::{
    audit::{Action, Finding, Head, Line, Seal, Sealed, Wrong},
    id::{AuditId, OrganizationId, TokenId, UserId},
    time::Timestamp,
    token::{Digest, Peppers},
};
use proptest::{collection::vec, option, prelude::*, sample::Index};

fn a_text() -> impl Strategy<Value = Option<String>> {
    option::of("[ab]{0,3}")
}

fn an_id() -> impl Strategy<Value = [u8; 16]> {
    any::<u8>().prop_map(|byte| [byte; 16])
}

fn a_line() -> impl Strategy<Value = (Line, bool)> {
    let ids = (
        an_id(),
        option::of(an_id()),
        option::of(an_id()),
        option::of(an_id()),
    );
    let texts = (a_text(), a_text(), a_text(), a_text(), a_text(), a_text());
    (ids, -9_i64..9, 0..Action::ALL.len(), texts, any::<bool>()).prop_map(
        |((id, organization, user, token), at, action, texts, retired)| {
            let (target, address, agent, before, after, detail) = texts;
            let line = Line {
                seq: 0,
                id: AuditId::from_bytes(id),
                at: Timestamp::from_micros(at),
                organization: organization.map(OrganizationId::from_bytes),
                actor_user: user.map(UserId::from_bytes),
                actor_token: token.map(TokenId::from_bytes),
                action: Action::ALL[action].word().to_owned(),
                target,
                address,
                agent,
                before,
                after,
                detail,
            };
            (line, retired)
        },
    )
}

/// At least one line with a code.
fn a_chain() -> impl Strategy<Value = (Vec<Sealed>, Head)> {
    (vec(a_line(), 1..8), any::<Index>()).prop_map(|(lines, unchained)| {
        let unchained = unchained.index(lines.len());
        written(lines, unchained)
    })
}

fn edit_text(text: &mut Option<String>) {
    *text = match text.take() {
        None => Some(String::new()),
        Some(text) if text.is_empty() => None,
        Some(text) => Some(text + "a"),
    };
}

fn edit_id<T>(id: &mut Option<T>, of: fn([u8; 16]) -> T) {
    *id = if id.is_some() {
        None
    } else {
        Some(of([0; 16]))
    };
}

const FIELDS: usize = 14;

/// Edits one field, whatever it holds.
fn edit(sealed: &mut Sealed, field: usize) {
    let line = &mut sealed.line;
    match field {
        0 => line.id = AuditId::from_bytes(line.id.bytes().map(|byte| byte ^ 1)),
        1 => line.at = Timestamp::from_micros(line.at.micros() + 1),
        2 => edit_id(&mut line.organization, OrganizationId::from_bytes),
        3 => edit_id(&mut line.actor_user, UserId::from_bytes),
        4 => edit_id(&mut line.actor_token, TokenId::from_bytes),
        5 => line.action.push('d'),
        6 => edit_text(&mut line.target),
        7 => edit_text(&mut line.address),
        8 => edit_text(&mut line.agent),
        9 => edit_text(&mut line.before),
        10 => edit_text(&mut line.after),
        11 => edit_text(&mut line.detail),
        12 => {
            let seal = sealed.seal.as_mut().unwrap();
            let other = if seal.pepper == "p1" { "p2" } else { "p1" };
            other.clone_into(&mut seal.pepper);
        }
        _ => sealed.seal = None,
    }
}

/// The position of a line with a code.
fn chained(head: &Head, index: Index) -> usize {
    let unchained = usize::try_from(head.chained_after).unwrap();
    unchained + index.index(usize::try_from(head.seq).unwrap() - unchained)
}

fn renumber(lines: &mut [Sealed]) {
    for (line, seq) in lines.iter_mut().zip(1..) {
        line.line.seq = seq;
    }
}

proptest! {
    #[test]
    fn what_was_written_is_good((lines, head) in a_chain()) {
        let report = verify(&lines, &head);
        prop_assert_eq!(report.first_bad(), None);
        prop_assert_eq!(report.unchained + report.verified, lines.len() as u64);
        prop_assert_eq!(i64::try_from(report.unchained), Ok(head.chained_after));
        prop_assert_eq!(report.unknown, 0);
    }

    #[test]
    fn an_edit_is_found((mut lines, head) in a_chain(), at in any::<Index>(), field in 0..FIELDS) {
        let at = chained(&head, at);
        edit(&mut lines[at], field);
        is_bad(&lines, &head, at as i64 + 1, Wrong::Edited);
    }

    /// A text that goes from the end of one field to the beginning of the next is an edit too.
    #[test]
    fn fields_do_not_run_together(mut one in a_line(), text in "[ab]{1,3}", cut in any::<Index>()) {
        let cut = cut.index(text.len());
        one.0.agent = Some(text.clone());
        one.0.before = Some(String::new());
        let (mut lines, head) = written(vec![one], 0);
        lines[0].line.agent = Some(text[..cut].to_owned());
        lines[0].line.before = Some(text[cut..].to_owned());
        is_bad(&lines, &head, 1, Wrong::Edited);
    }

    #[test]
    fn a_removal_is_found((mut lines, head) in a_chain(), at in any::<Index>(), closed in any::<bool>()) {
        let at = at.index(lines.len());
        lines.remove(at);
        let last = at == lines.len();
        let mut expected = at as i64 + 1;
        let wrong = if last {
            Wrong::CutOff
        } else if closed {
            // The gap is closed by giving new numbers; a line without a code is not missed until the codes begin.
            renumber(&mut lines);
            expected = expected.max(head.chained_after);
            Wrong::Edited
        } else {
            Wrong::Missing
        };
        is_bad(&lines, &head, expected, wrong);
    }

    #[test]
    fn an_insertion_is_found((mut lines, head) in a_chain(), at in any::<Index>(), (new, _) in a_line(), own in any::<bool>()) {
        let at = chained(&head, at);
        // With a code that is good elsewhere, or with none that could be.
        let seal = lines[at].seal.clone().map(|seal| Seal {
            code: if own { seal.code } else { Digest::from_bytes([7; 32]) },
            ..seal
        });
        lines.insert(at, Sealed { line: new, seal });
        renumber(&mut lines);
        let same = lines[at].line == Line { seq: lines[at].line.seq, ..lines[at + 1].line.clone() };
        prop_assume!(!(own && same));
        is_bad(&lines, &head, at as i64 + 1, Wrong::Edited);
    }

    #[test]
    fn a_doubled_line_is_found((mut lines, head) in a_chain(), at in any::<Index>(), renumbered in any::<bool>()) {
        let at = chained(&head, at);
        lines.insert(at, lines[at].clone());
        let seq = at as i64 + 1;
        if renumbered {
            // The first of the two is where it belongs.
            renumber(&mut lines);
            is_bad(&lines, &head, seq + 1, Wrong::Edited);
        } else {
            is_bad(&lines, &head, seq, Wrong::Doubled);
        }
    }

    #[test]
    fn a_swap_is_found((mut lines, head) in a_chain(), one in any::<Index>(), other in any::<Index>(), renumbered in any::<bool>()) {
        let (one, other) = (chained(&head, one), chained(&head, other));
        let (one, other) = (one.min(other), one.max(other));
        prop_assume!(one != other);
        lines.swap(one, other);
        let wrong = if renumbered {
            renumber(&mut lines);
            Wrong::Edited
        } else {
            Wrong::Missing
        };
        is_bad(&lines, &head, one as i64 + 1, wrong);
    }

    #[test]
    fn a_cut_is_found((mut lines, head) in a_chain(), keep in any::<Index>()) {
        let keep = keep.index(lines.len());
        lines.truncate(keep);
        is_bad(&lines, &head, keep as i64 + 1, Wrong::CutOff);
    }

    /// Whoever lacks the pepper cannot make a chain fit again, not even a whole new one.
    #[test]
    fn a_forged_chain_is_found(lines in vec(a_line(), 1..5)) {
        let (lines, head) = written(lines, 0);
        let stranger = Peppers::new(pepper("p2", 8), vec![pepper("p1", 9)]);
        let broken = verify_under(&stranger, &lines, &head).broken;
        prop_assert_eq!(broken, Some(Finding { seq: 1, wrong: Wrong::Edited }));
    }
}
