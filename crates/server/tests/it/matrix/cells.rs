//! Each cell with its status: valid ids, those of another organization, sessions, keys and narrowed tokens.

use super::{HELD, Needs, ask_about, body, described, needs, policy};
use crate::{
    both_engines,
    kit::{Actor, NEXT_MONTH, Server, under},
};
use hallpass_domain::{
    id::{OrganizationId, UserId},
    member::{Membership, User},
    name::{DisplayName, Email},
    organization::Standing,
    role::BuiltInRole,
};
use hallpass_store::NewAccount;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};

both_engines!(each_cell_has_its_status);

/// A number that is not used twice: names are taken once.
fn fresh() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Somebody new, who is a member of nothing.
async fn somebody(server: &Server) -> UserId {
    let (entropy, now) = (&server.services.entropy, server.services.clock.now());
    let (id, n) = (UserId::generate(entropy, now), fresh());
    let account = NewAccount {
        user: User {
            id,
            email: Email::parse(&format!("somebody{n}@acme.example")).unwrap(),
            name: DisplayName::parse(&format!("Somebody {n}")).unwrap(),
            standing: Standing::Active,
        },
        password_hash: None,
    };
    server
        .change(async |tx| vec![tx.insert_user(&account, now).await.unwrap().unwrap()])
        .await;
    id
}

/// A new member of an organization, who holds next to nothing.
async fn member_of(server: &Server, organization: OrganizationId) -> UserId {
    let user = somebody(server).await;
    let membership = Membership {
        organization,
        user,
        role: BuiltInRole::Viewer.id(),
        standing: Standing::Active,
        may_have_tokens: true,
    };
    server.put(membership).await;
    user
}

/// Something new that the route can be about, made by whoever manages the organization.
async fn target(
    server: &Server,
    manager: &Actor,
    organization: OrganizationId,
    (method, path): (&str, &str),
) -> String {
    let make = async |rest: &str, body: Value| {
        let made = manager
            .post(&under(organization, rest), &body)
            .await
            .is(201);
        made["id"].as_str().unwrap().to_owned()
    };
    let rest = path.rsplit("{organization}/").next().unwrap_or(path);
    let n = fresh();
    match rest.split('/').next().unwrap_or_default() {
        "members" if rest.contains('{') => member_of(server, organization).await.to_string(),
        "roles" if rest.contains('{') => {
            make(
                "roles",
                json!({"name": format!("Role {n}"), "permissions": []}),
            )
            .await
        }
        "invitations" if rest.contains('{') => {
            let wish = json!({"email": format!("guest{n}@acme.example"), "role": "viewer"});
            let made = manager
                .post(&under(organization, "invitations"), &wish)
                .await
                .is(201);
            let id = made["id"].as_str().or(made["invitation"]["id"].as_str());
            id.unwrap().to_owned()
        }
        "api-keys" if rest.contains('{') => {
            let key = json!({"name": format!("key {n}"), "role": "viewer", "scope": ["repo:read"], "expirationDate": NEXT_MONTH});
            make("api-keys", key).await
        }
        "tokens" if rest.contains('{') => {
            let owner = member_of(server, organization).await;
            let session = server.begin_in(owner, organization).await;
            let owner = server.anon().signed_in(&server.app, &session);
            owner.token(crate::kit::wish("tool")).await.id
        }
        "policy" if method == "DELETE" => {
            let none = json!({"shortened": 0, "revoked": 0, "unused": 0});
            let change = json!({"policy": policy(), "expected": none, "enforceAt": NEXT_MONTH, "replacesPlanned": true});
            manager
                .put(&under(organization, "policy"), &change)
                .await
                .is(200);
            String::new()
        }
        _ if path.contains("permissions/") => {
            let name = format!("extra:n{n}");
            if method == "DELETE" {
                let path = format!("/v1/permissions/{name}");
                server
                    .ada
                    .put(&path, &json!({"description": "Extra"}))
                    .await
                    .is(201);
            }
            name
        }
        _ if path.contains("users/") => somebody(server).await.to_string(),
        _ => String::new(),
    }
}

/// A body that does what the route is for, once more.
async fn good_body(server: &Server, (method, path): (&str, &str)) -> Value {
    let (mut body, n) = (body(method, path), fresh());
    if path.ends_with("/members") && method == "POST" {
        body["user"] = json!(somebody(server).await.to_string());
    }
    if path.ends_with("/api-keys") && method == "POST" {
        // A token makes none wider or longer-lived than itself.
        body = json!({"role": "viewer", "name": "", "scope": ["repo:read"], "expirationDate": NEXT_MONTH});
    }
    if body.get("email").is_some() {
        body["email"] = json!(format!("new{n}@acme.example"));
    }
    if body.get("name").is_some() {
        body["name"] = json!(format!("New {n}"));
    }
    body
}

/// The statuses of success that the description knows of a route.
fn successes(method: &str, path: &str) -> Vec<u16> {
    let api = serde_json::to_value(hallpass_server::rest::openapi()).unwrap();
    let responses = &api["paths"][path][method.to_lowercase()]["responses"];
    let all = responses.as_object().unwrap().keys();
    let all = all.map(|status| status.parse::<u16>().unwrap());
    all.filter(|status| (200..300).contains(status)).collect()
}

/// Somebody who asks, and what they hold in the organization.
struct Caller {
    name: String,
    actor: Actor,
    holds: Vec<&'static str>,
}

const DEPLOYMENT: &str = "hallpass:deployment";

/// Of each role a session and a key; of the superuser a token for each thing alone, with what it takes to give the role
/// of a viewer.
async fn callers(server: &Server) -> Vec<Caller> {
    let mut callers = Vec::new();
    for (role, held) in HELD {
        let (session, _) = server.person(&format!("A {role}"), role).await;
        let wish =
            json!({"name": format!("a {role}"), "role": role, "userAwareTokenNeverExpires": true});
        let key = server
            .ada
            .post(&server.path("api-keys"), &wish)
            .await
            .is(201);
        let key = server.bearer(key["secret"].as_str().unwrap());
        let mut holds = held.to_vec();
        if role == "superuser" {
            holds.push(DEPLOYMENT);
        }
        for (kind, actor) in [("session", session), ("key", key)] {
            callers.push(Caller {
                name: format!("{kind} of a {role}"),
                actor,
                holds: holds.clone(),
            });
        }
    }
    let (_, all) = HELD[0];
    for alone in all.iter().copied().chain([DEPLOYMENT]) {
        let mut wish = crate::kit::wish(&format!("only {alone}"));
        wish["scope"] = json!([alone, "repo:read"]);
        let token = server.ada.token(wish).await;
        callers.push(Caller {
            name: format!("token for {alone}"),
            actor: server.bearer(&token.secret),
            holds: vec![alone],
        });
    }
    callers
}

impl Caller {
    fn may(&self, needs: Needs, path: &str) -> bool {
        match needs {
            Needs::Anyone => true,
            // Roles are seen by whoever gives them and by whoever makes them.
            Needs::Here("hallpass:members") if path.contains("/roles") => {
                ["hallpass:members", "hallpass:roles", "hallpass:keys"]
                    .iter()
                    .any(|permission| self.holds.contains(permission))
            }
            Needs::Here(permission) => self.holds.contains(&permission),
            Needs::Deployment => {
                // To make somebody a member takes both.
                let members =
                    !path.ends_with("/members") || self.holds.contains(&"hallpass:members");
                members && self.holds.contains(&DEPLOYMENT)
            }
            Needs::Own | Needs::Apart => panic!("{path} is not asked here"),
        }
    }

    async fn check(
        &self,
        server: &Server,
        manager: &Actor,
        organization: OrganizationId,
        (method, path, needs): (&str, &str, Needs),
    ) {
        let route = (method, path);
        let target = target(server, manager, organization, route).await;
        let body = good_body(server, route).await;
        let (status, code) = ask_about(&self.actor, route, organization, &target, &body).await;
        let what = format!("{method} {path} as {}: {status} {code}", self.name);
        let keys_alone = needs == Needs::Here("hallpass:tokens")
            && (path.ends_with("/suspension") || path.ends_with("/tokens/{id}"))
            && self.holds.contains(&"hallpass:keys");
        if keys_alone && !self.may(needs, path) {
            // Among tokens they see the keys.
            assert_eq!((status, code.as_str()), (404, "not_found"), "{what}");
        } else if self.may(needs, path) {
            assert!(successes(method, path).contains(&status), "{what}");
        } else {
            assert_eq!(
                (status, code.as_str()),
                (403, "permission_missing"),
                "{what}"
            );
        }
    }
}

/// Routes that are about what is in an organization or the deployment, not about who asks.
fn about_others() -> impl Iterator<Item = (String, String, Needs)> {
    described().into_iter().filter_map(|(method, path)| {
        let needs = needs(&method, &path).unwrap();
        (!matches!(needs, Needs::Own | Needs::Apart)).then_some((method, path, needs))
    })
}

async fn each_cell_has_its_status(server: Server) {
    let (zenith, zoe, _) = server.other_organization().await;
    let callers = callers(&server).await;
    for (method, path, needs) in about_others() {
        let route = (method.as_str(), path.as_str());
        for caller in &callers {
            let cell = (route.0, route.1, needs);
            caller
                .check(&server, &server.ada, server.organization, cell)
                .await;
        }
        // What another organization has is not there under one's own address, whatever one may.
        if path.contains("{organization}") && (path.contains("{id}") || path.contains("{user}")) {
            let theirs = target(&server, &zoe, zenith, route).await;
            for caller in callers.iter().filter(|caller| caller.may(needs, &path)) {
                let body = good_body(&server, route).await;
                let asked =
                    ask_about(&caller.actor, route, server.organization, &theirs, &body).await;
                let what = format!("{method} {path} of another as {}", caller.name);
                assert_eq!(asked, (404, "not_found".to_owned()), "{what}");
            }
        }
    }
}

/// Who manages the deployment is a superuser in every organization; a token of theirs is there what it is at home, but
/// manages the organization as a whole.
#[tokio::test]
async fn a_visitor_may_abroad_what_their_credential_may() {
    let server = Server::sqlite().await;
    let (zenith, zoe, _) = server.other_organization().await;
    let mut visitors = vec![Caller {
        name: "a session of the host".to_owned(),
        actor: server.ada.clone(),
        holds: [HELD[0].1, &[DEPLOYMENT]].concat(),
    }];
    for more in ["", "hallpass:members", "hallpass:audit"] {
        let mut wish = crate::kit::wish(&format!("deployment {more}"));
        let named = [DEPLOYMENT, "repo:read", more];
        let named = named.into_iter().filter(|name| !name.is_empty());
        wish["scope"] = json!(named.collect::<Vec<_>>());
        let token = server.ada.token(wish).await;
        visitors.push(Caller {
            name: format!("a token for the deployment and {more}"),
            actor: server.bearer(&token.secret),
            holds: vec![DEPLOYMENT, "hallpass:organization", more],
        });
    }
    for (method, path, needs) in about_others() {
        if !path.contains("{organization}") {
            continue;
        }
        for visitor in &visitors {
            visitor
                .check(&server, &zoe, zenith, (&method, &path, needs))
                .await;
        }
    }
    // One that does not name the deployment finds nothing there.
    let mut wish = crate::kit::wish("members");
    wish["scope"] = json!(["hallpass:members"]);
    let token = server.ada.token(wish).await;
    let asker = server.bearer(&token.secret);
    asker
        .get(&under(zenith, "members"))
        .await
        .refused(404, "not_found");
}
