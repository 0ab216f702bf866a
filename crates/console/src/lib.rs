//! The HTML door of Countersign: one file per page.

use countersign_core::Countersign;
use std::sync::Arc;

/// How the pages are reached.
#[derive(Debug, Clone)]
pub struct Options {
    /// The address under which browsers reach the pages, without a slash at its end: `http://localhost:8080`. All links,
    /// the check of a form's origin and the cookies come from it, never from a request's headers.
    pub public_url: String,
    /// How many proxies before this server are trusted to add the client's address to `X-Forwarded-For`.
    pub trusted_proxy_hops: usize,
}

/// All pages. The server must provide `ConnectInfo<SocketAddr>`.
pub fn router(core: Countersign, options: Options) -> axum::Router {
    drop(Arc::new((core, options)));
    axum::Router::new()
}
