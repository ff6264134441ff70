use std::process::Command;
use std::time::Duration;

use super::*;
use crate::{Program, wait_until};

const LONG: Duration = Duration::from_secs(60);

#[test]
fn addresses_name_their_database() {
    for (url, name, other) in [
        ("postgres://u:p@h:1/a", "a", "postgres://u:p@h:1/b"),
        ("postgres://u@h", "", "postgres://u@h/b"),
        (
            "postgres://u@%2Frun/a?sslmode=disable&x=/",
            "a",
            "postgres://u@%2Frun/b?sslmode=disable&x=/",
        ),
        ("postgres://u@h?x=/", "", "postgres://u@h/b?x=/"),
    ] {
        assert_eq!(database_of(url), name, "{url}");
        assert_eq!(with_database(url, "b"), other, "{url}");
    }
}

#[test]
fn databases_are_separate_and_copies_are_whole() {
    let server = Postgres::shared();
    let (one, other) = (server.database(), server.database());
    server.run(
        &one,
        "create table t (x text); insert into t values ('a'), ('B'), ('c')",
    );
    assert_eq!(
        server.run(
            &other,
            "select count(*) from pg_tables where tablename = 't'"
        ),
        "0"
    );
    let copy = server.copy_of(&one);
    assert_eq!(server.run(&copy, "select x from t order by x"), "a\nB\nc");
    server.run(&copy, "drop table t");
    assert_eq!(server.run(&one, "select count(*) from t"), "3");
    assert_eq!(
        server.run(
            &one,
            "select rolsuper from pg_roles where rolname = current_user"
        ),
        "f"
    );
}

#[test]
#[should_panic(expected = "relation \"missing\" does not exist")]
fn a_failing_statement_fails_the_test() {
    let server = Postgres::shared();
    server.run(
        &server.database(),
        "select 1; select * from missing; select 2",
    );
}

#[test]
fn what_was_committed_survives_a_crash() {
    let server = Postgres::start();
    let database = server.database();
    assert_eq!(server.run(&database, "show fsync"), "on");
    server.run(
        &database,
        "create table t (x bigint); insert into t values (7)",
    );
    server.stop_immediate();
    assert!(std::net::TcpStream::connect(("127.0.0.1", server.kept().port())).is_err());
    server.start_again();
    assert_eq!(server.run(&database, "select x from t"), "7");
    let folder = server.kept().folder().to_owned();
    assert!(folder.is_dir());
    drop(server);
    assert!(!folder.exists());
}

#[test]
fn nothing_survives_kill_9() {
    const CHILD: &str = "HALLPASS_TESTKIT_CHILD";
    if std::env::var_os(CHILD).is_some() {
        let server = Postgres::start_forgetful();
        println!(
            "serving {} {}",
            server.kept().port(),
            server.kept().folder().display()
        );
        loop {
            std::thread::park();
        }
    }
    let mut process = Program::start(
        Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "--nocapture",
                "postgres::tests::nothing_survives_kill_9",
            ])
            .env(CHILD, "1"),
    );
    let line = process.wait_for_line(|line| line.contains("serving "), LONG);
    let mut words = line.split("serving ").nth(1).unwrap().split(' ');
    let port: u16 = words.next().unwrap().parse().unwrap();
    let folder = PathBuf::from(words.next().unwrap());
    assert!(folder.is_dir());
    std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    process.kill9();
    wait_until("the folder to go", LONG, || !folder.exists());
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
}
