//! An administrator makes, enables, disables and deletes the AccessKeys of a RAM user. The list is a tab of the user's page.

use super::access_keys::{Failed, Holder, Query, ask, change as do_change, problems};
use super::ram_asker::Asker;
use super::ram_user::{Tab, show_problems};
use crate::answer::see;
use crate::fields::{AddressQuery, Fields};
use axum::extract::Path;
use axum::response::Response;

/// `GET /ram/users/{name}/access-keys?ask=&key=`: the question before a key is disabled or deleted.
pub(crate) async fn show(asker: Asker, Path(name): Path<String>, AddressQuery(query): AddressQuery<Query>) -> Response {
    // His name as it is written, and whether there is such a user.
    let user = match asker.user(&name).await {
        Ok(user) => user,
        Err(response) => return response,
    };
    let holder = Holder::user(&asker, &user.user.name);
    if query.ask.is_empty() {
        return see(&holder.list);
    }
    match ask(&asker, holder, &query).await {
        Ok(response) => response,
        Err(failed) => back(&asker, &name, failed).await,
    }
}

/// `POST /ram/users/{name}/access-keys`.
pub(crate) async fn change(asker: Asker, Path(name): Path<String>, fields: Fields) -> Response {
    match do_change(&asker, Holder::user(&asker, &name), &fields).await {
        Ok(response) => response,
        Err(failed) => back(&asker, &name, failed).await,
    }
}

/// The tab with what went wrong.
async fn back(asker: &Asker, name: &str, failed: Failed) -> Response {
    match problems(asker, failed) {
        Ok(problems) => show_problems(asker, name, Tab::AccessKeys, problems).await,
        Err(error) => asker.failure(error),
    }
}
