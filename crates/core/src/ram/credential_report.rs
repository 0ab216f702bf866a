//! The credential report: one line of CSV for the owner and one for each RAM user, with the columns that auditors know.

use crate::Countersign;
use crate::act::{Admitted, Deed};
use crate::actor::{Insider, Origin};
use crate::authorise::{Action, Resource};
use crate::error::{Error, Refusal};
use countersign_model::Timestamp;
use countersign_model::access_key::AccessKeyStatus;
use countersign_model::principal::{ConsoleLogon, PrincipalKind};
use countersign_model::settings::PasswordPolicy;
use countersign_store::credential_reports::{self, CredentialRow, KeyRow};
use countersign_store::{Tx, accounts};
use std::fmt::Write as _;
use std::time::Duration;

/// How long a report serves before another one is made.
pub const KEPT_FOR: Duration = Duration::from_hours(4);

/// The most lines that one answer gives.
pub const MOST_LINES: usize = 3_501;

/// How many users are read at once.
const BATCH: i64 = 500;

/// How many keys a line has room for: two, and three that the columns call additional.
const KEYS: usize = 5;

const NOT_APPLICABLE: &str = "N/A";
const NEVER: &str = "-";

/// A part of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportPart {
    /// Lines of CSV.
    pub content: String,
    /// When the report was made.
    pub generated_at: Timestamp,
    /// The line with which the next part begins; nothing behind the last.
    pub next: Option<usize>,
}

impl Countersign {
    /// Makes a report, unless there is one that is younger than four hours.
    pub async fn make_credential_report<'a>(
        &self,
        actor: impl Into<Insider<'a>>,
        origin: &Origin,
    ) -> Result<(), Error> {
        let (actor, action) = (actor.into(), Action::MakeCredentialReport);
        let deed = Deed::on(actor, action.code(), "");
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(Timestamp, bool), Error> {
            let (account, _) = admitted.oneself()?;
            admitted.may(action, &Resource::Account(account.clone()))?;
            let last = credential_reports::generated_at(tx, account).await?;
            Ok((admitted.now, last.is_some_and(|last| admitted.now.since(last) < KEPT_FOR)))
        };
        let (now, is_fresh) = self.look(&actor.to_actor(), origin, deed.clone(), work).await?;
        if is_fresh {
            return Ok(());
        }
        let policy = actor.settings().password;
        let mut content = header();
        for kind in [PrincipalKind::Owner, PrincipalKind::RamUser] {
            // In parts, so that nobody waits long for a reader of the database.
            let mut after = String::new();
            loop {
                let (account, from) = (actor.account_id().clone(), after.clone());
                let read = async move |tx: &mut Tx<'_>| -> Result<_, Error> {
                    let rows = credential_reports::rows(tx, &account, (&from, kind), BATCH).await?;
                    let last = rows.last().map_or("", |row| row.id.as_str());
                    let keys = credential_reports::keys(tx, &account, (&from, last)).await?;
                    Ok((rows, keys))
                };
                let (rows, keys) = self.inner.store.read(read).await?;
                let Some(last) = rows.last() else { break };
                last.id.as_str().clone_into(&mut after);
                for row in &rows {
                    let keys: Vec<&KeyRow> = keys.iter().filter(|key| key.principal_id == row.id).collect();
                    line(&mut content, kind, row, &keys, &policy);
                }
            }
        }
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            let (account, _) = admitted.oneself()?;
            admitted.may(action, &Resource::Account(account.clone()))?;
            accounts::guard(tx, account).await?;
            Ok(credential_reports::put(tx, account, now, &content).await?)
        };
        self.act(&actor.to_actor(), origin, deed, work).await
    }

    /// Lines of the last report, from `from` on.
    pub async fn credential_report<'a>(
        &self,
        actor: impl Into<Insider<'a>>,
        (from, most): (usize, usize),
        origin: &Origin,
    ) -> Result<ReportPart, Error> {
        let (actor, action) = (actor.into(), Action::ViewCredentialReport);
        let deed = Deed::on(actor, action.code(), "");
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<ReportPart, Error> {
            let (account, _) = admitted.oneself()?;
            admitted.may(action, &Resource::Account(account.clone()))?;
            let found = credential_reports::find(tx, account).await?;
            let (generated_at, content) = found.ok_or(Refusal::NoCredentialReport)?;
            let mut lines = content.split_inclusive('\n').skip(from);
            let part: String = lines.by_ref().take(most).collect();
            let next = lines.next().map(|_| from.saturating_add(most));
            Ok(ReportPart { content: part, generated_at, next })
        };
        self.look(&actor.to_actor(), origin, deed, work).await
    }
}

fn header() -> String {
    let mut header = String::from(
        "user,user_creation_time,user_last_logon,password_exist,password_active,password_last_changed,\
         password_next_rotation,mfa_active",
    );
    for key in [
        "access_key_1",
        "access_key_2",
        "additional_access_key_1",
        "additional_access_key_2",
        "additional_access_key_3",
    ] {
        let _ = write!(header, ",{key}_exist,{key}_active,{key}_last_rotated,{key}_last_used");
    }
    header.push('\n');
    header
}

fn line(content: &mut String, kind: PrincipalKind, row: &CredentialRow, keys: &[&KeyRow], policy: &PasswordPolicy) {
    // No name of a user holds a comma, a quotation mark or a line break.
    let name = match kind {
        PrincipalKind::Owner => "<root>",
        PrincipalKind::RamUser => &row.name,
    };
    let at = |at: Option<Timestamp>| at.map_or_else(|| NEVER.to_owned(), Timestamp::to_rfc3339);
    let is_active = row.has_password && row.console_logon == Some(ConsoleLogon::Enabled);
    let rotation = match (kind, row.password_changed_at, policy.lifetime(row.password_is_initial)) {
        (PrincipalKind::RamUser, Some(changed), Some(lifetime)) => changed.plus(lifetime).to_rfc3339(),
        (PrincipalKind::RamUser | PrincipalKind::Owner, _, _) => NEVER.to_owned(),
    };
    let password = if row.has_password {
        format!("TRUE,{},{},{rotation}", truth(is_active), at(row.password_changed_at))
    } else {
        format!("FALSE,{NOT_APPLICABLE},{NOT_APPLICABLE},{NOT_APPLICABLE}")
    };
    let logon = at(row.last_logon_at);
    let _ = write!(content, "{name},{},{logon},{password},{}", row.created_at.to_rfc3339(), truth(row.mfa_bound));
    for number in 0..KEYS {
        let _ = match keys.get(number) {
            Some(key) => {
                let active = truth(key.status == AccessKeyStatus::Active);
                write!(content, ",TRUE,{active},{},{}", key.updated_at.to_rfc3339(), at(key.last_used_at))
            }
            None => write!(content, ",FALSE,{NOT_APPLICABLE},{NOT_APPLICABLE},{NOT_APPLICABLE}"),
        };
    }
    content.push('\n');
}

const fn truth(is: bool) -> &'static str {
    if is { "TRUE" } else { "FALSE" }
}
