//! `hallpass init`.

use crate::{
    arguments::Init,
    commands::serve::{block_on, failed, load},
    exit::{Exit, Failure, clean},
    output, prompt,
};
use zeroize::Zeroizing;

/// Makes the organization and its first superuser.
pub(super) fn run(arguments: Init) -> Result<Exit, Failure> {
    let config = load(&arguments.settings)?;
    let password = password(arguments.password_stdin)?;
    let told = format!(
        "Set up “{}” with the superuser {}. Start it with `hallpass serve`, then sign in.",
        clean(&arguments.organization),
        clean(&arguments.email)
    );
    let request = hallpass_server::run::Init {
        organization: arguments.organization,
        name: arguments.name,
        email: arguments.email,
        password,
    };
    block_on(hallpass_server::run::init(&config, request))?.map_err(|error| failed(&error))?;
    output::tell(&told);
    Ok(Exit::Done)
}

fn password(from_standard_input: bool) -> Result<Zeroizing<String>, Failure> {
    if from_standard_input {
        return prompt::read_secret("a password");
    }
    if !prompt::somebody_is_there() {
        return Err(Failure::usage("nobody can be asked for the password here")
            .next("Give --password-stdin and write the password to standard input."));
    }
    let password = prompt::ask_secret("Password")?;
    if *prompt::ask_secret("Password again")? != *password {
        return Err(Failure::usage("the two passwords differ"));
    }
    Ok(password)
}
