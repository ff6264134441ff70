//! A member, their token, and whoever may ask about it.

use super::{Actor, Server, Token, wish};
use hallpass_domain::member::Membership;

pub(crate) struct Case {
    pub(crate) server: Server,
    pub(crate) verifier: Actor,
    pub(crate) bob: Membership,
    pub(crate) token: Token,
}

impl Case {
    /// Bob, a member, has a token for all that his role allows.
    pub(crate) async fn new() -> Self {
        let server = Server::sqlite().await;
        let (actor, bob) = server.member("Bob").await;
        let token = actor.token(wish("ci")).await;
        let (verifier, bob) = (server.verifier().await, server.membership(bob));
        let case = Self {
            server,
            verifier,
            bob,
            token,
        };
        case.says("allow").await;
        case
    }

    /// What is said at every door, now.
    #[track_caller]
    pub(crate) fn says<'a>(&'a self, verdict: &'a str) -> impl Future<Output = ()> + 'a {
        let at = std::panic::Location::caller();
        async move {
            assert_eq!(
                self.server
                    .verdict(&self.verifier, &self.token.secret, Some("repo:read"))
                    .await,
                verdict,
                "{at}"
            );
            let door = self
                .server
                .gateway()
                .bearing(&self.token.secret)
                .with("x-hallpass-permission", "repo:read")
                .get("/auth")
                .await;
            let own = self
                .server
                .bearer(&self.token.secret)
                .get("/v1/caller")
                .await;
            let is_good = matches!(verdict, "allow" | "permission_missing");
            assert_eq!(own.status, if is_good { 200 } else { 401 }, "{at}");
            let (status, error) = match verdict {
                "allow" => (204, ""),
                "permission_missing" => (403, verdict),
                _ => (401, verdict),
            };
            assert_eq!(
                (door.status, door.header("x-hallpass-error")),
                (status, error),
                "{at}"
            );
        }
    }
}
