//! Every route of the description, for every role, in one's own organization and in a foreign one: who may, and who may
//! not. The table says what each route needs; a route that it does not know fails the test.

mod cells;

use crate::{
    headers::{NOBODYS_ID, operations},
    kit::{Actor, Server},
};
use hallpass_domain::id::OrganizationId;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What a route needs of whoever asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needs {
    /// Nothing but a session, or a token.
    Anyone,
    /// A permission in the organization that the address names.
    Here(&'static str),
    /// The same, but one's own standing may be enough: the table cannot tell.
    Own,
    /// `hallpass:deployment`, which is held in the host alone.
    Deployment,
    /// It is asked without a session, or with a token alone.
    Apart,
}

/// The table.
fn needs(method: &str, path: &str) -> Option<Needs> {
    use Needs::{Anyone, Apart, Deployment, Here, Own};
    let rest = path.strip_prefix("/v1/").unwrap_or(path);
    let under = rest
        .strip_prefix("organizations/{organization}")
        .map(|rest| rest.trim_start_matches('/'));
    Some(match (method, under, rest) {
        ("GET", Some(""), _) => Anyone,
        ("PATCH", Some(""), _) => Here("hallpass:organization"),
        ("POST", Some("members"), _) => Deployment,
        ("DELETE", Some("members/{user}"), _) => Here("hallpass:members"),
        (_, Some(rest), _) => match rest.split('/').next().unwrap_or_default() {
            "members" | "invitations" => Here("hallpass:members"),
            "roles" if method == "GET" => Here("hallpass:members"),
            "roles" => Here("hallpass:roles"),
            "api-keys" => Here("hallpass:keys"),
            "tokens" => Here("hallpass:tokens"),
            "revocations" => Here("hallpass:tokens"),
            "policy" => Here("hallpass:policy"),
            "audit" => Here("hallpass:audit"),
            _ => return None,
        },
        (_, None, rest) if rest.starts_with("organizations") || rest.starts_with("users") => {
            Deployment
        }
        ("GET", None, "permissions") => Anyone,
        (_, None, rest) if rest.starts_with("permissions/") => Deployment,
        (_, None, "personal-access-tokens/self" | "verify") => Apart,
        (_, None, "invitations/accept") => Apart,
        ("POST", None, "sessions") => Apart,
        (_, None, "explain") => Own,
        (_, None, rest)
            if ["personal-access-tokens", "sessions", "caller"]
                .iter()
                .any(|own| rest.starts_with(own)) =>
        {
            Own
        }
        _ => return None,
    })
}

/// A body that is well-formed for the route, so that what is answered is about who asks.
fn body(method: &str, path: &str) -> Value {
    let rest = path.rsplit("{organization}/").next().unwrap_or(path);
    match (method, rest) {
        ("POST", "/v1/organizations") => json!({"name": "Other"}),
        ("POST", "members") => json!({"user": NOBODYS_ID, "role": "viewer"}),
        ("POST", "invitations") => json!({"email": "new@acme.example", "role": "viewer"}),
        ("POST", "roles") | ("PUT", "roles/{id}") => json!({"name": "New", "permissions": []}),
        ("POST", "/v1/users") => json!({"name": "New", "email": "new@acme.example"}),
        ("PATCH", "/v1/users/{id}") => json!({"standing": "active"}),
        ("POST", "api-keys") => {
            json!({"name": "new", "role": "viewer", "userAwareTokenNeverExpires": true})
        }
        ("POST", "api-keys/{id}/rotate") => json!({"overlap": "none"}),
        ("POST", "tokens/{id}/suspension") => json!({"reason": "test"}),
        ("PUT", "policy") => {
            json!({"policy": policy(), "expected": {"shortened": 0, "revoked": 0, "unused": 0}})
        }
        ("POST", "policy/preview") => json!({"policy": policy()}),
        ("POST", "revocations") => {
            json!({"filter": {"kind": "personal_access_token", "state": "expired"}, "preview": true})
        }
        _ => json!({}),
    }
}

fn policy() -> Value {
    let any = json!({"daysMax": null, "mayNeverExpire": true});
    json!({"personalAccessTokens": any, "apiKeys": any})
}

/// Status and code of an answer about what nobody has.
async fn ask(
    actor: &Actor,
    method: &str,
    path: &str,
    organization: OrganizationId,
) -> (u16, String) {
    let target = if path.contains("{name}") {
        "repo:none"
    } else {
        NOBODYS_ID
    };
    let body = body(method, path);
    ask_about(actor, (method, path), organization, target, &body).await
}

/// Status and code of an answer about `target`.
async fn ask_about(
    actor: &Actor,
    (method, path): (&str, &str),
    organization: OrganizationId,
    target: &str,
    body: &Value,
) -> (u16, String) {
    let address = ["{id}", "{user}", "{name}"]
        .into_iter()
        .fold(path.to_owned(), |path, named| path.replace(named, target))
        .replace("{organization}", &organization.to_string());
    let answer = actor
        .send(method, &address, Some("application/json"), body.to_string())
        .await;
    let code = serde_json::from_slice(&answer.body)
        .ok()
        .and_then(|problem: Value| Some(problem["code"].as_str()?.to_owned()));
    (answer.status, code.unwrap_or_default())
}

/// What each built-in role holds of the product's own.
const HELD: [(&str, &[&str]); 4] = [
    (
        "superuser",
        &[
            "hallpass:members",
            "hallpass:roles",
            "hallpass:keys",
            "hallpass:tokens",
            "hallpass:policy",
            "hallpass:audit",
            "hallpass:organization",
        ],
    ),
    (
        "admin",
        &[
            "hallpass:members",
            "hallpass:roles",
            "hallpass:keys",
            "hallpass:tokens",
            "hallpass:policy",
            "hallpass:audit",
        ],
    ),
    ("member", &[]),
    ("viewer", &[]),
];

fn is_denied((status, code): &(u16, String)) -> bool {
    *status == 403 && code == "permission_missing"
}

/// Paths as the description has them, with their methods.
fn described() -> Vec<(String, String)> {
    let api = serde_json::to_value(hallpass_server::rest::openapi()).unwrap();
    let mut all = Vec::new();
    for (path, item) in api["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            all.push((method.to_uppercase(), path.clone()));
        }
    }
    assert_eq!(all.len(), operations().len());
    all
}

#[tokio::test]
async fn every_route_for_every_role_in_ones_own_and_in_a_foreign_organization() {
    let server = Server::sqlite().await;
    let (zenith, _, _) = server.other_organization().await;
    let mut people = BTreeMap::new();
    for (role, _) in HELD {
        people.insert(role, server.person(&format!("A {role}"), role).await.1);
    }
    let mut cells = 0;
    for (method, path) in described() {
        let needs = needs(&method, &path)
            .unwrap_or_else(|| panic!("{method} {path} is not in the table: say what it needs"));
        for (role, held) in HELD {
            // A route may end the session that asks.
            let actor = server.session_of(people[role]).await;
            let own = ask(&actor, &method, &path, server.organization).await;
            let what = format!("{method} {path} as {role}: {own:?}");
            match needs {
                Needs::Anyone => assert_eq!(own.0, 200, "{what}"),
                Needs::Here(permission) => {
                    assert_eq!(is_denied(&own), !held.contains(&permission), "{what}");
                }
                Needs::Deployment => assert_eq!(is_denied(&own), role != "superuser", "{what}"),
                Needs::Own | Needs::Apart => assert!(!is_denied(&own), "{what}"),
            }
            assert!(own.0 < 500, "{what}");
            cells += 1;
            if path.contains("{organization}") && role != "superuser" {
                let actor = server.session_of(people[role]).await;
                let foreign = ask(&actor, &method, &path, zenith).await;
                assert_eq!(foreign, (404, "not_found".to_owned()), "{what}, abroad");
                cells += 1;
            }
        }
    }
    assert!(cells > 200, "{cells}");
}

/// Whoever has no part in an organization finds nothing there, superuser of another or not; nobody gets anywhere without
/// a session.
#[tokio::test]
async fn a_foreign_organization_is_not_there_and_nobody_is_let_in() {
    let server = Server::sqlite().await;
    let (_, zoe, zoe_id) = server.other_organization().await;
    let token = zoe
        .token(json!({"name": "all", "expirationDate": crate::kit::NEXT_MONTH}))
        .await;
    for (method, path) in described() {
        let needs = needs(&method, &path).unwrap();
        let nobody = ask(&server.anon(), &method, &path, server.organization).await;
        if needs != Needs::Apart {
            assert_eq!(
                nobody,
                (401, "sign_in_required".to_owned()),
                "{method} {path} as nobody"
            );
        }
        if matches!(needs, Needs::Own | Needs::Apart) {
            // Among these is what ends the session, or the token, that asks.
            continue;
        }
        for actor in [
            server.session_in_other(zoe_id).await,
            server.bearer(&token.secret),
        ] {
            let asked = ask(&actor, &method, &path, server.organization).await;
            let what = format!("{method} {path} from abroad: {asked:?}");
            if path.contains("{organization}") {
                assert_eq!(asked, (404, "not_found".to_owned()), "{what}");
            } else if needs == Needs::Deployment {
                assert!(is_denied(&asked), "{what}: {asked:?}");
            }
        }
    }
}
