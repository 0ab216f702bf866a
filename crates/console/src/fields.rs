//! The fields of a form. A field that is missing or comes twice is empty, and so is everything that is not a form: core
//! then judges it like any other wrong value, and counts it.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::response::Response;
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::convert::Infallible;
use zeroize::Zeroizing;

/// What was typed into a form.
#[derive(Default)]
pub(crate) struct Fields(HashMap<String, Vec<Zeroizing<String>>>);

impl Fields {
    /// The value of a field, white space around it removed.
    pub(crate) fn text(&self, name: &str) -> String {
        self.one(name).trim().to_owned()
    }

    /// The value of a field as typed, kept secret.
    pub(crate) fn secret(&self, name: &str) -> SecretString {
        self.one(name).to_owned().into()
    }

    /// All values of a field that may come several times.
    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        self.0.get(name).into_iter().flatten().map(|value| value.trim().to_owned()).collect()
    }

    /// Whether a box was ticked.
    pub(crate) fn ticked(&self, name: &str) -> bool {
        !self.one(name).is_empty()
    }

    fn one(&self, name: &str) -> &str {
        match self.0.get(name).map(Vec::as_slice) {
            Some([value]) => value,
            Some(_) | None => "",
        }
    }
}

impl Fields {
    /// The fields of a body that says it is a form; none otherwise.
    pub(crate) fn read(headers: &HeaderMap, body: &[u8]) -> Self {
        let is_form = headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"));
        let mut fields: HashMap<String, Vec<Zeroizing<String>>> = HashMap::new();
        if is_form {
            for (name, value) in form_urlencoded::parse(body) {
                fields.entry(name.into_owned()).or_default().push(Zeroizing::new(value.into_owned()));
            }
        }
        Self(fields)
    }
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let headers = request.headers().clone();
        let body = Bytes::from_request(request, state).await.map_err(axum::response::IntoResponse::into_response)?;
        Ok(Self::read(&headers, &body))
    }
}

/// What the query of an address asks for; an address that cannot be read asks for nothing special.
pub(crate) struct AddressQuery<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequestParts<S> for AddressQuery<T> {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(Query::try_from_uri(&parts.uri).map(|Query(query)| query).unwrap_or_default()))
    }
}
