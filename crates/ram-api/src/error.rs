//! What is answered when something is not done: the codes, statuses and words of the cloud's gateway.

use crate::answer::Node;
use std::borrow::Cow;

/// A refusal or failure as the caller is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    status: u16,
    code: Cow<'static, str>,
    message: Cow<'static, str>,
}

impl ApiError {
    /// An error of this status, code and message.
    #[must_use]
    pub fn new(status: u16, code: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code: code.into(), message: message.into() }
    }

    /// The status of HTTP.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// The code that programs look at.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The message for people.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The body of the answer.
    #[must_use]
    pub fn body(&self, request_id: &str, product: &str, host: &str) -> Node {
        let recommend =
            format!("https://api.aliyun.com/troubleshoot?q={}&product={product}&requestId={request_id}", self.code);
        Node::object([
            ("RequestId", request_id.into()),
            ("HostId", host.into()),
            ("Code", self.code().into()),
            ("Message", self.message().into()),
            ("Recommend", Node::Text(recommend)),
        ])
    }

    // ---- What every action can be refused for ----

    /// Version 1, a wrong signature. One of the SDKs compares what follows the colon with its own string to sign.
    #[must_use]
    pub fn wrong_signature_v1(string_to_sign: &str) -> Self {
        let message = format!(
            "Specified signature is not matched with our calculation. server string to sign is:{string_to_sign}"
        );
        Self::new(400, "SignatureDoesNotMatch", message)
    }

    /// Version 3, a wrong signature.
    #[must_use]
    pub fn wrong_signature_v3(string_to_sign: &str, canonical_request: &str) -> Self {
        let message = format!(
            "Specified signature does not match our calculation. server StringToSign is [{string_to_sign}] \
             server CanonicalRequest is [{canonical_request}]"
        );
        Self::new(400, "SignatureDoesNotMatch", message)
    }

    /// Nobody has this AccessKey.
    #[must_use]
    pub fn access_key_not_found() -> Self {
        Self::new(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
    }

    /// The AccessKey is disabled.
    #[must_use]
    pub fn access_key_inactive() -> Self {
        Self::new(400, "InvalidAccessKeyId.Inactive", "Specified access key is disabled.")
    }

    /// The nonce was used.
    #[must_use]
    pub fn nonce_used() -> Self {
        Self::new(400, "SignatureNonceUsed", "Specified signature nonce was used already.")
    }

    /// Signed too long ago, or in the future.
    #[must_use]
    pub fn timestamp_expired() -> Self {
        Self::new(400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")
    }

    pub(crate) fn malformed_timestamp() -> Self {
        Self::new(400, "InvalidTimeStamp.Format", "Specified time stamp or date value is not well formatted.")
    }

    pub(crate) fn incomplete_signature() -> Self {
        Self::new(400, "IncompleteSignature", "The request signature does not conform to Aliyun standards.")
    }

    pub(crate) fn malformed_security_token() -> Self {
        Self::new(400, "InvalidSecurityToken.Malformed", "Specified SecurityToken is malformed.")
    }

    /// A parameter that must be there is not.
    #[must_use]
    pub fn missing(name: &'static str) -> Self {
        Self::new(400, format!("Missing{name}"), format!("{name} is mandatory for this action."))
    }

    /// A parameter that cannot be what it should.
    #[must_use]
    pub fn invalid_parameter(name: &'static str) -> Self {
        let message = format!("The parameter - \"{name}\" is incorrect.");
        Self::new(400, format!("InvalidParameter.{name}"), message)
    }

    /// Parameters of which exactly one has to be there.
    pub(crate) fn only_one_of(names: &[&str]) -> Self {
        let names = names.join(", ");
        Self::new(400, "InvalidParameter", format!("Only one of these parameters can be given: {names}."))
    }

    /// What a layer of HTTP has answered in place of the door.
    pub(crate) fn of_layer(status: u16) -> Self {
        let error = match status {
            413 => Self::parameters_too_long(),
            503 | 504 => Self::unavailable(),
            400..500 => Self::new(status, "InvalidParameter", "The request could not be read."),
            _ => Self::internal(),
        };
        Self { status, ..error }
    }

    pub(crate) fn invalid_version() -> Self {
        Self::new(400, "InvalidVersion", "Specified parameter Version is not valid.")
    }

    pub(crate) fn action_not_found() -> Self {
        Self::new(404, "InvalidAction.NotFound", "Specified api is not found, please check your url and method.")
    }

    pub(crate) fn unsupported_method() -> Self {
        Self::new(400, "UnsupportedHTTPMethod", "This http method is not supported: use GET or POST.")
    }

    pub(crate) fn unsupported_body() -> Self {
        Self::new(400, "InvalidParameter", "The body has to be empty or application/x-www-form-urlencoded.")
    }

    pub(crate) fn malformed_parameters() -> Self {
        Self::new(400, "InvalidParameter", "The parameters are not well-formed UTF-8 in percent-encoding.")
    }

    pub(crate) fn parameters_too_long() -> Self {
        Self::new(400, "InvalidParameter", "There are too many parameters, or one of them is too long.")
    }

    pub(crate) fn repeated_parameter() -> Self {
        Self::new(400, "InvalidParameter", "A parameter is given twice.")
    }

    /// The caller may not do it.
    #[must_use]
    pub fn no_permission() -> Self {
        Self::new(403, "NoPermission", "You are not authorized to do this action.")
    }

    pub(crate) fn throttled() -> Self {
        Self::new(429, "Throttling.User", "Request was denied due to user flow control.")
    }

    pub(crate) fn unavailable() -> Self {
        Self::new(503, "ServiceUnavailable", "The request has failed due to a temporary failure of the server.")
    }

    pub(crate) fn internal() -> Self {
        Self::new(500, "InternalError", "An internal error occurred.")
    }
}
