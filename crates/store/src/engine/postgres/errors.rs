//! PostgreSQL's errors, told by who is at fault.

use std::error::Error as _;
use std::{error, io};

use deadpool_postgres::PoolError;
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use crate::error::StoreError;

/// Another transaction got in the way.
pub(super) fn is_conflict(error: &Error) -> bool {
    let conflict = [&SqlState::T_R_SERIALIZATION_FAILURE, &SqlState::T_R_DEADLOCK_DETECTED];
    error.code().is_some_and(|code| conflict.contains(&code))
}

/// The connection is gone.
pub(super) fn is_lost(error: &Error) -> bool {
    let shut_down = [&SqlState::ADMIN_SHUTDOWN, &SqlState::CRASH_SHUTDOWN];
    match error.code() {
        Some(code) => shut_down.contains(&code),
        None => error.is_closed() || error.source().is_some_and(<dyn error::Error>::is::<io::Error>),
    }
}

/// Tells the server's and the network's errors from ours.
pub(crate) fn explain(error: &Error) -> StoreError {
    // By class: connection, authorisation, unknown database, conflict, resources, state (such as a lock), intervention,
    // the system. A read-only server is a standby.
    let weather = ["08", "28", "3D", "40", "53", "55", "57", "58", "25006"];
    let unavailable = match error.code() {
        Some(code) => weather.iter().any(|class| code.code().starts_with(class)),
        None => is_lost(error),
    };
    if unavailable { StoreError::Unavailable(problem(error)) } else { StoreError::Fault(problem(error)) }
}

/// What the error says, without the server's `DETAIL`: it quotes rows.
pub(super) fn problem(error: &Error) -> String {
    match (error.as_db_error(), error.source()) {
        (Some(told), _) => format!("{} ({})", told.message(), told.code().code()),
        (None, Some(cause)) => format!("{error}: {cause}"),
        (None, None) => error.to_string(),
    }
}

/// Without a connection, whatever the reason, the store is unavailable.
pub(super) fn explain_pool(error: &PoolError) -> StoreError {
    StoreError::Unavailable(match error {
        PoolError::Backend(error) => problem(error),
        PoolError::Timeout(_) | PoolError::Closed | PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => {
            format!("no connection: {error}")
        }
    })
}
