//! Running the binary, and asking it over HTTP in a few lines of our own.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

/// What a server prints last when it is ready.
const READY: &str = "Stop it with Ctrl-C.";

/// The binary with these arguments, and nothing of ours in its environment but a free port for the API: many run at once.
pub(crate) fn countersign(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("COUNTERSIGN_") {
            command.env_remove(name);
        }
    }
    command.env("COUNTERSIGN_API_LISTEN", "127.0.0.1:0");
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a command to its end, with a text on its standard input.
pub(crate) fn run(args: &[&str], input: &str) -> Output {
    let mut child = countersign(args).stdin(Stdio::piped()).spawn().unwrap();
    // A command that refuses its arguments has closed its input already.
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap_or_default();
    child.wait_with_output().unwrap()
}

/// Runs a command that has to fail with `status`, and returns what it says on standard error.
pub(crate) fn refusal(status: i32, args: &[&str], input: &str) -> String {
    let output = run(args, input);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(status), "{told}");
    assert!(output.stdout.is_empty(), "a refusal says nothing on standard output");
    told
}

/// Runs a command that has to succeed, and reads its JSON.
pub(crate) fn json(args: &[&str], input: &str) -> serde_json::Value {
    let output = run(args, input);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A server that runs; it is killed with its test.
pub(crate) struct Server {
    child: Child,
    /// What it printed until it was ready.
    pub(crate) greeting: String,
}

impl Server {
    /// Starts one on free ports over a folder.
    pub(crate) fn on(data: &Path) -> Self {
        Self::start(countersign(&["serve", "--data", data.to_str().unwrap()]))
    }

    /// Starts one on free ports.
    pub(crate) fn start(mut command: Command) -> Self {
        command.args(["--listen", "127.0.0.1:0", "--api-listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"]);
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut greeting = String::new();
        while !greeting.contains(READY) {
            match lines.next() {
                Some(line) => greeting += &(line.unwrap() + "\n"),
                None => panic!("it did not start: {:?}", child.wait_with_output().unwrap()),
            }
        }
        Self { child, greeting }
    }

    /// The word of the greeting behind this one.
    pub(crate) fn told(&self, name: &str) -> &str {
        let mut words = self.greeting.split_whitespace().skip_while(|word| *word != name);
        words.nth(1).unwrap()
    }

    /// The public URL's host and port.
    pub(crate) fn host(&self) -> &str {
        self.told("Pages").split_once("://").unwrap().1
    }

    /// The address of the pages.
    pub(crate) fn pages(&self) -> SocketAddr {
        let (_, port) = self.host().split_once(':').unwrap();
        format!("127.0.0.1:{port}").parse().unwrap()
    }

    /// The address of operations.
    pub(crate) fn operations(&self) -> SocketAddr {
        let url = self.told("Operations");
        url.strip_prefix("http://").unwrap().split('/').next().unwrap().parse().unwrap()
    }

    /// The token of the set-up link, if one was printed.
    pub(crate) fn set_up_token(&self) -> Option<&str> {
        self.greeting.split_whitespace().find_map(|word| word.split_once("/setup?token=")).map(|(_, token)| token)
    }

    /// Gets a path of operations.
    pub(crate) fn ask(&self, path: &str) -> Answer {
        get(self.operations(), "localhost", path)
    }

    /// Stops it as a service manager does, and returns its status and its log.
    pub(crate) fn stop(self) -> (ExitStatus, String) {
        self.stop_by("TERM")
    }

    /// Stops it by a signal.
    pub(crate) fn stop_by(mut self, signal: &str) -> (ExitStatus, String) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
        let status = self.child.wait().unwrap();
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        (status, log)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap_or_default();
        self.child.wait().map(drop).unwrap_or_default();
    }
}

/// An answer over HTTP/1.1.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// Gets a path from a host at an address.
pub(crate) fn get(address: SocketAddr, host: &str, path: &str) -> Answer {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    exchange(stream, host, path)
}

/// Gets a path over a connection that stands.
pub(crate) fn exchange(mut stream: impl Read + Write, host: &str, path: &str) -> Answer {
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}
