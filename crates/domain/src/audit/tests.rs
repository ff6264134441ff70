use super::*;
use crate::{
    id::{AuditId, OrganizationId, TokenId, UserId},
    time::Timestamp,
    token::{Digest, Pepper, PepperId, Peppers},
};
use zeroize::Zeroizing;

mod properties;

fn pepper(id: &str, byte: u8) -> Pepper {
    Pepper::new(PepperId::parse(id).unwrap(), &Zeroizing::new([byte; 32]))
}

/// The current one and a retired one.
fn peppers() -> Peppers {
    Peppers::new(pepper("p2", 2), vec![pepper("p1", 1)])
}

fn line(seq: i64) -> Line {
    Line {
        seq,
        id: AuditId::from_bytes([9; 16]),
        at: Timestamp::from_micros(5),
        organization: None,
        actor_user: None,
        actor_token: None,
        action: Action::Refused.word().to_owned(),
        target: None,
        address: None,
        agent: None,
        before: None,
        after: None,
        detail: None,
    }
}

/// A chain as it is written: the first `unchained` lines without codes, the others under the pepper that is asked for.
fn written(lines: Vec<(Line, bool)>, unchained: usize) -> (Vec<Sealed>, Head) {
    let peppers = peppers();
    let chained_after = i64::try_from(unchained).unwrap();
    let mut head = Head {
        seq: 0,
        chained_after,
        code: None,
        seal: None,
        unnumbered: 0,
    };
    let mut all = Vec::new();
    for (mut line, retired) in lines {
        head.seq += 1;
        line.seq = head.seq;
        let mut seal = None;
        if head.seq > chained_after {
            let link = match head.code {
                None => Link::First(chained_after),
                Some(code) => Link::After(code),
            };
            let by = peppers.iter().nth(usize::from(retired)).unwrap();
            let code = line.code(by, &link);
            head.code = Some(code);
            seal = Some(Seal {
                pepper: by.id().as_str().to_owned(),
                code,
            });
        }
        all.push(Sealed { line, seal });
    }
    head.seal = Some(head.seal_under(peppers.current()));
    (all, head)
}

fn some(count: usize, unchained: usize) -> (Vec<Sealed>, Head) {
    written(vec![(line(0), false); count], unchained)
}

fn verify(lines: &[Sealed], head: &Head) -> Report {
    verify_under(&peppers(), lines, head)
}

fn verify_under(peppers: &Peppers, lines: &[Sealed], head: &Head) -> Report {
    let mut chain = Chain::new(peppers, head.chained_after);
    for line in lines {
        if !chain.take(&Found::Line(Box::new(line.clone()))) {
            break;
        }
    }
    chain.end(head)
}

#[track_caller]
fn is_bad(lines: &[Sealed], head: &Head, seq: i64, wrong: Wrong) {
    let report = verify(lines, head);
    assert_eq!(report.broken, Some(Finding { seq, wrong }));
    assert_eq!(report.first_bad(), report.broken.as_ref());
}

#[test]
fn every_action_has_a_word_of_its_own() {
    assert_eq!(Action::ALL.len(), 44);
    for action in Action::ALL {
        assert_eq!(Action::from_word(action.word()), Some(*action));
        assert!(
            action
                .word()
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || b"._".contains(&byte))
        );
    }
    assert_eq!(Action::from_word("token"), None);
    assert_eq!(Action::from_word(""), None);
}

/// The code is kept for ever: it must not depend on how the program is written.
#[test]
fn the_code_of_a_line_stays() {
    let full = Line {
        organization: Some(OrganizationId::from_bytes([1; 16])),
        actor_user: Some(UserId::from_bytes([2; 16])),
        actor_token: Some(TokenId::from_bytes([3; 16])),
        target: Some("t".to_owned()),
        address: Some("192.0.2.1".to_owned()),
        agent: Some("curl".to_owned()),
        before: Some("{}".to_owned()),
        after: Some("{\"a\":1}".to_owned()),
        detail: Some("{\"b\":2}".to_owned()),
        ..line(7)
    };
    let hex = |code: Digest| {
        let bytes = code.bytes().iter();
        bytes.map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let first = full.code(&pepper("p1", 1), &Link::First(6));
    assert_eq!(
        hex(first),
        "67f8aa0749e80d6fbd90c2191f15f67cb5fb3bce37ec143aa87c2227339a69bd"
    );
    let next = line(8).code(&pepper("p1", 1), &Link::After(first));
    assert_eq!(
        hex(next),
        "92fbc159f4da4ee446fb8d252874da66d9e67f698594c1215ac7743a6b082658"
    );
}

#[test]
fn an_empty_chain_and_one_of_old_lines_alone_are_good() {
    for count in [0, 3] {
        let (lines, head) = some(count, count);
        let report = verify(&lines, &head);
        assert_eq!(report.first_bad(), None);
        assert_eq!((report.unchained, report.verified), (count as u64, 0));
    }
}

#[test]
fn what_the_head_says_is_held_against_the_lines() {
    let (lines, head) = some(5, 2);
    let with = |change: fn(&mut Head)| {
        let mut head = head.clone();
        change(&mut head);
        head
    };
    is_bad(&lines, &with(|head| head.seq = 6), 6, Wrong::CutOff);
    is_bad(&lines, &with(|head| head.seq = 4), 5, Wrong::Beyond);
    is_bad(&lines, &with(|head| head.code = None), 5, Wrong::Head);
    let other = with(|head| head.code = Some(Digest::from_bytes([0; 32])));
    is_bad(&lines, &other, 5, Wrong::Head);
    let put_in = with(|head| head.unnumbered = 2);
    is_bad(&lines, &put_in, 0, Wrong::Unnumbered(2));
    // Where codes begin is part of the first code.
    is_bad(
        &lines,
        &with(|head| head.chained_after = 1),
        2,
        Wrong::Edited,
    );
    is_bad(
        &lines,
        &with(|head| head.chained_after = 3),
        3,
        Wrong::Edited,
    );
    let mut lines = lines;
    lines[2].seal = None;
    is_bad(
        &lines,
        &with(|head| head.chained_after = 3),
        4,
        Wrong::Edited,
    );

    // It changed while the lines were read.
    for count in [2, 4] {
        let (peppers, (lines, head)) = (peppers(), some(count, 2));
        let mut chain = Chain::new(&peppers, 2);
        for line in lines {
            assert!(chain.take(&Found::Line(Box::new(line))));
        }
        let moved = Head {
            chained_after: 1,
            ..head
        };
        let broken = chain.end(&moved).broken;
        assert_eq!(broken.map(|finding| finding.wrong), Some(Wrong::Head));
    }
}

/// Not even under a pepper of which nothing can be said.
#[test]
fn a_line_from_before_has_no_code() {
    for pepper in ["p2", "gone"] {
        let (mut lines, head) = some(3, 2);
        lines[1].seal = Some(Seal {
            pepper: pepper.to_owned(),
            code: Digest::from_bytes([7; 32]),
        });
        is_bad(&lines, &head, 2, Wrong::Edited);
    }
}

/// Whoever has the database and no pepper can make lines and head agree; the seal is what they cannot make.
#[test]
fn a_whole_that_agrees_is_bad_without_its_seal() {
    let (lines, head) = some(5, 2);
    assert_eq!(verify(&lines, &head).first_bad(), None);
    let cut = Head {
        seq: 4,
        code: lines[3].seal.as_ref().map(|seal| seal.code),
        ..head.clone()
    };
    is_bad(&lines[..4], &cut, 4, Wrong::Unsealed);
    let mut bare = lines.clone();
    for line in &mut bare {
        line.seal = None;
    }
    let all_old = Head {
        chained_after: 5,
        code: None,
        ..head.clone()
    };
    is_bad(&bare, &all_old, 5, Wrong::Unsealed);
    let unsealed = Head {
        seal: None,
        ..all_old
    };
    is_bad(&bare, &unsealed, 5, Wrong::Unsealed);
    let nothing = Head {
        seq: 0,
        chained_after: 0,
        ..unsealed
    };
    is_bad(&[], &nothing, 0, Wrong::Unsealed);
    // A pepper that is not here makes no seal good.
    let other = pepper("p3", 3);
    let elsewhere = Head {
        seal: Some(cut.seal_under(&other)),
        ..cut.clone()
    };
    let report = verify(&lines[..4], &elsewhere);
    let unknown = Finding {
        seq: 4,
        wrong: Wrong::UnknownPepper("p3".to_owned()),
    };
    assert_eq!((report.first_bad(), report.unknown), (Some(&unknown), 0));
    let retired = Head {
        seal: Some(head.seal_under(&pepper("p1", 1))),
        ..head
    };
    assert_eq!(verify(&lines, &retired).first_bad(), None);
}

#[test]
fn numbers_out_of_the_row_are_named() {
    let (lines, head) = some(5, 1);
    let order = |numbers: &[usize]| {
        let picked = numbers.iter().map(|number| lines[number - 1].clone());
        picked.collect::<Vec<_>>()
    };
    is_bad(&order(&[1, 2, 3, 3, 4, 5]), &head, 3, Wrong::Doubled);
    is_bad(&order(&[1, 2, 3, 2, 4, 5]), &head, 2, Wrong::OutOfOrder);
    is_bad(&order(&[1, 2, 4, 3, 5]), &head, 3, Wrong::Missing);
    is_bad(&order(&[2, 3, 4, 5]), &head, 1, Wrong::Missing);
    let mut zero = lines.clone();
    zero.insert(
        0,
        Sealed {
            line: line(0),
            seal: None,
        },
    );
    is_bad(&zero, &head, 0, Wrong::Unnumbered(1));
}

#[test]
fn a_line_that_cannot_be_read_is_bad_with_or_without_a_code() {
    let (peppers, (lines, head)) = (peppers(), some(4, 2));
    for bad in 1..=4 {
        let mut chain = Chain::new(&peppers, 2);
        for sealed in &lines {
            let seq = sealed.line.seq;
            let good = Found::Line(Box::new(sealed.clone()));
            let found = if seq == bad {
                Found::Unreadable(seq)
            } else {
                good
            };
            assert_eq!(chain.take(&found), seq < bad);
        }
        assert_eq!(chain.seq(), bad - 1);
        let broken = Finding {
            seq: bad,
            wrong: Wrong::Edited,
        };
        assert_eq!(chain.end(&head).broken, Some(broken));
    }
}

#[test]
fn a_pepper_that_is_gone_is_a_finding_of_its_own() {
    let retired = [false, true, true, false, false];
    let (mut lines, head) = written(retired.map(|retired| (line(0), retired)).to_vec(), 0);
    assert_eq!(verify(&lines, &head).verified, 5);
    let current = Peppers::new(pepper("p2", 2), Vec::new());
    let report = verify_under(&current, &lines, &head);
    let unknown = Finding {
        seq: 2,
        wrong: Wrong::UnknownPepper("p1".to_owned()),
    };
    assert_eq!((report.verified, report.unknown), (3, 2));
    assert_eq!(report.first_unknown.as_ref(), Some(&unknown));
    assert_eq!(
        (report.broken.as_ref(), report.first_bad()),
        (None, Some(&unknown))
    );
    // What comes after them still is held together, and what is bad there is found.
    lines[4].line.target = Some(String::new());
    let report = verify_under(&current, &lines, &head);
    assert_eq!(report.broken.as_ref().map(|finding| finding.seq), Some(5));
    assert_eq!(report.first_bad(), Some(&unknown));
    // A line cannot be passed off as one under another pepper.
    lines[0].seal.as_mut().unwrap().pepper = "p1".to_owned();
    is_bad(&lines, &head, 1, Wrong::Edited);
    // Another key under the same name is another pepper.
    let other = Peppers::new(pepper("p2", 3), Vec::new());
    let report = verify_under(&other, &some(1, 0).0, &head);
    assert_eq!(
        report.broken.map(|finding| finding.wrong),
        Some(Wrong::Edited)
    );
}

#[test]
fn findings_name_their_line() {
    for (wrong, text) in [
        (
            Wrong::Edited,
            "line 7 is not the one that was written: it was edited, put in or moved",
        ),
        (Wrong::Missing, "line 7 is missing"),
        (Wrong::Doubled, "line 7 is there twice"),
        (Wrong::OutOfOrder, "line 7 is out of order"),
        (Wrong::CutOff, "lines are missing from line 7 to the end"),
        (Wrong::Beyond, "line 7 was added past the end"),
        (
            Wrong::Head,
            "the end of the chain is not the one that was written with line 7",
        ),
        (
            Wrong::Unsealed,
            "line 7 is not sealed as the last one: lines after it were cut off, or the codes of lines were taken away",
        ),
        (Wrong::Unnumbered(1), "1 line was put in without a number"),
        (Wrong::Unnumbered(2), "2 lines were put in without a number"),
        (
            Wrong::UnknownPepper("p\n".to_owned()),
            "line 7 cannot be verified: its pepper \"p\\n\" is not here",
        ),
    ] {
        assert_eq!(Finding { seq: 7, wrong }.to_string(), text);
    }
}
