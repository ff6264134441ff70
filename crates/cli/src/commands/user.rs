//! `hallpass user …`.

use super::{
    desk::{self, Desk},
    pages,
};
use crate::{
    arguments::users::{UserCommand, UserCreate, UserStopped},
    exit::{Exit, Failure, clean},
    output::rows,
    prompt,
};
use hallpass_wire::{ChangeUser, CreateUser, User};
use zeroize::Zeroize as _;

const PATH: &str = "/v1/users";

/// Does what was asked.
pub(super) fn run(command: UserCommand) -> Result<Exit, Failure> {
    match command {
        UserCommand::List(arguments) => {
            let desk = Desk::of_deployment(&arguments.deployment)?;
            let filters = [("search", arguments.search.as_deref())];
            let items: Vec<User> = pages::all(&desk.client, PATH, &filters)?;
            rows::list(&items, "No user is like that.", desk.report, desk.now)
        }
        UserCommand::Show(arguments) => {
            let desk = Desk::of_deployment(&arguments.deployment)?;
            let user = desk::user(&desk.client, &arguments.user)?;
            rows::one(&user, desk.report, desk.now)
        }
        UserCommand::Create(arguments) => create(arguments),
        UserCommand::Suspend(arguments) => suspend(&arguments),
        UserCommand::Resume(arguments) => {
            let desk = Desk::of_deployment(&arguments.deployment)?;
            let user = desk::user(&desk.client, &arguments.user)?;
            if user.standing == "active" {
                return unchanged(&desk, &user, "is active");
            }
            let user = set(&desk, &user, "active")?;
            let told = format!("{} is active again.", named(&user));
            rows::changed(&user, &told, desk.report)
        }
        UserCommand::Remove(arguments) => remove(&arguments),
    }
}

/// A user in a sentence.
fn named(user: &User) -> String {
    format!("{} ({})", clean(&user.name), clean(&user.email))
}

/// What was asked for is so already.
fn unchanged(desk: &Desk, user: &User, how: &str) -> Result<Exit, Failure> {
    let told = format!("Nothing changed: {} {how} already.", named(user));
    rows::changed(user, &told, desk.report)
}

fn path(user: &User) -> String {
    format!("{PATH}/{}", pages::segment(&user.id))
}

fn set(desk: &Desk, user: &User, standing: &str) -> Result<User, Failure> {
    let change = ChangeUser {
        standing: standing.to_owned(),
    };
    desk.client.patch(&path(user), &change)
}

fn create(arguments: UserCreate) -> Result<Exit, Failure> {
    let desk = Desk::of_deployment(&arguments.deployment)?;
    let password = if arguments.password_stdin {
        Some(prompt::read_secret("a password")?.to_string())
    } else {
        None
    };
    let mut wish = CreateUser {
        name: arguments.name,
        email: arguments.email,
        password,
    };
    let made = desk.client.post(PATH, &wish);
    wish.password.zeroize();
    let made: User = made?;
    let told = format!(
        "Made {}, who is a member of nothing yet: hallpass member add {} --role ROLE",
        named(&made),
        clean(&made.email)
    );
    rows::made(&made, &told, desk.report)
}

fn suspend(arguments: &UserStopped) -> Result<Exit, Failure> {
    let desk = Desk::of_deployment(&arguments.deployment)?;
    let user = desk::user(&desk.client, &arguments.user)?;
    if user.standing == "suspended" {
        return unchanged(&desk, &user, "is suspended everywhere");
    }
    let who = named(&user);
    prompt::consent(
        arguments.consent.yes,
        &format!(
            "{who} cannot sign in anywhere, and none of their tokens works, until they are resumed."
        ),
        &format!("Suspend {who} everywhere?"),
    )?;
    let user = set(&desk, &user, "suspended")?;
    rows::changed(&user, &format!("Suspended {who} everywhere."), desk.report)
}

fn remove(arguments: &UserStopped) -> Result<Exit, Failure> {
    let desk = Desk::of_deployment(&arguments.deployment)?;
    let user = desk::user(&desk.client, &arguments.user)?;
    let who = named(&user);
    prompt::consent(
        arguments.consent.yes,
        &format!(
            "{who} leaves every organization, and their tokens are revoked everywhere. This cannot be undone."
        ),
        &format!("Remove {who}?"),
    )?;
    desk.client.delete(&path(&user))?;
    rows::say(
        &format!("Removed {who}; their tokens are revoked."),
        desk.report,
    );
    Ok(Exit::Done)
}
