//! The page *Verify Identity*: it comes in the place of the answer when a form asks for a sensitive operation.
//!
//! The form is sealed for its session and its path, lies in the page while the person proves who he is, and is then sent to
//! its handler again, which knows nothing of all this. A wrong proof shows the page once more.

use crate::Console;
use crate::answer::{self, page, plain_page, refusal_text, with_cookie};
use crate::cookies::Cookie;
use crate::fields::Fields;
use crate::frame::{Frame, Place, Problems};
use crate::locales::Words;
use crate::visitor::{Member, Visitor};
use askama::Template;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_LENGTH, HeaderValue, REFERER, SET_COOKIE, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use countersign_core::step_up::ProofDemand;
use countersign_core::{Error, Refusal};
use countersign_model::principal::PrincipalKind;
use countersign_model::token::Token;
use std::sync::Arc;
use zeroize::Zeroizing;

/// The most bytes of a form; whoever sends more is refused before.
const LONGEST_FORM: usize = 64 * 1024;
const ASKED: &str = "verify_request";
const CARRIED: &str = "verify_form";
const PROOF: &str = "verify_proof";
const RESPONSE: &str = "response";
/// The id of the form that asks for a key.
const KEY_FORM: &str = "verify_response";

#[derive(Template)]
#[template(path = "step_up.html")]
struct Page {
    t: Words,
    frame: Frame,
    problems: Problems,
    operation: String,
    by_code: bool,
    by_password: bool,
    /// What the browser is asked for a key; empty where none is bound.
    options: String,
    is_owner: bool,
    path: String,
    request: String,
    form: String,
    back: String,
    now: i64,
}

/// A demand for a proof, on its way from the handler to this layer.
#[derive(Clone)]
pub(crate) struct Demanded(pub(crate) ProofDemand);

/// What a handler answers when a proof is asked for: nothing but the demand, which this layer turns into the page.
pub(crate) fn demand(demand: ProofDemand) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    response.extensions_mut().insert(Demanded(demand));
    response
}

/// A form under way.
struct Sent {
    parts: Parts,
    form: Zeroizing<Vec<u8>>,
}

impl Sent {
    fn path(&self) -> String {
        self.parts.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string)
    }

    fn request(&self, form: &[u8], member: Member) -> Request {
        let mut parts = self.parts.clone();
        parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(form.len()));
        parts.extensions.insert(member);
        Request::from_parts(parts, Body::from(form.to_vec()))
    }
}

/// Lets forms through, shows the page when one of them is answered with a demand, and takes what the page sends.
pub(crate) async fn layer(State(console): State<Console>, request: Request, next: Next) -> Response {
    if *request.method() != Method::POST {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let visitor = Visitor::new(&parts, &console);
    let (Some(member), Ok(form)) = (parts.extensions.get::<Member>().cloned(), to_bytes(body, LONGEST_FORM).await)
    else {
        return plain_page(&visitor, StatusCode::PAYLOAD_TOO_LARGE, "error-not-found");
    };
    let sent = Sent { parts, form: Zeroizing::new(form.to_vec()) };
    let fields = Fields::read(&sent.parts.headers, &sent.form);
    if fields.ticked(ASKED) {
        return take_proof(&console, (&visitor, &member), (&sent, &fields), next).await;
    }
    let response = next.run(sent.request(&sent.form, member.clone())).await;
    match response.extensions().get::<Demanded>() {
        None => response,
        Some(Demanded(asked)) => {
            show(&console, (&visitor, &member), &sent, (asked, &sent.form), Problems::default()).await
        }
    }
}

async fn take_proof(
    console: &Console,
    (visitor, member): (&Visitor, &Member),
    (sent, fields): (&Sent, &Fields),
    next: Next,
) -> Response {
    let over = || answer::failure(console, visitor, Refusal::ProofOver.into());
    let Some(asked) = Token::parse(&fields.text(ASKED)) else { return over() };
    let Some(form) = console.core.open_form(&member.0, &sent.path(), &fields.text(CARRIED)) else { return over() };
    let by_key = fields.ticked(RESPONSE);
    let proved = if by_key {
        console.core.prove_with_key(&member.0, &asked, fields.text(RESPONSE), &visitor.origin).await
    } else {
        console.core.prove(&member.0, &asked, fields.secret(PROOF), &visitor.origin).await
    };
    match proved {
        Ok(token) => {
            let renewed = match console.core.session(&token).await {
                Ok(actor) => Member(Arc::new(actor.asking_from(&visitor.origin).with_proof(asked))),
                Err(error) => return answer::failure(console, visitor, error),
            };
            let response = next.run(sent.request(&form, renewed.clone())).await;
            let response = match response.extensions().get::<Demanded>() {
                None => response,
                // Something has changed meanwhile: it is asked for anew.
                Some(Demanded(again)) => {
                    show(console, (visitor, &renewed), sent, (again, &form), Problems::default()).await
                }
            };
            with_session(console, response, &token)
        }
        Err(Error::Refused {
            refusal:
                refusal @ (Refusal::WrongCode
                | Refusal::OldPasswordIncorrect
                | Refusal::KeyNotAccepted
                | Refusal::KeyNotAllowed
                | Refusal::KeyDisowned
                | Refusal::KeyUnknown
                | Refusal::CeremonyOver),
            ..
        }) => {
            let text = if by_key && refusal == Refusal::WrongCode {
                visitor.words.s("webauthn-wrong")
            } else {
                refusal_text(&visitor.words, refusal)
            };
            let problems = Problems::one(if by_key { KEY_FORM } else { PROOF }, text);
            match console.core.proof_demand(&member.0, &asked).await {
                Ok(asked) => show(console, (visitor, member), sent, (&asked, &form), problems).await,
                Err(error) => answer::failure(console, visitor, error),
            }
        }
        Err(error) => answer::failure(console, visitor, error),
    }
}

/// Hands the session's new secret to the browser, unless the operation itself has renewed it once more.
fn with_session(console: &Console, response: Response, token: &Token) -> Response {
    let Some(cookie) = console.options.set_cookie(Cookie::Session, token.expose()) else { return response };
    let name = cookie.as_bytes().split(|byte| *byte == b'=').next().unwrap_or_default();
    let sets_it =
        |value: &HeaderValue| value.as_bytes().strip_prefix(name).is_some_and(|rest| rest.first() == Some(&b'='));
    if response.headers().get_all(SET_COOKIE).iter().any(sets_it) {
        return response;
    }
    with_cookie(response, Some(cookie))
}

async fn show(
    console: &Console,
    (visitor, member): (&Visitor, &Member),
    sent: &Sent,
    (asked, form): (&ProofDemand, &[u8]),
    problems: Problems,
) -> Response {
    let path = sent.path();
    let form = match console.core.seal_form(&member.0, &path, form) {
        Ok(form) => form,
        Err(error) => return answer::failure(console, visitor, error),
    };
    let (options, problems) = if asked.ways.key {
        match console.core.begin_proof(&member.0, &asked.token, &visitor.origin).await {
            Ok(prompt) => (prompt.options, problems),
            // A code may be left.
            Err(Error::Refused { refusal: refusal @ Refusal::NoKeyUsable, .. }) => {
                let none = Problems::one(KEY_FORM, refusal_text(&visitor.words, refusal));
                (String::new(), if asked.ways.code { problems } else { none })
            }
            Err(error) => return answer::failure(console, visitor, error),
        }
    } else {
        (String::new(), problems)
    };
    let suffix = &console.core.identity().suffix;
    let back = back(console, sent);
    let template = Page {
        t: visitor.words.clone(),
        frame: Frame { path: back.clone(), ..Frame::of_console(visitor, member, suffix, Place::around(&path)) },
        problems,
        operation: visitor.words.s(&format!("ram-event-{}", asked.action.code())),
        by_code: asked.ways.code,
        by_password: asked.ways.password,
        options,
        is_owner: member.0.session().kind == PrincipalKind::Owner,
        path,
        request: asked.token.expose().to_owned(),
        form,
        back,
        now: console.core.now().millis(),
    };
    let mut response = page(StatusCode::UNAUTHORIZED, &template);
    // A 401 has to name a scheme; this one tells browsers nothing they could do by themselves.
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Form realm=\"verify identity\""));
    response
}

/// The page of this site that the form lies on, to go back to.
fn back(console: &Console, sent: &Sent) -> String {
    let from = sent.parts.headers.get(REFERER).and_then(|value| value.to_str().ok());
    let path = from.and_then(|from| from.strip_prefix(console.options.public_url.as_str()));
    path.filter(|path| path.starts_with('/')).unwrap_or("/").to_owned()
}
