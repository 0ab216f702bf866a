//! The HTML door of Countersign. It turns forms into calls of core and answers into pages, and decides nothing.
//!
//! - `routes`: every path, what state it needs, and its page. The default is none.
//! - `pages/`: one file a page: handler, what its template shows, its fields.
//! - `templates/`: the HTML, checked when compiled; `locales/`: the words, in English and Chinese.
//! - `assets`: style, script and pictures, embedded.
//! - `visitor`: who asks, from where, in which language and theme. `frame`: what every page shows around its content.
//! - `step_up`: the page Verify Identity, which comes before sensitive operations.
//! - [`mails`]: notices as mails; `program`: what a browser calls itself, in short.
//! - `answer`: pages, redirects and refusals as responses.
//!
//! A new page is a file in `pages/`, a template, its words in both locales, and a line in `routes`.

mod answer;
mod assets;
mod cookies;
mod fields;
mod frame;
mod guard;
mod locales;
pub mod mails;
mod pages;
mod password_rules;
mod program;
mod routes;
mod step_up;
mod visitor;

pub use routes::{Needs, RouteInfo, route_table};

use countersign_core::Countersign;
use locales::Locales;
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

/// What every page works with.
#[derive(Clone)]
struct Console {
    core: Countersign,
    options: Arc<Options>,
    locales: Arc<Locales>,
}

/// All pages. The server must provide `ConnectInfo<SocketAddr>`.
pub fn router(core: Countersign, options: Options) -> axum::Router {
    let console = Console { core, options: Arc::new(options), locales: Arc::new(Locales::load()) };
    routes::router(console)
}
