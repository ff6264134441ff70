//! The description of the API: the golden file, and that it describes what there is.

use crate::kit::Server;
use std::{collections::BTreeSet, fs, path::Path};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// `cargo xtask openapi` writes the file; this notices when somebody forgot.
#[test]
fn openapi_json_is_what_the_routes_say() {
    let file = root().join("openapi.json");
    let now = hallpass_server::rest::openapi().to_pretty_json().unwrap() + "\n";
    if std::env::var_os("HALLPASS_WRITE_OPENAPI").is_some() {
        fs::write(&file, &now).unwrap();
    }
    let kept = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        kept == now,
        "{} is not what the routes say: run `cargo xtask openapi`, and look at what changed",
        file.display()
    );
}

#[tokio::test]
async fn the_description_is_served_with_the_address_of_the_server() {
    let server = Server::sqlite().await;
    let served = server.anon().get("/openapi.json").await.is(200);
    assert!(served["openapi"].as_str().unwrap().starts_with("3.1"));
    assert_eq!(served["servers"][0]["url"], "http://hallpass.test");
    let mut bare = served.clone();
    bare.as_object_mut().unwrap().remove("servers");
    assert_eq!(
        bare,
        serde_json::to_value(hallpass_server::rest::openapi()).unwrap()
    );
    let docs = server.anon().get("/docs").await;
    assert_eq!(docs.status, 200);
    for (method, path) in crate::headers::operations() {
        let path = path
            .replace("019393a0-7e5c-7c31-9d0c-1f2e3d4c5b6a", "{id}")
            .replace("019393a0-7e5c-7c31-9d0c-1f2e3d4c5b6b", "{organization}");
        assert!(docs.text().contains(&path), "{method} {path}");
    }
}

#[tokio::test]
async fn every_described_operation_is_answered() {
    let server = Server::sqlite().await;
    for (method, path) in crate::headers::operations() {
        let answer = server
            .anon()
            .send(&method, &path, Some("application/json"), "{}")
            .await;
        assert!(
            ![404, 405].contains(&answer.status),
            "{method} {path}: {}",
            answer.status
        );
    }
}

/// The text of every file with this ending below a folder.
fn texts(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            texts(&entry.path(), found);
        } else if entry
            .path()
            .extension()
            .is_some_and(|extension| extension == "rs")
        {
            found.push(fs::read_to_string(entry.path()).unwrap());
        }
    }
}

#[test]
fn every_route_of_the_api_is_described() {
    let (mut sources, described) = (
        Vec::new(),
        serde_json::to_value(hallpass_server::rest::openapi()).unwrap(),
    );
    texts(&root().join("src"), &mut sources);
    let mut seen = 0;
    for source in &sources {
        assert!(
            !source.contains(".route(\"/v1"),
            "a route beside the description"
        );
        for handler in source.split("#[utoipa::path(").skip(1) {
            let (method, rest) = handler.split_once(", path = \"").unwrap();
            let path = rest.split_once('"').unwrap().0;
            assert!(
                described["paths"][path][method].is_object(),
                "{method} {path} is written and not served"
            );
            seen += 1;
        }
    }
    assert_eq!(seen, crate::headers::operations().len());
}

/// The description promises codes; a promise that no test tries is a guess.
#[test]
fn every_code_that_the_description_names_occurs_in_a_test() {
    let mut tests = Vec::new();
    texts(&root().join("tests"), &mut tests);
    let tests = tests.concat();
    let api = serde_json::to_value(hallpass_server::rest::openapi()).unwrap();
    let mut codes = BTreeSet::new();
    for operation in api["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|item| item.as_object().unwrap().values())
    {
        for (status, answer) in operation["responses"].as_object().unwrap() {
            let words = answer["description"]
                .as_str()
                .unwrap_or_default()
                .split('`')
                .skip(1)
                .step_by(2);
            codes.extend(
                words
                    .filter(|word| status.starts_with(['4', '5']) && word.contains('_'))
                    .map(str::to_owned),
            );
        }
    }
    assert!(codes.len() > 25, "{codes:?}");
    for code in codes {
        assert!(tests.contains(&format!("\"{code}\"")), "{code}");
    }
}
