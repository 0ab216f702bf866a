//! A request as it came over the wire, decoded: the method, the parameters of query and form in one, the headers that
//! count, the hash of the body. Everything has a limit, and what could be read in two ways is refused.

use crate::answer::Format;
use crate::error::ApiError;
use crate::signature::canonical;
use axum::http::{HeaderMap, Method, Uri, header};
use secrecy::SecretString;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use zeroize::Zeroize as _;

/// The most parameters of a request, query and form together.
pub const MOST_PARAMETERS: usize = 256;
/// The longest name of a parameter, in bytes.
pub const LONGEST_NAME: usize = 128;
/// The longest value of a parameter, in bytes: a policy may have 6,144 characters, and a character four bytes.
pub const LONGEST_VALUE: usize = 24 * 1024;
/// The most items of a list.
pub const MOST_ITEMS: usize = 100;

/// The methods of the protocol. Both may do everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Parameters in the query.
    Get,
    /// Parameters in the query, in a form, or in both.
    Post,
}

impl Verb {
    /// As it is signed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

impl std::fmt::Display for Verb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A decoded request.
pub struct Request {
    verb: Verb,
    parameters: BTreeMap<String, Parameter>,
    headers: HeaderMap,
    authority: Option<String>,
    body_hash: [u8; 32],
}

struct Parameter {
    value: String,
    in_query: bool,
}

impl Drop for Parameter {
    fn drop(&mut self) {
        // Some are passwords.
        self.value.zeroize();
    }
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.parameters.keys().map(String::as_str).collect();
        f.debug_struct("Request").field("verb", &self.verb).field("parameters", &names).finish_non_exhaustive()
    }
}

impl Request {
    /// Decodes a request. The body is a form or empty: any other kind would be a second way to say something.
    pub fn decode(method: &Method, uri: &Uri, headers: HeaderMap, body: &[u8]) -> Result<Self, ApiError> {
        let verb = match *method {
            Method::GET => Verb::Get,
            Method::POST => Verb::Post,
            _ => return Err(ApiError::unsupported_method()),
        };
        if uri.path() != "/" {
            return Err(ApiError::action_not_found());
        }
        let mut parameters = BTreeMap::new();
        add(&mut parameters, uri.query().unwrap_or_default(), true)?;
        if !body.is_empty() {
            if verb == Verb::Get || !is_form(&headers) {
                return Err(ApiError::unsupported_body());
            }
            let form = std::str::from_utf8(body).map_err(|_| ApiError::malformed_parameters())?;
            add(&mut parameters, form, false)?;
        }
        let authority = uri.authority().map(|authority| authority.as_str().to_owned());
        Ok(Self { verb, parameters, headers, authority, body_hash: Sha256::digest(body).into() })
    }

    /// The method.
    #[must_use]
    pub const fn method(&self) -> Verb {
        self.verb
    }

    /// The SHA-256 of the body as it came.
    #[must_use]
    pub const fn body_hash(&self) -> &[u8; 32] {
        &self.body_hash
    }

    /// The value of a parameter, of the query or of the form.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(|parameter| parameter.value.as_str())
    }

    /// All parameters by name.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parameters.iter().map(|(name, parameter)| (name.as_str(), parameter.value.as_str()))
    }

    /// The parameters of the query by name.
    pub fn query(&self) -> impl Iterator<Item = (&str, &str)> {
        let in_query = self.parameters.iter().filter(|(_, parameter)| parameter.in_query);
        in_query.map(|(name, parameter)| (name.as_str(), parameter.value.as_str()))
    }

    /// The first header of this name, if it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| std::str::from_utf8(value.as_bytes()).ok())
    }

    /// The header of this name, if there is exactly one and it is text. `host` may have come as the target's authority
    /// (HTTP/2); two that differ are none.
    #[must_use]
    pub fn only_header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let (first, second) = (values.next(), values.next());
        if second.is_some() {
            return None;
        }
        let first = first.map(|value| std::str::from_utf8(value.as_bytes()));
        match (first, self.authority.as_deref().filter(|_| name == "host")) {
            (Some(Ok(value)), None) => Some(value),
            (Some(Ok(value)), Some(authority)) => (value == authority).then_some(value),
            (None, authority) => authority,
            (Some(Err(_)), _) => None,
        }
    }

    /// What the client wants its answer in.
    pub fn format(&self) -> Result<Format, ApiError> {
        match self.parameter("Format") {
            None | Some("") => Ok(self.format_unasked()),
            Some(text) => Format::named(text).ok_or_else(|| ApiError::invalid_parameter("Format")),
        }
    }

    /// What the answer is in when the client does not say: version 3 speaks JSON, version 1 XML.
    #[must_use]
    pub fn format_unasked(&self) -> Format {
        format_unasked(&self.headers)
    }

    /// The action and the version that are asked for: in headers where those are signed, in parameters otherwise.
    pub fn addressed(&self) -> Result<(&str, &str), ApiError> {
        let is_v3 = self.format_unasked() == Format::Json;
        let of = |name: &'static str, header: &str| {
            let found = if is_v3 { self.header(header) } else { self.parameter(name) };
            found.filter(|value| !value.is_empty()).ok_or_else(|| ApiError::missing(name))
        };
        Ok((of("Action", "x-acs-action")?, of("Version", "x-acs-version")?))
    }

    // ---- What actions read ----

    /// A text that may be left out. An empty one counts as left out: the older clients send all they know.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.parameter(name).filter(|value| !value.is_empty())
    }

    /// A text that must be there.
    pub fn required(&self, name: &'static str) -> Result<&str, ApiError> {
        self.text(name).ok_or_else(|| ApiError::missing(name))
    }

    /// A secret that may be left out.
    #[must_use]
    pub fn secret(&self, name: &str) -> Option<SecretString> {
        self.text(name).map(SecretString::from)
    }

    /// `true` or `false`, in any case: one of the SDKs writes `True`.
    pub fn boolean(&self, name: &'static str) -> Result<Option<bool>, ApiError> {
        match self.text(name) {
            None => Ok(None),
            Some(text) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Some(text) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Some(_) => Err(ApiError::invalid_parameter(name)),
        }
    }

    /// A whole number that is not negative.
    pub fn number<T: std::str::FromStr>(&self, name: &'static str) -> Result<Option<T>, ApiError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let digits = text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = digits.then(|| text.parse().ok()).flatten();
        number.map(Some).ok_or_else(|| ApiError::invalid_parameter(name))
    }

    /// A list of texts, as a JSON array (`Name=["a","b"]`) or flattened (`Name.1=a&Name.2=b`).
    pub fn list(&self, name: &'static str) -> Result<Option<Vec<String>>, ApiError> {
        let invalid = || ApiError::invalid_parameter(name);
        let flattened: Vec<String> =
            (1..=MOST_ITEMS + 1).map_while(|n| self.parameter(&format!("{name}.{n}"))).map(str::to_owned).collect();
        // An item behind a gap, or one that is none, is not passed over.
        let of_list = |given: &&String| given.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
        if self.parameters.keys().filter(of_list).count() != flattened.len() {
            return Err(invalid());
        }
        let items = match (self.parameter(name), flattened.is_empty()) {
            (None, true) => return Ok(None),
            (Some(_), false) => return Err(invalid()),
            (None, false) => flattened,
            (Some(""), true) => Vec::new(),
            (Some(json), true) => serde_json::from_str(json).map_err(|_| invalid())?,
        };
        if items.len() > MOST_ITEMS { Err(invalid()) } else { Ok(Some(items)) }
    }
}

/// What the client says it wants its answer in, as far as that can be told of a request that could not be decoded, or not
/// even read.
pub(crate) fn format_of_undecoded(uri: &Uri, body: &[u8]) -> Option<Format> {
    let form = String::from_utf8_lossy(body);
    let pairs = canonical::pairs(uri.query().unwrap_or_default()).chain(canonical::pairs(&form)).flatten();
    pairs.filter(|(name, _)| name == "Format").find_map(|(_, value)| Format::named(&value))
}

/// What the answer is in when the client does not say: version 3 speaks JSON, version 1 XML.
pub(crate) fn format_unasked(headers: &HeaderMap) -> Format {
    let scheme = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if scheme.starts_with("ACS3-") { Format::Json } else { Format::Xml }
}

/// Reads a query or form into the parameters. A name that comes twice is refused: two programs would take different ones.
fn add(parameters: &mut BTreeMap<String, Parameter>, text: &str, in_query: bool) -> Result<(), ApiError> {
    for pair in canonical::pairs(text) {
        let (name, value) = pair.map_err(|_| ApiError::malformed_parameters())?;
        if name.len() > LONGEST_NAME || value.len() > LONGEST_VALUE || parameters.len() == MOST_PARAMETERS {
            return Err(ApiError::parameters_too_long());
        }
        if parameters.insert(name, Parameter { value, in_query }).is_some() {
            return Err(ApiError::repeated_parameter());
        }
    }
    Ok(())
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

#[cfg(test)]
mod tests;
