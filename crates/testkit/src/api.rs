//! A program that calls the RAM protocol, in process: it signs as the SDKs do, in either version, and reads the answers.

use crate::{Account, Kit, origin};
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use countersign_core::Countersign;
use countersign_core::access_keys::KeysOf;
use countersign_model::Clock as _;
use countersign_ram_api::api::Api;
use countersign_ram_api::signature::{canonical, v1, v3};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use secrecy::ExposeSecret as _;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::net::SocketAddr;
use std::time::Duration;
use tower::ServiceExt as _;

/// The host that calls name.
pub const HOST: &str = "127.0.0.1:8081";

/// A key as a program holds it.
#[derive(Debug, Clone)]
pub struct Key {
    /// Its id.
    pub id: String,
    /// Its secret.
    pub secret: String,
}

/// How a call is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// HMAC-SHA1 over parameters in a form.
    V1,
    /// `ACS3-HMAC-SHA256` over parameters in the query.
    V3,
}

/// A program with a key.
#[derive(Debug, Clone)]
pub struct Client {
    router: Router,
    /// With what it signs.
    pub key: Key,
    /// How it signs.
    pub version: Version,
    /// From where it calls.
    pub address: SocketAddr,
}

/// What was answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub body: String,
    /// The body as JSON, where it is that.
    pub json: Value,
}

impl Answer {
    /// The code of an error in either format; empty for a success.
    #[must_use]
    pub fn code(&self) -> &str {
        let in_xml = || Some(self.body.split_once("<Code>")?.1.split_once("</Code>")?.0);
        self.json.get("Code").and_then(Value::as_str).or_else(in_xml).unwrap_or_default()
    }

    /// The value behind a pointer such as `/User/UserName`, as text.
    #[must_use]
    pub fn text(&self, pointer: &str) -> String {
        match self.json.pointer(pointer) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        }
    }

    /// This answer, which must be a success.
    #[expect(clippy::return_self_not_must_use, clippy::must_use_candidate, reason = "it asserts, too")]
    pub fn ok(self) -> Self {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        self
    }
}

/// A call that is signed and not yet sent; a copy of it is what a thief sends again.
#[derive(Debug, Clone)]
pub struct Signed {
    /// The method.
    pub method: Method,
    /// The query, encoded.
    pub query: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The form, encoded.
    pub body: String,
}

impl Kit {
    /// The door of the RAM protocol.
    pub fn api_router(&self) -> Router {
        door(self.core())
    }

    /// A program with this key, which signs by version 3. A second passes, so that its calls, signed to the second, are
    /// signed after the server started.
    #[must_use]
    pub fn client(&self, key: Key) -> Client {
        self.advance(Duration::from_secs(1));
        let address = SocketAddr::from(([192, 0, 2, 9], 40_000));
        Client { router: self.api_router(), key, version: Version::V3, address }
    }

    /// A program with a new key of the account's owner.
    pub async fn owner_client(&self, account: &Account) -> Client {
        let owner = self.owner_session(account).await.actor;
        let made = self.core().create_access_key(&owner, KeysOf::Oneself, origin()).await.unwrap();
        self.client(Key { id: made.id.to_string(), secret: made.secret.expose_secret().to_owned() })
    }

    /// A program with a new key of a RAM user.
    pub async fn user_client(&self, account: &Account, name: &str) -> Client {
        let owner = self.owner_session(account).await.actor;
        let made = self.core().create_access_key(&owner, KeysOf::User(name.to_owned()), origin()).await.unwrap();
        self.client(Key { id: made.id.to_string(), secret: made.secret.expose_secret().to_owned() })
    }
}

fn door(core: &Countersign) -> Router {
    countersign_ram_api::router(core.clone(), countersign_ram_api::Options { trusted_proxy_hops: 0 })
}

impl Key {
    /// Signs a call: at a time, with a nonce.
    #[must_use]
    pub fn sign(
        &self,
        version: Version,
        (at, nonce): (&str, &str),
        call: (Api, &str),
        parameters: &[(&str, &str)],
    ) -> Signed {
        match version {
            Version::V1 => self.signed_by_v1(at, nonce, call, parameters),
            Version::V3 => self.signed_by_v3(at, nonce, call, parameters),
        }
    }

    fn signed_by_v1(&self, at: &str, nonce: &str, (api, action): (Api, &str), parameters: &[(&str, &str)]) -> Signed {
        let common = [
            ("Action", action),
            ("Version", api.version()),
            ("Format", "JSON"),
            ("AccessKeyId", &self.id),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureVersion", "1.0"),
            ("SignatureType", ""),
            ("SignatureNonce", nonce),
            ("Timestamp", at),
        ];
        // What is given by the test stands in place of what is usual.
        let given = |name: &str| parameters.iter().any(|(given, _)| *given == name);
        let usual = common.iter().filter(|(name, _)| !given(name));
        let mut all: Vec<(&str, &str)> = usual.chain(parameters).copied().collect();
        let signature = v1::sign(&v1::string_to_sign("POST", all.iter().copied()), &self.secret);
        all.push(("Signature", &signature));
        let body = canonical::query(all.iter().copied()).replace("%20", "+");
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_static(HOST));
        headers.insert("content-type", HeaderValue::from_static("application/x-www-form-urlencoded"));
        headers.insert("x-acs-action", action.parse().unwrap());
        Signed { method: Method::POST, query: String::new(), headers, body }
    }

    fn signed_by_v3(&self, at: &str, nonce: &str, (api, action): (Api, &str), parameters: &[(&str, &str)]) -> Signed {
        let query = canonical::query(parameters.iter().copied());
        let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(b""));
        let signed = [
            ("host", HOST),
            ("user-agent", "a test's program"),
            ("x-acs-action", action),
            ("x-acs-content-sha256", &hash),
            ("x-acs-date", at),
            ("x-acs-signature-nonce", nonce),
            ("x-acs-version", api.version()),
        ];
        let names = signed.map(|(name, _)| name).join(";");
        let lines: Vec<String> = signed.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let lines = lines.concat();
        let canonical = format!("POST\n/\n{query}\n{lines}\n{names}\n{hash}");
        let signature = v3::sign(&v3::string_to_sign(&canonical), &self.secret);
        let authorization =
            format!("{} Credential={},SignedHeaders={names},Signature={signature}", v3::ALGORITHM, self.id);
        let mut headers = HeaderMap::new();
        for (name, value) in signed {
            headers.insert(name, value.parse().unwrap());
        }
        headers.insert("authorization", authorization.parse().unwrap());
        Signed { method: Method::POST, query: query.replace("%20", "+"), headers, body: String::new() }
    }
}

impl Client {
    /// The same program, which signs by version 1.
    #[must_use]
    pub fn v1(self) -> Self {
        self.signing(Version::V1)
    }

    /// The same program, which signs by this version.
    #[must_use]
    pub fn signing(mut self, version: Version) -> Self {
        self.version = version;
        self
    }

    /// The same program, which calls another node.
    #[must_use]
    pub fn at(mut self, node: &Countersign) -> Self {
        self.router = door(node);
        self
    }

    /// Calls RAM.
    pub async fn ram(&self, kit: &Kit, action: &str, parameters: &[(&str, &str)]) -> Answer {
        self.call(kit, Api::Ram, action, parameters).await
    }

    /// Calls IMS.
    pub async fn ims(&self, kit: &Kit, action: &str, parameters: &[(&str, &str)]) -> Answer {
        self.call(kit, Api::Ims, action, parameters).await
    }

    /// Signs a call and sends it.
    pub async fn call(&self, kit: &Kit, api: Api, action: &str, parameters: &[(&str, &str)]) -> Answer {
        self.send(&self.signed(kit, api, action, parameters)).await
    }

    /// Signs a call at the kit's time, with a nonce of its own.
    #[must_use]
    pub fn signed(&self, kit: &Kit, api: Api, action: &str, parameters: &[(&str, &str)]) -> Signed {
        let nonce = kit.core().new_request_id();
        self.signed_at(&kit.clock().now().to_rfc3339(), &nonce, (api, action), parameters)
    }

    /// Signs a call at a time of its own.
    #[must_use]
    pub fn signed_at(&self, at: &str, nonce: &str, call: (Api, &str), parameters: &[(&str, &str)]) -> Signed {
        self.key.sign(self.version, (at, nonce), call, parameters)
    }

    /// Sends a signed call.
    pub async fn send(&self, signed: &Signed) -> Answer {
        let uri = format!("/?{}", signed.query);
        let request = Request::builder().method(&signed.method).uri(uri).body(Body::from(signed.body.clone()));
        let mut request = request.unwrap();
        *request.headers_mut() = signed.headers.clone();
        self.send_raw(request).await
    }

    /// Sends a request as it is.
    pub async fn send_raw(&self, mut request: Request<Body>) -> Answer {
        request.extensions_mut().insert(ConnectInfo(self.address));
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        let json = serde_json::from_str(&body).unwrap_or(Value::Null);
        Answer { status: parts.status, headers: parts.headers, body, json }
    }
}
