//! Connections, from the port to the router: how many, how slow they may be, how they are encrypted, how they end.
//!
//! Written over hyper itself, because what stands between it and the port decides how long a silent client can hold a
//! place: every wait here has an end.

mod patience;
mod places;
pub mod tls;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use patience::Patient;
use places::Places;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tower::Service as _;

pub use places::Limits;

/// How long a handshake of TLS may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may neither read nor write anything. Longer than the longest request.
const IDLE_TIMEOUT: Duration = Duration::from_mins(1);
/// How long what is being answered may take to its end when the server stops.
const GRACE: Duration = Duration::from_secs(10);

/// The most headers of a request, and the most bytes of them.
const MAX_HEADERS: usize = 100;
const MAX_HEAD_BYTES: usize = 32 * 1024;

/// Tells the listeners when to stop. Clones see the same.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// A stop and what brings it about: sending `true`, or dropping the sender.
    #[must_use]
    pub fn new() -> (watch::Sender<bool>, Self) {
        let (sender, receiver) = watch::channel(false);
        (sender, Self(receiver))
    }

    /// Waits for it.
    pub async fn requested(&self) {
        // An error says that the sender has gone, and nobody could stop the server any more.
        drop(self.0.clone().wait_for(|stopping| *stopping).await);
    }
}

/// A port with what is served there.
#[derive(Debug)]
pub struct Door {
    /// The port.
    pub listener: TcpListener,
    /// What is served; it finds the client's address in `ConnectInfo<SocketAddr>`.
    pub router: Router,
    /// The certificate, if TLS is ended here.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// How many connections there may be.
    pub limits: Limits,
}

impl Door {
    /// Serves until `stop`, and then what is under way, but no longer than ten seconds.
    pub async fn serve(self, stop: Stop) {
        let Self { listener, router, tls, limits } = self;
        let (places, tls) = (Places::new(limits), tls.map(TlsAcceptor::from));
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                () = stop.requested() => break,
                Some(_) = connections.join_next() => {}
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        let Some(place) = places.take(peer.ip()) else { continue };
                        let conversation = Conversation { peer, router: router.clone(), stop: stop.clone(), head: limits.head };
                        let tls = tls.clone();
                        connections.spawn(async move {
                            conversation.hold(stream, tls).await;
                            drop(place);
                        });
                    }
                    Err(error) => rest_after(&error).await,
                },
            }
        }
        drop(listener);
        let ended = async { while connections.join_next().await.is_some() {} };
        if timeout(GRACE, ended).await.is_err() {
            tracing::warn!(connections = connections.len(), "connections were cut: they did not end in time");
            connections.shutdown().await;
        }
    }
}

/// Out of files or memory: trying again at once would only burn the processor.
async fn rest_after(error: &std::io::Error) {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        tracing::warn!(%error, "a connection could not be accepted");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// One connection.
struct Conversation {
    peer: SocketAddr,
    router: Router,
    stop: Stop,
    /// How long the head of a request may take.
    head: Duration,
}

impl Conversation {
    async fn hold(self, stream: TcpStream, tls: Option<TlsAcceptor>) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection was gone at once");
            return;
        }
        let stream = Patient::new(stream, IDLE_TIMEOUT);
        let Some(tls) = tls else {
            // No browser speaks HTTP/2 without TLS.
            return self.speak_http1(stream).await;
        };
        match timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await {
            Ok(Ok(stream)) if stream.get_ref().1.alpn_protocol() == Some(b"h2") => self.speak_http2(stream).await,
            Ok(Ok(stream)) => self.speak_http1(stream).await,
            Ok(Err(error)) => tracing::debug!(%error, "a handshake of TLS failed"),
            Err(_) => tracing::debug!("a handshake of TLS took too long"),
        }
    }

    async fn speak_http1(self, stream: impl AsyncRead + AsyncWrite + Unpin) {
        let Self { peer, router, stop, head } = self;
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(head).max_headers(MAX_HEADERS).max_buf_size(MAX_HEAD_BYTES);
        let service = service_fn(move |request| answer(router.clone(), peer, request));
        let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = stop.requested() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        note(ended);
    }

    async fn speak_http2(self, stream: impl AsyncRead + AsyncWrite + Unpin) {
        let Self { peer, router, stop, head: _ } = self;
        let mut http = http2::Builder::new(TokioExecutor::new());
        http.timer(TokioTimer::new())
            .keep_alive_interval(Some(Duration::from_secs(20)))
            .keep_alive_timeout(Duration::from_secs(20))
            .max_concurrent_streams(32)
            .max_header_list_size(16 * 1024)
            .max_send_buf_size(64 * 1024)
            .max_pending_accept_reset_streams(Some(20))
            .max_local_error_reset_streams(Some(64));
        let service = service_fn(move |request| answer(router.clone(), peer, request));
        let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = stop.requested() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        note(ended);
    }
}

async fn answer(
    mut router: Router,
    peer: SocketAddr,
    mut request: hyper::Request<Incoming>,
) -> Result<axum::response::Response, std::convert::Infallible> {
    request.extensions_mut().insert(ConnectInfo(peer));
    router.call(request).await
}

fn note(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}

/// Shares what both listeners have to bind: an address, and a message when it is taken.
pub async fn bind(address: SocketAddr, flag: &str) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| {
        format!("cannot listen on {address}: {error}. Stop what listens there, or choose another place with {flag}")
    })
}

#[cfg(test)]
mod tests;
