use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::{Program, TempDir};

const START_TIMEOUT: Duration = Duration::from_secs(30);

/// A running nginx with a folder of its own. Killed when dropped.
#[derive(Debug)]
pub struct Nginx {
    program: Program,
    folder: TempDir,
}

/// Starts nginx with `http`, the text inside its `http { … }` block, and waits until `port` of 127.0.0.1
/// accepts connections; the text must listen there. Relative paths in it start at [`Nginx::folder`].
///
/// # Panics
/// When nginx is missing, refuses the text, or does not listen in time.
#[track_caller]
pub fn nginx(http: &str, port: u16) -> Nginx {
    let missing = "nginx is missing: run `cargo xtask setup`, or `apt-get install nginx`";
    start(&crate::find::in_path("nginx").expect(missing), http, port)
}

#[track_caller]
fn start(executable: &Path, http: &str, port: u16) -> Nginx {
    let folder = crate::temp_dir();
    let configuration = folder.path().join("nginx.conf");
    std::fs::write(&configuration, whole_configuration(http))
        .expect("a file in a temporary folder");
    // Before it reads its configuration nginx would open the log of the system.
    let mut program = Program::start(
        Command::new(executable)
            .args(["-e", "stderr", "-p"])
            .arg(folder.path())
            .arg("-c")
            .arg(configuration),
    );
    crate::wait_until(&format!("nginx on port {port}"), START_TIMEOUT, || {
        assert!(
            program.is_running(),
            "nginx ended: {}",
            printed_at_the_end(&mut program)
        );
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
    });
    Nginx { program, folder }
}

fn printed_at_the_end(program: &mut Program) -> String {
    program.wait_for_line(|line| line.contains("[emerg]"), START_TIMEOUT)
}

/// One process, so that killing it leaves no worker behind, and every path inside the folder, so that it
/// needs no rights.
fn whole_configuration(http: &str) -> String {
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|module| format!("    {module}_temp_path {module}_temp;\n"))
        .concat();
    format!(
        "daemon off;\nmaster_process off;\npid nginx.pid;\nerror_log stderr;\n\
         events {{ worker_connections 512; }}\n\
         http {{\n    access_log access.log;\n{temporary}{http}\n}}\n"
    )
}

impl Nginx {
    /// Its folder: `access.log`, and whatever the test puts there for it to serve.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// The process, for what it printed and to stop it.
    pub fn program(&mut self) -> &mut Program {
        &mut self.program
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use super::*;
    use crate::free_port;

    #[test]
    fn serves_what_it_is_told() {
        let port = free_port();
        let server = nginx(
            &format!("server {{ listen 127.0.0.1:{port}; location / {{ return 200 'here'; }} }}"),
            port,
        );
        let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        connection.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.ends_with("here"),
            "{answer}"
        );
        drop(server);
        assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err());
    }

    #[test]
    #[should_panic(expected = "unknown directive \"nonsense\"")]
    fn shows_why_it_refuses_a_configuration() {
        nginx("nonsense;", free_port());
    }
}
