//! What the listeners answer.

use crate::place::{OWNER, PASSWORD, Place};
use crate::process::{Server, get};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

#[test]
fn operations_answer_on_their_own_listener() {
    let place = Place::new();
    let server = Server::on(place.data());
    assert_eq!((server.ask("/healthz").status, server.ask("/healthz").body.as_str()), (200, "alive\n"));
    assert_eq!((server.ask("/readyz").status, server.ask("/readyz").body.as_str()), (200, "ready\n"));
    get(server.pages(), server.host(), "/no/such/page?token=hush");
    let metrics = server.ask("/metrics");
    assert!(metrics.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    for expected in [
        concat!("countersign_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
        "countersign_http_requests_total{",
        "countersign_start_time_seconds ",
        "# EOF",
    ] {
        assert!(metrics.body.contains(expected), "{expected}: {}", metrics.body);
    }
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(get(server.pages(), server.host(), path).status, 404, "{path} on the pages' listener");
    }
    let (_, log) = server.stop();
    assert!(log.contains(r#""message":"request""#), "{log}");
    assert!(!log.contains("hush"), "a query stands in the log");
}

#[test]
fn attack_126_the_pages_answer_to_the_public_host_alone() {
    let place = Place::new();
    let server = Server::on(place.data());
    let port = server.pages().port();
    let status = |host: &str| get(server.pages(), host, "/").status;
    assert_ne!(status(server.host()), 421);
    for host in ["evil.example", "evil.example:80", "localhost", "192.0.2.1", &format!("evil.example:{port}")] {
        assert_eq!(status(host), 421, "{host}");
    }
    let sent_on = get(server.pages(), &format!("127.0.0.1:{port}"), "/setup?token=x");
    assert_eq!(sent_on.status, 307);
    assert_eq!(sent_on.header("location"), Some(format!("http://localhost:{port}/setup?token=x").as_str()));
}

#[test]
fn attack_132_hostile_requests_are_refused_and_others_served() {
    let place = Place::new();
    let server = Server::on(place.data());
    let send = |bytes: &[u8]| {
        let mut stream = TcpStream::connect(server.pages()).unwrap();
        // The server may stop listening before everything is sent, which resets the connection.
        stream.write_all(bytes).unwrap_or_default();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).map(drop).unwrap_or_default();
        String::from_utf8_lossy(&answer).into_owned()
    };
    let host = server.host();
    let big = format!("POST / HTTP/1.1\r\nhost: {host}\r\ncontent-length: 10485760\r\nconnection: close\r\n\r\n");
    let answer = send(big.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    let long = format!("GET /{} HTTP/1.1\r\nhost: {host}\r\n\r\n", "x".repeat(100_000));
    let answer = send(long.as_bytes());
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    assert!(send(b"\x16\x03\x01 this is no HTTP\r\n\r\n").starts_with("HTTP/1.1 400 "));
    assert_ne!(get(server.pages(), host, "/").status, 421);
}

/// The name and the password of the owner, in whatever way a client may bring them along, open nothing: there is one way in,
/// and it asks for the factor.
#[test]
fn attack_041_no_door_but_the_logon_opens_a_session() {
    let (place, _) = Place::with_account();
    let server = Server::on(place.data());
    let basic = data_encoding::BASE64.encode(format!("{OWNER}:{PASSWORD}").as_bytes());
    let ask = |address: SocketAddr, host: &str, path: &str, header: &str| {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: {host}\r\n{header}\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.to_ascii_lowercase()
    };
    let headers = [
        format!("authorization: Basic {basic}"),
        "authorization: Bearer 0123456789abcdef0123456789abcdef".to_owned(),
        format!("x-remote-user: {OWNER}\r\nremote-user: {OWNER}\r\nx-forwarded-user: {OWNER}"),
        "upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==".to_owned(),
        "cookie: countersign-session=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef".to_owned(),
    ];
    let closed = ["/account/security", "/account/welcome", "/ram/overview", "/ram/users", "/ram/audit", "/me/security"];
    let others = ["/", "/api", "/api/v1/users", "/login", "/oauth2/authorize", "/device", "/admin", "/ws"];
    let operations = ["/", "/healthz", "/readyz", "/metrics", "/ram/users", "/account/security", "/debug/pprof"];
    for header in &headers {
        for path in closed {
            let answer = ask(server.pages(), server.host(), path, header);
            assert!(answer.starts_with("http/1.1 303 "), "{path} with {header}: {answer}");
            assert!(answer.contains("\r\nlocation: /"), "{path} with {header}: {answer}");
            assert!(opens_nothing(&answer), "{path} with {header}: {answer}");
        }
        for path in others {
            let answer = ask(server.pages(), server.host(), path, header);
            assert!(opens_nothing(&answer), "{path} with {header}: {answer}");
        }
        for path in operations {
            let answer = ask(server.operations(), "localhost", path, header);
            assert!(!answer.contains("set-cookie"), "{path} with {header}: {answer}");
            let known = ["/healthz", "/readyz", "/metrics"].contains(&path);
            assert_eq!(answer.starts_with("http/1.1 200 "), known, "{path} with {header}: {answer}");
        }
    }
}

/// Whether an answer neither sets a session's cookie to a value nor changes the protocol.
fn opens_nothing(answer: &str) -> bool {
    let cookies = answer.lines().filter_map(|line| line.strip_prefix("set-cookie: "));
    let mut sessions = cookies.filter_map(|cookie| cookie.split_once("session=")).map(|(_, value)| value);
    !answer.starts_with("http/1.1 101 ") && sessions.all(|value| value.starts_with(';'))
}
