//! `hallpass logout`.

use crate::{
    arguments::Logout,
    client::{Client, Proof},
    commands::{server, stored_credentials, variable},
    credentials::TOKEN_VARIABLE,
    exit::{Exit, Failure},
    output,
};

/// Revokes the stored token, unless it is to be kept, and forgets it.
pub(super) fn run(arguments: &Logout) -> Result<Exit, Failure> {
    let mut credentials = stored_credentials()?;
    let host = server(&arguments.server, &credentials)?;
    let stored = match credentials.find(&host) {
        Ok(stored) => stored,
        // What cannot be read cannot be revoked, but it can be forgotten when that is all that is wanted.
        Err(_) if arguments.keep => None,
        Err(failure) => {
            return Err(failure.next("`hallpass logout --keep` forgets it without revoking it."));
        }
    };
    let mut told = format!("Nobody was signed in to {host}.");
    if let Some(stored) = stored {
        let prefix = stored.token.prefix();
        told = format!("Forgot the token {prefix}…; it still works for whoever has it.");
        if !arguments.keep {
            told = format!("Revoked and forgot the token {prefix}….");
            let client = Client::new(host.clone(), Proof::Token(stored.token));
            match client.delete("/v1/personal-access-tokens/self") {
                Err(failure) if failure.exit == Exit::NotSignedIn => told = format!("Forgot the token {prefix}…, which no longer worked."),
                Err(failure) => return Err(failure.next("Nothing was forgotten. `hallpass logout --keep` forgets the token without revoking it.")),
                Ok(()) => {}
            }
        }
    }
    credentials.forget(&host)?;
    output::tell(&told);
    if variable(TOKEN_VARIABLE).is_some() {
        output::tell(&format!(
            "{TOKEN_VARIABLE} is still set, and the commands go on using it."
        ));
    }
    Ok(Exit::Done)
}
