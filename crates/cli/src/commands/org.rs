//! `hallpass org …`.

use super::{
    desk::{Desk, Office},
    login, pages, server, stored_credentials,
};
use crate::{
    arguments::{
        Login,
        organizations::{Org, OrgList, OrgSuspend, OrgSwitch},
        within::Within,
    },
    client::{Client, Proof},
    credentials::Place,
    exit::{Exit, Failure, clean},
    output::{
        self,
        rows::{self, count},
    },
    prompt,
};
use hallpass_wire::{
    Caller, ChangeOrganization, CreateOrganization, Organization, OwnOrganization,
};

const PATH: &str = "/v1/organizations";

/// Does what was asked.
pub(super) fn run(command: Org) -> Result<Exit, Failure> {
    match command {
        Org::List(arguments) => list(&arguments),
        Org::Show(within) => {
            let office = Office::enter(&within)?;
            rows::one(&show(&office)?, within.report, office.desk.now)
        }
        Org::Create(arguments) => {
            let desk = Desk::of_deployment(&arguments.deployment)?;
            let wish = CreateOrganization {
                name: arguments.name,
            };
            let made: Organization = desk.client.post(PATH, &wish)?;
            let told = format!(
                "Made the organization “{}”. Nobody is in it yet: hallpass member invite ADDRESS --role Superuser --organization {}",
                clean(&made.name),
                clean(&made.id)
            );
            rows::made(&made, &told, desk.report)
        }
        Org::Rename(arguments) => {
            let change = ChangeOrganization {
                name: Some(arguments.name),
                standing: None,
            };
            let changed = change_it(&Office::enter(&arguments.within)?, &change)?;
            let told = format!("It is now called “{}”.", clean(&changed.name));
            rows::changed(&changed, &told, arguments.within.report)
        }
        Org::Suspend(arguments) => suspend(&arguments),
        Org::Resume(within) => resume(&within),
        Org::Switch(arguments) => switch(arguments),
    }
}

fn show(office: &Office) -> Result<Organization, Failure> {
    office.desk.client.get(&office.path(""))
}

fn change_it(office: &Office, change: &ChangeOrganization) -> Result<Organization, Failure> {
    office.desk.client.patch(&office.path(""), change)
}

fn standing(word: &str) -> ChangeOrganization {
    ChangeOrganization {
        name: None,
        standing: Some(word.to_owned()),
    }
}

fn list(arguments: &OrgList) -> Result<Exit, Failure> {
    let desk = Desk::of_deployment(&arguments.deployment)?;
    if arguments.all {
        let filters = [("search", arguments.search.as_deref())];
        let items: Vec<Organization> = pages::all(&desk.client, PATH, &filters)?;
        return rows::list(
            &items,
            "No organization is like that.",
            desk.report,
            desk.now,
        );
    }
    let items = match pages::whole::<OwnOrganization>(&desk.client, "/v1/caller/organizations") {
        Err(failure) if failure.has_code("sign_in_required") => {
            rows::say(
                "note: a token is told of its own organization alone; `hallpass org switch NAME` goes to another of yours",
                desk.report,
            );
            vec![own(desk.client.get("/v1/caller")?)]
        }
        answer => answer?,
    };
    rows::list(&items, "You are in no organization.", desk.report, desk.now)
}

/// The organization in force.
fn own(caller: Caller) -> OwnOrganization {
    OwnOrganization {
        id: caller.organization.id,
        name: caller.organization.name,
        role: caller.role,
        current: true,
    }
}

fn suspend(arguments: &OrgSuspend) -> Result<Exit, Failure> {
    let office = Office::enter(&arguments.within)?;
    let before = show(&office)?;
    if before.standing == "suspended" {
        return unchanged(&before, &office);
    }
    let name = clean(&before.name);
    prompt::consent(
        arguments.consent.yes,
        &format!(
            "“{name}” has {}: they cannot sign in to it, and no token or key of it works, until it is resumed.",
            count(before.members, "member")
        ),
        &format!("Suspend “{name}”?"),
    )?;
    let changed = change_it(&office, &standing("suspended"))?;
    let told = format!(
        "Suspended “{name}”. Somebody who manages the deployment resumes it: hallpass org resume --organization {}",
        clean(&changed.id)
    );
    rows::changed(&changed, &told, arguments.within.report)
}

/// What was asked for is so already.
fn unchanged(before: &Organization, office: &Office) -> Result<Exit, Failure> {
    let told = format!(
        "Nothing changed: “{}” is {} already.",
        clean(&before.name),
        clean(&before.standing)
    );
    rows::changed(before, &told, office.desk.report)
}

fn resume(within: &Within) -> Result<Exit, Failure> {
    let office = Office::enter(within)?;
    let before = show(&office)?;
    if before.standing == "active" {
        return unchanged(&before, &office);
    }
    let changed = change_it(&office, &standing("active"))?;
    let told = format!("“{}” works again.", clean(&changed.name));
    rows::changed(&changed, &told, within.report)
}

/// A token stays where it was made, so this signs in again.
fn switch(arguments: OrgSwitch) -> Result<Exit, Failure> {
    let credentials = stored_credentials()?;
    let host = server(&arguments.server, &credentials)?;
    let stored = credentials.find(&host).ok().flatten();
    let insecure_storage = stored
        .as_ref()
        .is_some_and(|stored| matches!(stored.place, Place::File(_)));
    let email = match (arguments.email, stored) {
        (Some(email), _) => Some(email),
        (None, Some(stored)) => Client::new(host.clone(), Proof::Token(stored.token))
            .get::<Caller>("/v1/caller")
            .ok()
            .and_then(|caller| caller.email),
        (None, None) => None,
    };
    if let Some(email) = &email {
        output::tell(&format!("Signing in to {host} as {}.", clean(email)));
    }
    login::run(&Login {
        server: crate::arguments::Server {
            host: Some(host.to_string()),
        },
        email,
        password_stdin: arguments.password_stdin,
        with_token: false,
        organization: Some(arguments.organization),
        insecure_storage,
    })
}
