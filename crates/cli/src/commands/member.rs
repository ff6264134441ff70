//! `hallpass member …`.

use super::{
    desk::{self, Office, is_address},
    pages,
};
use crate::{
    arguments::members::{
        MemberAdd, MemberCommand, MemberInvite, MemberList, MemberNamed, MemberRole, MemberStopped,
        MemberWithdraw,
    },
    exit::{Exit, Failure, clean},
    output::{
        self,
        rows::{self, count},
        tokens::told,
    },
    prompt,
};
use hallpass_wire::{AddMember, ChangeMember, Invitation, Invite, Member};
use zeroize::{Zeroize as _, Zeroizing};

/// Does what was asked.
pub(super) fn run(command: MemberCommand) -> Result<Exit, Failure> {
    match command {
        MemberCommand::List(arguments) => list(&arguments),
        MemberCommand::Show(arguments) => {
            let office = Office::enter(&arguments.within)?;
            let member = office.member(&arguments.user)?;
            rows::one(&member, arguments.within.report, office.desk.now)
        }
        MemberCommand::Invite(arguments) => invite(arguments),
        MemberCommand::Invitations(within) => {
            let office = Office::enter(&within)?;
            let items = invitations(&office)?;
            rows::list(
                &items,
                "No invitation is open.",
                within.report,
                office.desk.now,
            )
        }
        MemberCommand::Withdraw(arguments) => withdraw(&arguments),
        MemberCommand::Add(arguments) => add(arguments),
        MemberCommand::Role(arguments) => role(arguments),
        MemberCommand::AllowTokens(arguments) => {
            let change = ChangeMember {
                may_have_tokens: Some(true),
                ..ChangeMember::default()
            };
            change_it(
                &arguments,
                &change,
                |member| member.may_have_tokens,
                ("may have tokens", "; those they had work again"),
            )
        }
        MemberCommand::ForbidTokens(arguments) => forbid_tokens(&arguments),
        MemberCommand::Suspend(arguments) => suspend(&arguments),
        MemberCommand::Resume(arguments) => {
            let change = ChangeMember {
                standing: Some("active".into()),
                ..ChangeMember::default()
            };
            change_it(
                &arguments,
                &change,
                |member| member.standing == "active",
                ("is an active member", " again"),
            )
        }
        MemberCommand::Remove(arguments) => remove(&arguments),
    }
}

fn list(arguments: &MemberList) -> Result<Exit, Failure> {
    let office = Office::enter(&arguments.within)?;
    let role = arguments.role.as_deref();
    let role = role.map(|role| office.role_id(role)).transpose()?;
    let filters = [
        ("search", arguments.search.as_deref()),
        ("role", role.as_deref()),
        ("standing", arguments.suspended.then_some("suspended")),
    ];
    let items: Vec<Member> = pages::all(&office.desk.client, &office.path("/members"), &filters)?;
    let none = if filters.iter().all(|(_, value)| value.is_none()) {
        "Nobody is in it. `hallpass member invite ADDRESS --role ROLE` invites somebody."
    } else {
        "No member is like that. `hallpass member list` shows all."
    };
    rows::list(&items, none, arguments.within.report, office.desk.now)
}

fn invitations(office: &Office) -> Result<Vec<Invitation>, Failure> {
    pages::whole(&office.desk.client, &office.path("/invitations"))
}

/// The link alone goes to standard output: whoever has it gets in.
fn invite(arguments: MemberInvite) -> Result<Exit, Failure> {
    let report = arguments.within.report;
    let office = Office::enter(&arguments.within)?;
    let open = invitations(&office)?;
    let before = open
        .iter()
        .any(|one| is_address(&one.email, &arguments.email));
    let wish = Invite {
        email: arguments.email,
        role: office.role_id(&arguments.role)?,
        may_have_tokens: arguments.tokens.said(),
    };
    let mut made: Invitation = office
        .desk
        .client
        .post(&office.path("/invitations"), &wish)?;
    let lost = |failure: Failure| {
        failure.next(format!(
            "The invitation was made, and its link is lost. Invite {} again.",
            clean(&wish.email)
        ))
    };
    if report.json {
        let printed = output::print_json(&made);
        made.link.zeroize();
        made.code.zeroize();
        printed.map_err(lost)?;
        return Ok(Exit::Done);
    }
    made.code.zeroize();
    let link = Zeroizing::new(made.link.take().unwrap_or_default());
    rows::say(
        &format!(
            "Invited {} as {}. The link works once, and ends {}. It is shown this once:",
            clean(&made.email),
            clean(&made.role.name),
            told(&made.expires, office.desk.now)
        ),
        report,
    );
    if before {
        rows::say(
            "The invitation that was open for this address is withdrawn: its link works no more.",
            report,
        );
    }
    output::print(&Zeroizing::new(format!("{}\n", *link))).map_err(lost)?;
    Ok(Exit::Done)
}

fn withdraw(arguments: &MemberWithdraw) -> Result<Exit, Failure> {
    let office = Office::enter(&arguments.within)?;
    let text = &arguments.invitation;
    let found = pages::meant(
        invitations(&office)?,
        text,
        "open invitation",
        "`hallpass member invitations` shows those there are.",
        |invitation: &Invitation| invitation.id == *text || is_address(&invitation.email, text),
    )?;
    let path = office.path(&format!("/invitations/{}", pages::segment(&found.id)));
    office.desk.client.delete(&path)?;
    let told = format!("Withdrew the invitation of {}.", clean(&found.email));
    rows::say(&told, arguments.within.report);
    Ok(Exit::Done)
}

fn add(arguments: MemberAdd) -> Result<Exit, Failure> {
    let office = Office::enter(&arguments.within)?;
    let user = desk::user(&office.desk.client, &arguments.user)?;
    let wish = AddMember {
        user: user.id,
        role: office.role_id(&arguments.role)?,
        may_have_tokens: arguments.tokens.said(),
    };
    let member: Member = office.desk.client.post(&office.path("/members"), &wish)?;
    let told = format!(
        "{} is a member now, as {}.",
        named(&member),
        clean(&member.role.name)
    );
    rows::changed(&member, &told, arguments.within.report)
}

/// What was asked for is so already.
fn unchanged(member: &Member, how: &str, office: &Office) -> Result<Exit, Failure> {
    let told = format!("Nothing changed: {} {how} already.", named(member));
    rows::changed(member, &told, office.desk.report)
}

/// A member in a sentence.
fn named(member: &Member) -> String {
    format!("{} ({})", clean(&member.name), clean(&member.email))
}

fn put(office: &Office, member: &Member, change: &ChangeMember) -> Result<Member, Failure> {
    let path = office.path(&format!("/members/{}", pages::segment(&member.user)));
    office.desk.client.patch(&path, change)
}

fn role(arguments: MemberRole) -> Result<Exit, Failure> {
    let office = Office::enter(&arguments.within)?;
    let before = office.member(&arguments.user)?;
    let change = ChangeMember {
        role: Some(office.role_id(&arguments.role)?),
        ..ChangeMember::default()
    };
    let member = put(&office, &before, &change)?;
    let told = format!(
        "{} is {} now, and was {}. Their tokens may do what that leaves them.",
        named(&member),
        clean(&member.role.name),
        clean(&before.role.name)
    );
    rows::changed(&member, &told, arguments.within.report)
}

fn change_it(
    arguments: &MemberNamed,
    change: &ChangeMember,
    is_so: impl Fn(&Member) -> bool,
    (now, besides): (&str, &str),
) -> Result<Exit, Failure> {
    let office = Office::enter(&arguments.within)?;
    let before = office.member(&arguments.user)?;
    if is_so(&before) {
        return unchanged(&before, now, &office);
    }
    let member = put(&office, &before, change)?;
    let told = format!("{} {now}{besides}.", named(&member));
    rows::changed(&member, &told, arguments.within.report)
}

fn forbid_tokens(arguments: &MemberStopped) -> Result<Exit, Failure> {
    let office = Office::enter(&arguments.within)?;
    let before = office.member(&arguments.user)?;
    if !before.may_have_tokens {
        return unchanged(&before, "may not have tokens", &office);
    }
    let who = named(&before);
    let tokens = count(before.tokens, "live token");
    prompt::consent(
        arguments.consent.yes,
        &format!(
            "{who} has {tokens} here. They stop working at once; they stay, and work again after `hallpass member allow-tokens`."
        ),
        "Take away that they may have tokens?",
    )?;
    let change = ChangeMember {
        may_have_tokens: Some(false),
        ..ChangeMember::default()
    };
    let member = put(&office, &before, &change)?;
    let told = format!("{who} may not have tokens any more; {tokens} stopped working.");
    rows::changed(&member, &told, arguments.within.report)
}

fn suspend(arguments: &MemberStopped) -> Result<Exit, Failure> {
    let office = Office::enter(&arguments.within)?;
    let before = office.member(&arguments.user)?;
    if before.standing == "suspended" {
        return unchanged(&before, "is suspended here", &office);
    }
    let who = named(&before);
    let tokens = count(before.tokens, "live token");
    prompt::consent(
        arguments.consent.yes,
        &format!(
            "{who} cannot be in this organization until they are resumed, and their {tokens} rest until then."
        ),
        &format!("Suspend {who} here?"),
    )?;
    let change = ChangeMember {
        standing: Some("suspended".into()),
        ..ChangeMember::default()
    };
    let member = put(&office, &before, &change)?;
    let told = format!("Suspended {who} here; {tokens} rest.");
    rows::changed(&member, &told, arguments.within.report)
}

fn remove(arguments: &MemberStopped) -> Result<Exit, Failure> {
    let office = Office::enter(&arguments.within)?;
    let member = office.member(&arguments.user)?;
    let who = named(&member);
    let tokens = count(member.tokens, "live token");
    prompt::consent(
        arguments.consent.yes,
        &format!(
            "{who} has {tokens} here. They are revoked, which cannot be undone, even if the person comes back."
        ),
        &format!("Remove {who} from the organization?"),
    )?;
    let path = office.path(&format!("/members/{}", pages::segment(&member.user)));
    office.desk.client.delete(&path)?;
    let told = format!("Removed {who}; {tokens} revoked.");
    rows::say(&told, arguments.within.report);
    Ok(Exit::Done)
}
