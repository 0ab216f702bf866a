//! What the listeners answer.

use crate::place::Place;
use crate::process::{Server, get};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

#[test]
fn operations_answer_on_their_own_listener() {
    let server = Server::on(Place::new().data());
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
    let server = Server::on(Place::new().data());
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
    let server = Server::on(Place::new().data());
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
