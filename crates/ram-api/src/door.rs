//! The door: takes a request, finds out who signed it, runs its action, and writes the answer.
//!
//! The order is that of the cost and of what may be told: what the request is and whether it is near in time, whose key it
//! names, whether the signature is right, whether the key is active, whether the nonce is new; then the action. A stranger
//! learns nothing but whether a key exists, as in the cloud.

use crate::actions;
use crate::answer::{Format, Node};
use crate::api::Api;
use crate::call::{Answered, Call};
use crate::error::ApiError;
use crate::refusals::api_error;
use crate::request::{Request, format_of_undecoded, format_unasked};
use crate::signature::Claim;
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use countersign_core::access_keys::FoundAccessKey;
use countersign_core::{Countersign, Error, Origin, Refusal, SignedCall, client_address};
use countersign_model::access_key::AccessKeyState;
use std::net::SocketAddr;
use std::sync::Arc;

/// The longest body of a request.
pub const BODY_LIMIT: usize = 64 * 1024;

/// How the door is reached.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many proxies before this server are trusted to add the client's address to `X-Forwarded-For`.
    pub trusted_proxy_hops: usize,
}

#[derive(Clone)]
struct Door {
    core: Countersign,
    options: Arc<Options>,
}

/// The door. The server must provide `ConnectInfo<SocketAddr>`.
pub fn router(core: Countersign, options: Options) -> Router {
    let door = Door { core, options: Arc::new(options) };
    // One path, and any other is answered in the same way.
    Router::new().route("/", axum::routing::any(serve)).fallback(serve).with_state(door)
}

async fn serve(State(door): State<Door>, request: axum::extract::Request) -> Response {
    let (parts, body) = request.into_parts();
    let id = door.core.new_request_id();
    let origin = door.origin(&parts);
    let Ok(body) = axum::body::to_bytes(body, BODY_LIMIT).await else {
        let format = format_of_undecoded(&parts.uri, &[]).unwrap_or_else(|| format_unasked(&parts.headers));
        return refused(&door.core, &ApiError::parameters_too_long(), (format, None), &id);
    };
    let unasked = format_unasked(&parts.headers);
    let request = match Request::decode(&parts.method, &parts.uri, parts.headers, &body) {
        Ok(request) => request,
        Err(error) => {
            let format = format_of_undecoded(&parts.uri, &body).unwrap_or(unasked);
            return refused(&door.core, &error, (format, None), &id);
        }
    };
    let format = request.format().unwrap_or_else(|_| request.format_unasked());
    let api = request.addressed().ok().and_then(|(_, version)| Api::of_version(version));
    match door.answer(&request, origin, &id).await {
        Ok((action, fields)) => answered(&action, fields, format, &id),
        Err(error) => refused(&door.core, &error, (format, api), &id),
    }
}

/// Gives the answers of the layers around the door (to a body that is too long, a request that takes too long, after a
/// panic) the shape of its errors. The server puts this around all of them.
pub async fn in_shape(State(core): State<Countersign>, request: axum::extract::Request, next: Next) -> Response {
    let format = format_of_undecoded(request.uri(), &[]).unwrap_or_else(|| format_unasked(request.headers()));
    let response = next.run(request).await;
    // The door names each of its answers.
    if response.headers().contains_key(REQUEST_ID) {
        return response;
    }
    refused(&core, &ApiError::of_layer(response.status().as_u16()), (format, None), &core.new_request_id())
}

/// The header that names a request, as its answer does.
const REQUEST_ID: &str = "x-acs-request-id";

impl Door {
    fn origin(&self, parts: &Parts) -> Origin {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let agent = parts.headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
        let forwarded = parts.headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
        Origin::new(client_address(peer, forwarded, self.options.trusted_proxy_hops), agent)
    }

    async fn answer(
        &self,
        request: &Request,
        mut origin: Origin,
        id: &str,
    ) -> Result<(String, Vec<(&'static str, Node)>), ApiError> {
        request.format()?;
        let (action, version) = request.addressed()?;
        let api = Api::of_version(version).ok_or_else(ApiError::invalid_version)?;
        if !actions::exists(api, action) {
            return Err(ApiError::action_not_found());
        }
        let caller = self.caller(request, &origin).await?;
        origin.call = Some(Box::new(signed_call(request, api, action, id)));
        self.core.note_access_key_used(&caller.actor, api.service());
        let call = Call { core: &self.core, actor: &caller.actor, origin: &origin, api, action, request };
        let fields: Answered = actions::run(&call).await;
        Ok((action.to_owned(), fields?))
    }

    /// Who signed the request.
    async fn caller(&self, request: &Request, origin: &Origin) -> Result<FoundAccessKey, ApiError> {
        let claim = Claim::read(request)?;
        self.core.judge_signed_at(claim.signed_at).map_err(|error| api_error(&error))?;
        let found = match self.core.access_key(claim.access_key_id).await {
            Ok(found) => found,
            Err(Error::Refused { refusal: Refusal::SigningKeyNotFound, .. }) => {
                self.count(origin, "InvalidAccessKeyId.NotFound").await;
                return Err(ApiError::access_key_not_found());
            }
            Err(error) => return Err(api_error(&error)),
        };
        let secret = std::str::from_utf8(&found.secret).map_err(|_| ApiError::internal())?;
        if let Err(error) = claim.verify(request, secret) {
            self.count(origin, "SignatureDoesNotMatch").await;
            return Err(error);
        }
        match found.actor.state(self.core.now()) {
            AccessKeyState::Active => {}
            AccessKeyState::Inactive | AccessKeyState::Idle => {
                self.count(origin, "InvalidAccessKeyId.Inactive").await;
                return Err(ApiError::access_key_inactive());
            }
        }
        let spent = self.core.spend_nonce(found.actor.access_key_id(), claim.nonce, claim.signed_at).await;
        if let Err(error) = spent {
            if error.refusal() == Some(Refusal::NonceUsed) {
                self.count(origin, "SignatureNonceUsed").await;
            }
            return Err(api_error(&error));
        }
        Ok(found)
    }

    async fn count(&self, origin: &Origin, code: &'static str) {
        if let Err(error) = self.core.count_refused_call(origin, code).await {
            tracing::warn!(%error, code, "a refused call was not counted");
        }
    }
}

fn refused(core: &Countersign, error: &ApiError, (format, api): (Format, Option<Api>), id: &str) -> Response {
    let product = api.unwrap_or(Api::Ram).product();
    let host = format!("{}.{}", product.to_lowercase(), core.identity().suffix);
    let body = error.body(id, product, &host).write_error(format);
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response(status, format, id, body)
}

/// The parameters that the audit log tells of: names and states of what the call is about. None of them is a secret, and
/// none says more of a person than his name in the account.
const TOLD: &[&str] = &[
    "UserName",
    "UserPrincipalName",
    "UserId",
    "NewUserName",
    "NewUserPrincipalName",
    "GroupName",
    "NewGroupName",
    "PolicyName",
    "PolicyType",
    "VersionId",
    "SetAsDefault",
    "SerialNumber",
    "VirtualMFADeviceName",
    "UserAccessKeyId",
    "Status",
    "MFABindRequired",
    "PasswordResetRequired",
    "VerifyType",
    "PasskeyId",
    "AccountAlias",
    "DefaultDomainName",
];

/// The call as the audit log tells of it.
fn signed_call(request: &Request, api: Api, action: &str, id: &str) -> SignedCall {
    let told = TOLD.iter().filter_map(|name| Some((*name, request.text(name)?.to_owned())));
    SignedCall {
        request_id: id.to_owned(),
        service: api.service(),
        version: api.version(),
        action: action.to_owned(),
        parameters: told.collect(),
    }
}

fn answered(action: &str, fields: Vec<(&'static str, Node)>, format: Format, id: &str) -> Response {
    let mut all = vec![("RequestId", Node::from(id))];
    all.extend(fields);
    response(StatusCode::OK, format, id, Node::Object(all).write(format, &format!("{action}Response")))
}

fn response(status: StatusCode, format: Format, id: &str, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
    // Some answers hold a secret that is told once.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
    response
}
