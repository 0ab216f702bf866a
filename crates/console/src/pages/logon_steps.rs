//! What the pages of a logon share: going on to the next step, and as whom one logs on.

use crate::Console;
use crate::answer::{self, see, with_cookie};
use crate::cookies::Cookie;
use crate::frame::LogonName;
use crate::visitor::Visitor;
use axum::response::Response;
use countersign_core::logon::{LogonStep, LogonView};
use countersign_core::{Countersign, Error};
use countersign_model::logon::LogonState;
use countersign_model::principal::PrincipalKind;
use countersign_model::token::Token;

/// The page of a state.
pub(crate) const fn page_of(state: LogonState) -> &'static str {
    match state {
        LogonState::Password => "/logon/password",
        LogonState::SecondFactor => "/logon/second-factor",
        LogonState::ChoosePassword => "/logon/choose-password",
        LogonState::Bind => "/logon/bind",
    }
}

/// The response to a step: the next page with its new secret, the console with a session, or the failure.
pub(crate) fn go_on(console: &Console, visitor: &Visitor, step: Result<LogonStep, Error>) -> Response {
    let options = &console.options;
    match step {
        Ok(LogonStep::Ask { state, token }) => {
            with_cookie(see(page_of(state)), options.set_cookie(Cookie::Logon, token.expose()))
        }
        Ok(LogonStep::Open { token, kind, urge_binding, offer_recovery_codes, given, .. }) => {
            let landing = landing(kind, if offer_recovery_codes { Urge::Codes } else { Urge::binding(urge_binding) });
            let response = with_cookie(see(landing), options.remove_cookie(Cookie::Logon));
            let response = with_cookie(response, options.set_cookie(Cookie::Browser, given.browser.expose()));
            let machine = given.machine.as_ref().and_then(|token| options.set_cookie(Cookie::Machine, token.expose()));
            with_cookie(with_cookie(response, machine), options.set_cookie(Cookie::Session, token.expose()))
        }
        Err(error) => answer::failure(console, visitor, error),
    }
}

/// What somebody should do first.
#[derive(Clone, Copy)]
enum Urge {
    Nothing,
    Bind,
    Codes,
}

impl Urge {
    const fn binding(urged: bool) -> Self {
        if urged { Self::Bind } else { Self::Nothing }
    }
}

/// Where a session begins.
const fn landing(kind: PrincipalKind, urge: Urge) -> &'static str {
    match (kind, urge) {
        (PrincipalKind::Owner, Urge::Bind) => "/account/welcome",
        (PrincipalKind::Owner, Urge::Nothing) => "/ram/overview",
        (PrincipalKind::Owner, Urge::Codes) => "/account/security/recovery-codes?offered=1",
        (PrincipalKind::RamUser, Urge::Codes) => "/me/security/recovery-codes?offered=1",
        (PrincipalKind::RamUser, Urge::Nothing | Urge::Bind) => "/",
    }
}

/// The logon that this browser holds, if it waits for `state`; or else the page that it waits for.
pub(crate) async fn waiting_for(
    console: &Console,
    visitor: &Visitor,
    token: &Token,
    state: LogonState,
) -> Result<LogonView, Response> {
    match console.core.logon(token).await {
        Ok(view) if view.state == state => Ok(view),
        Ok(view) => Err(see(page_of(view.state))),
        Err(error) => Err(answer::failure(console, visitor, error)),
    }
}

/// As whom one logs on, as the pages show it.
pub(crate) fn shown_name(core: &Countersign, view: &LogonView) -> LogonName {
    match view.kind {
        PrincipalKind::Owner => LogonName::new(view.name.clone()),
        PrincipalKind::RamUser => LogonName::new(format!("{}.{}", view.name, core.identity().suffix)),
    }
}
