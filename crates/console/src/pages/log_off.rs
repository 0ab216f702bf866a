//! Logging off.

use crate::Console;
use crate::answer;
use crate::visitor::{Member, Visitor};
use axum::extract::State;
use axum::response::Response;

/// `POST /logoff`.
pub(crate) async fn log_off(State(console): State<Console>, visitor: Visitor, Member(actor): Member) -> Response {
    match console.core.log_off(&actor, &visitor.origin).await {
        Ok(()) => answer::logged_off(&console),
        Err(error) => answer::failure(&console, &visitor, error),
    }
}
