//! What the world reaches: the public address, the certificate, the two ports.

use super::Line;
use crate::config::Settings;
use crate::net::tls::Certificate;
use crate::serve::{stranded_keys, unrooted};
use countersign_core::operator::Look;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, lookup_host};
use tokio::time::timeout;

const URL: &str = "public URL";
const ROOTS: &str = "attestation roots";
const TLS: &str = "TLS";
const PORTS: &str = "listeners";
/// How long a name, or a server on this machine, may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
const MAX_ANSWER: u64 = 64 * 1024;

pub(super) async fn check(settings: &Settings) -> Vec<Line> {
    let mut lines = vec![public_url(settings).await];
    lines.extend(certificate(settings));
    lines.extend(listeners(settings).await);
    lines
}

/// Whether security keys and passkeys were registered at another host: they serve nobody at this one.
pub(super) fn key_hosts(settings: &Settings, look: &Look) -> Option<Line> {
    let here = settings.public_url_at(settings.listen.port()).relying_party();
    let others: Vec<_> = look.key_hosts.iter().filter(|(host, _)| host != here.id()).cloned().collect();
    let told = stranded_keys(&others, here.id())?;
    Some(Line::fail(URL, told, "set public_url back; whoever has no other factor cannot log on"))
}

/// Whether keys that were bound before roots of trust were configured are refused now.
pub(super) fn unrooted_keys(settings: &Settings, look: &Look) -> Option<Line> {
    let told = unrooted(look.unrooted_keys).filter(|_| settings.attestation_roots.is_some())?;
    Some(Line::warn(ROOTS, told, "have their users bind them anew, or take attestation_roots away"))
}

async fn public_url(settings: &Settings) -> Line {
    let Some(url) = &settings.public_url else {
        return Line::ok(URL, "not set: the pages are for this machine alone, at the name localhost");
    };
    if !url.is_https() && !url.is_local() {
        let advice = "passwords and codes travel in the clear, and browsers offer no security keys: make it https";
        return Line::fail(URL, format!("{url} is not https"), advice);
    }
    let (host, port) = url.host_and_port();
    let advice = "browsers do not find the pages: enter the name into the DNS";
    match timeout(PATIENCE, lookup_host((host, port))).await {
        Ok(Ok(mut found)) => match found.next() {
            Some(address) => Line::ok(URL, format!("{url} is {}", address.ip())),
            None => Line::fail(URL, format!("{host} has no address"), advice),
        },
        Ok(Err(error)) => Line::fail(URL, format!("{host} is not found: {error}"), advice),
        Err(_) => Line::warn(URL, format!("{host} is not found within five seconds"), "see whether the DNS answers"),
    }
}

fn certificate(settings: &Settings) -> Option<Line> {
    let files = settings.tls.clone()?;
    let found = format!("the certificate {} and its key fit", files.cert.display());
    Some(match Certificate::load(files) {
        Ok(_) => Line::ok(TLS, found),
        Err(error) => Line::fail(TLS, error.to_string(), "the server does not start so"),
    })
}

async fn listeners(settings: &Settings) -> Vec<Line> {
    let alive =
        ask(settings.ops_listen, "/healthz").await.is_some_and(|(status, body)| status == 200 && body == "alive\n");
    let mut lines = Vec::new();
    for (what, address, flag) in [
        ("pages", settings.listen, "--listen"),
        ("RAM API", settings.api_listen, "--api-listen"),
        ("operations", settings.ops_listen, "--ops-listen"),
    ] {
        lines.push(listener(what, address, flag, alive).await);
    }
    if alive && let Some((status, body)) = ask(settings.ops_listen, "/readyz").await {
        let body = body.trim().to_owned();
        lines.push(if status == 200 {
            Line::ok(PORTS, "the server serves logons")
        } else {
            Line::fail(PORTS, format!("the server refuses logons: {body}"), "see the other lines, and its log")
        });
    }
    lines
}

async fn listener(what: &str, address: SocketAddr, flag: &str, alive: bool) -> Line {
    match TcpListener::bind(address).await {
        Ok(_) => Line::ok(PORTS, format!("{what}: {address} is free, no server runs there")),
        Err(error) if error.kind() == ErrorKind::AddrInUse && alive => {
            Line::ok(PORTS, format!("{what}: {address} is taken, and a Countersign runs"))
        }
        Err(error) if error.kind() == ErrorKind::AddrInUse => Line::fail(
            PORTS,
            format!("{what}: another program listens on {address}"),
            format!("stop it, or choose another place with {flag}"),
        ),
        Err(error) => Line::fail(
            PORTS,
            format!("{what}: {address}: {error}"),
            format!("choose an address of this machine with {flag}"),
        ),
    }
}

/// Status and body of what a server on this machine answers over plain http.
async fn ask(address: SocketAddr, path: &str) -> Option<(u16, String)> {
    let asked = async {
        let mut stream = TcpStream::connect(address).await.ok()?;
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut answer = String::new();
        stream.take(MAX_ANSWER).read_to_string(&mut answer).await.ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
    };
    timeout(PATIENCE, asked).await.ok().flatten()
}
