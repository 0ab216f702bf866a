//! A browser for the pages, in process: it keeps cookies, sends what browsers send along, and follows redirects when told.

use crate::Kit;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use countersign_console::Options;
use http::header::{CONTENT_TYPE, COOKIE, HOST, LOCATION, ORIGIN, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use tower::ServiceExt as _;

/// Where the pages are, as far as the browser knows.
pub const PUBLIC_URL: &str = "http://localhost:8080";

/// Somebody's browser.
#[derive(Debug, Clone)]
pub struct Browser {
    router: Router,
    cookies: BTreeMap<String, Cookie>,
    /// Who seems to ask.
    pub address: SocketAddr,
    /// Sent with every request, in place of what the browser would send under these names.
    pub headers: HeaderMap,
    /// Of which site the page is that asks; `None` stands for the pages' own.
    pub foreign_site: Option<String>,
}

/// A cookie as it was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cookie {
    /// Its value.
    pub value: String,
    /// Below which path it is sent.
    pub path: String,
    /// All that was said with it, as it was said: `Path=/; HttpOnly; …`.
    pub attributes: String,
}

/// What the server answered.
#[derive(Debug, Clone)]
pub struct Page {
    /// The path that was asked for, with its query.
    pub path: String,
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, as text.
    pub body: String,
    /// Where it sends the browser.
    pub location: Option<String>,
}

impl Kit {
    /// A browser without cookies.
    #[must_use]
    pub fn browser(&self) -> Browser {
        let options = Options { public_url: PUBLIC_URL.to_owned(), trusted_proxy_hops: 0 };
        Browser::new(countersign_console::router(self.core().clone(), options))
    }
}

impl Browser {
    /// A browser without cookies.
    #[must_use]
    pub fn new(router: Router) -> Self {
        Self {
            router,
            cookies: BTreeMap::new(),
            address: SocketAddr::from(([192, 0, 2, 7], 50_000)),
            headers: HeaderMap::new(),
            foreign_site: None,
        }
    }

    /// The same browser, which also sends this header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        self.headers.insert(name, value.parse().unwrap());
        self
    }

    /// The same browser on a page of another site, such as `https://evil.example`.
    #[must_use]
    pub fn on_site(mut self, origin: &str) -> Self {
        self.foreign_site = Some(origin.to_owned());
        self
    }

    /// Asks for a page, as by a link.
    pub async fn get(&mut self, path: &str) -> Page {
        self.send(Method::GET, path, None).await
    }

    /// Sends a form.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let form = ("application/x-www-form-urlencoded", form(fields).into_bytes());
        self.send(Method::POST, path, Some(form)).await
    }

    /// Asks for a page and goes where it leads.
    pub async fn open(&mut self, path: &str) -> Page {
        let page = self.get(path).await;
        self.follow(page).await
    }

    /// Sends a form and goes where it leads.
    pub async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let page = self.post(path, fields).await;
        self.follow(page).await
    }

    /// Goes where a page leads, until there is one that leads nowhere.
    pub async fn follow(&mut self, mut page: Page) -> Page {
        for _ in 0..10 {
            let Some(location) = page.location.clone().filter(|_| page.status.is_redirection()) else {
                return page;
            };
            page = self.get(&location).await;
        }
        panic!("redirects without end at {}", page.path)
    }

    /// Sends any request with the browser's cookies and headers; a body comes with its type.
    pub async fn send(&mut self, method: Method, path: &str, body: Option<(&str, Vec<u8>)>) -> Page {
        let path = path.strip_prefix(PUBLIC_URL).unwrap_or(path);
        assert!(path.starts_with('/'), "a page of this site begins with a slash: {path}");
        let mut headers = self.usual_headers(&method, path);
        let body = body.map_or_else(Body::empty, |(kind, bytes)| {
            headers.insert(CONTENT_TYPE, kind.parse().unwrap());
            Body::from(bytes)
        });
        for (name, value) in &self.headers {
            headers.insert(name, value.clone());
        }
        let mut request = Request::builder().method(method).uri(path).body(body).unwrap();
        *request.headers_mut() = headers;
        self.send_raw(request).await
    }

    /// Sends a request as it is. Cookies that are set are kept.
    pub async fn send_raw(&mut self, mut request: Request<Body>) -> Page {
        let path = request.uri().to_string();
        request.extensions_mut().insert(ConnectInfo(self.address));
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        for set in parts.headers.get_all(SET_COOKIE) {
            self.keep_cookie(set.to_str().unwrap());
        }
        let location = parts.headers.get(LOCATION).map(|location| location.to_str().unwrap().to_owned());
        let body = String::from_utf8_lossy(&body).into_owned();
        Page { path, status: parts.status, headers: parts.headers, body, location }
    }

    /// The cookie of this name.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&Cookie> {
        self.cookies.get(name)
    }

    /// All cookies by name.
    #[must_use]
    pub const fn cookies(&self) -> &BTreeMap<String, Cookie> {
        &self.cookies
    }

    /// Puts a cookie into the browser, as a thief or a page of a neighbour does.
    pub fn set_cookie(&mut self, name: &str, value: &str) {
        let cookie = Cookie { value: value.to_owned(), path: "/".to_owned(), attributes: String::new() };
        self.cookies.insert(name.to_owned(), cookie);
    }

    /// Throws all cookies away.
    pub fn forget_cookies(&mut self) {
        self.cookies.clear();
    }

    fn usual_headers(&self, method: &Method, path: &str) -> HeaderMap {
        let host = PUBLIC_URL.strip_prefix("http://").unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static(host));
        let own =
            |name: &'static str, value: &'static str| (HeaderName::from_static(name), HeaderValue::from_static(value));
        let site = if self.foreign_site.is_some() { "cross-site" } else { "same-origin" };
        headers.extend([
            own("user-agent", "a test's browser"),
            own("accept", "text/html,application/xhtml+xml,*/*;q=0.8"),
            own("accept-language", "en"),
            own("sec-fetch-site", site),
            own("sec-fetch-mode", "navigate"),
            own("sec-fetch-dest", "document"),
            own("sec-fetch-user", "?1"),
        ]);
        if *method != Method::GET && *method != Method::HEAD {
            headers.insert(ORIGIN, self.foreign_site.as_deref().unwrap_or(PUBLIC_URL).parse().unwrap());
        }
        let path = path.split('?').next().unwrap_or(path);
        let sent = self.cookies.iter().filter(|(_, cookie)| below(path, &cookie.path));
        let sent: Vec<String> = sent.map(|(name, cookie)| format!("{name}={}", cookie.value)).collect();
        if !sent.is_empty() {
            headers.insert(COOKIE, sent.join("; ").parse().unwrap());
        }
        headers
    }

    fn keep_cookie(&mut self, set: &str) {
        let (pair, attributes) = set.split_once(';').unwrap_or((set, ""));
        let (name, value) = pair.split_once('=').unwrap();
        let attribute = |wanted: &str| {
            attributes.split(';').find_map(|attribute| {
                let (name, value) = attribute.trim().split_once('=')?;
                name.eq_ignore_ascii_case(wanted).then(|| value.to_owned())
            })
        };
        if attribute("max-age").is_some_and(|age| age.parse::<i64>().unwrap() <= 0) {
            self.cookies.remove(name.trim());
            return;
        }
        let cookie = Cookie {
            value: value.trim().to_owned(),
            path: attribute("path").unwrap_or_else(|| "/".to_owned()),
            attributes: attributes.trim().to_owned(),
        };
        self.cookies.insert(name.trim().to_owned(), cookie);
    }
}

impl Page {
    /// Whether the body has this text literally.
    #[must_use]
    pub fn has(&self, part: &str) -> bool {
        self.body.contains(part)
    }

    /// The header of this name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// What a person reads: without tags, white space in one.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for piece in self.body.split('<') {
            let (tag, after) = piece.split_once('>').unwrap_or(("", piece));
            // What ends a word on the screen ends it here; `<b>` and its like do not.
            if !matches!(tag.trim_start_matches('/').split_whitespace().next(), Some("b" | "strong" | "em" | "code")) {
                text.push(' ');
            }
            text.push_str(after);
        }
        unescape(&text.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// The value of the first field of this name, as the page fills it in.
    #[must_use]
    pub fn value_of(&self, name: &str) -> Option<String> {
        let marked = format!("name=\"{name}\"");
        let tag = self.body.split('<').find(|tag| tag.contains(&marked))?.split('>').next()?;
        let value = tag.split("value=\"").nth(1)?.split('"').next()?;
        Some(unescape(value))
    }
}

fn below(path: &str, cookie_path: &str) -> bool {
    path.strip_prefix(cookie_path)
        .is_some_and(|rest| rest.is_empty() || cookie_path.ends_with('/') || rest.starts_with('/'))
}

/// The fields as `application/x-www-form-urlencoded`.
fn form(fields: &[(&str, &str)]) -> String {
    let encode = |text: &str| {
        text.bytes().fold(String::new(), |mut encoded, byte| {
            match byte {
                b' ' => encoded.push('+'),
                _ if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'*') => {
                    encoded.push(char::from(byte));
                }
                _ => write!(encoded, "%{byte:02X}").unwrap(),
            }
            encoded
        })
    };
    fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect::<Vec<_>>().join("&")
}

fn unescape(text: &str) -> String {
    let entities = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#38;", "&"),
        ("&amp;", "&"),
    ];
    entities.iter().fold(text.to_owned(), |text, (entity, plain)| text.replace(entity, plain))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::{get, post};

    fn browser() -> Browser {
        let set = async || [(SET_COOKIE, "a=1; Path=/logon; HttpOnly"), (SET_COOKIE, "b=2; Path=/")];
        let router = Router::new()
            .route("/logon", get(set))
            .route("/logon/echo", post(async |headers: HeaderMap, body: String| format!("{headers:?} {body}")))
            .route("/other", get(async |headers: HeaderMap| format!("{headers:?}")))
            .route("/clear", get(async || [(SET_COOKIE, "a=; Path=/logon; Max-Age=0")]))
            .route("/away", get(async || axum::response::Redirect::to("/other")));
        Browser::new(router)
    }

    #[tokio::test]
    async fn cookies_are_kept_sent_below_their_path_and_removed() {
        let mut browser = browser();
        browser.get("/clear").await;
        browser.send(Method::GET, "/logon", None).await;
        assert_eq!(browser.cookie("b").unwrap().value, "2");
        assert!(browser.post("/logon/echo", &[]).await.has("b=2"));
        assert!(!browser.open("/away").await.has("a=1"));
    }

    #[tokio::test]
    async fn a_form_is_encoded_and_comes_with_its_origin() {
        let page = browser().post("/logon/echo", &[("näme", "a b&c=d%")]).await;
        assert!(page.body.ends_with("n%C3%A4me=a+b%26c%3Dd%25"), "{}", page.body);
        assert!(page.has(r#""origin": "http://localhost:8080""#), "{}", page.body);
        assert!(page.has(r#""sec-fetch-site": "same-origin""#), "{}", page.body);
        let foreign = browser().on_site("https://evil.example").post("/logon/echo", &[]).await;
        assert!(foreign.has(r#""origin": "https://evil.example""#) && foreign.has("cross-site"));
    }

    #[test]
    fn a_page_tells_its_text_and_its_fields() {
        let page = Page {
            path: "/".to_owned(),
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: "<p>Tom &amp; <b>Jerry</b>s</p><input type=\"hidden\" name=\"t\" value=\"x&quot;y\">".to_owned(),
            location: None,
        };
        assert_eq!(page.text(), "Tom & Jerrys");
        assert_eq!(page.value_of("t").as_deref(), Some("x\"y"));
        assert_eq!(page.value_of("u"), None);
    }
}
