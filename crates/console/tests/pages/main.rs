//! The pages as a browser meets them, over the whole stack in process. What core decides is tested in core; here stands
//! what the door itself must hold: which route needs what, whose forms are taken, what leaks.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may panic"
)]

mod access;
mod access_keys;
mod audit;
mod held_keys;
mod keys;
mod logon;
mod mfa_check;
mod notices;
mod own;
mod recovery;
mod remember;
mod routes;
mod sessions;
mod settings;

use countersign_testkit::http::{Browser, Page};
use countersign_testkit::{Account, Kit, Person};

/// The name that a person types on the first page.
fn typed_name(person: &Person) -> (&'static str, String) {
    match &person.logon_name {
        countersign_model::names::LogonName::Owner { email } => ("owner", email.clone()),
        countersign_model::names::LogonName::RamUser { user, account } => {
            ("ram-user", format!("{user}@{account}.countersign.local"))
        }
    }
}

/// A browser that has said who its person is.
async fn named(kit: &Kit, person: &Person) -> Browser {
    let mut browser = kit.browser();
    let (kind, name) = typed_name(person);
    let page = browser.post("/logon", &[("as", kind), ("name", &name)]).await;
    assert_eq!(page.location.as_deref(), Some("/logon/password"), "{}", page.text());
    browser
}

/// A browser that has passed the password, and the page that came then.
async fn past_password(kit: &Kit, person: &Person) -> (Browser, Page) {
    let mut browser = named(kit, person).await;
    let page = browser.post("/logon/password", &[("password", &person.password)]).await;
    (browser, page)
}

/// A browser with a session by password alone.
async fn logged_on(kit: &Kit, person: &Person) -> Browser {
    let (browser, page) = past_password(kit, person).await;
    assert!(browser.cookie("countersign-session").is_some(), "{}", page.text());
    browser
}

/// A browser of the owner of an account.
async fn owner(kit: &Kit, account: &Account) -> Browser {
    logged_on(kit, &account.owner).await
}
