//! TLS by the binary itself.

use crate::place::Place;
use crate::process::{Server, countersign, exchange, refusal};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

/// Asks for `/` over TLS of one version, trusting one certificate.
fn ask(address: SocketAddr, trusted: &CertificateDer<'static>, version: &'static SupportedProtocolVersion) -> u16 {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let stream = StreamOwned::new(connection, TcpStream::connect(address).unwrap());
    exchange(stream, &format!("localhost:{}", address.port()), "/no/such/page").status
}

#[test]
fn the_pages_are_served_by_tls_1_2_and_1_3_and_not_in_the_clear() {
    let place = Place::new();
    let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (cert, key) = (place.around().join("cert.pem"), place.around().join("key.pem"));
    std::fs::write(&cert, pair.cert.pem()).unwrap();
    std::fs::write(&key, pair.signing_key.serialize_pem()).unwrap();
    let (cert, key) = (cert.to_str().unwrap(), key.to_str().unwrap());

    let server = Server::start(countersign(&["serve", "--data", place.text(), "--tls-cert", cert, "--tls-key", key]));
    assert!(server.told("Pages").starts_with("https://localhost:"), "{}", server.greeting);
    for version in [&TLS12, &TLS13] {
        assert_eq!(ask(server.pages(), pair.cert.der(), version), 404);
    }
    let mut plain = TcpStream::connect(server.pages()).unwrap();
    let answer = std::io::Write::write_all(&mut plain, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").and_then(|()| {
        let mut answer = Vec::new();
        std::io::Read::read_to_end(&mut plain, &mut answer).map(|_| answer)
    });
    assert!(!answer.unwrap_or_default().starts_with(b"HTTP"), "plain http on the port of TLS");
    assert_eq!(server.ask("/readyz").status, 200);
}

#[test]
fn a_certificate_that_cannot_be_used_is_named() {
    let place = Place::new();
    let told = refusal(1, &["serve", "--data", place.text(), "--tls-cert", "/no.pem", "--tls-key", "/no.pem"], "");
    assert!(told.contains("/no.pem"), "{told}");
    let told = refusal(1, &["serve", "--data", place.text(), "--tls-cert", "/no.pem"], "");
    assert!(told.contains("tls_key"), "{told}");
    assert!(!place.data().exists());
}
