//! The credential report: one line of CSV for the owner and one for each RAM user, with the columns that auditors know. It
//! is stored some lines to a row, so that a page of it costs what it tells.

use crate::Countersign;
use crate::act::{Admitted, Deed};
use crate::actor::{Insider, Origin};
use crate::authorise::{Action, Resource};
use crate::error::{Error, Refusal};
use countersign_model::Timestamp;
use countersign_model::access_key::AccessKeyStatus;
use countersign_model::ids::AccountId;
use countersign_model::principal::{ConsoleLogon, PrincipalKind};
use countersign_model::settings::PasswordPolicy;
use countersign_store::Tx;
use countersign_store::credential_reports::{self, CredentialRow, KeyRow};
use std::fmt::Write as _;
use std::time::Duration;

/// How long a report serves before another one is made.
pub const KEPT_FOR: Duration = Duration::from_hours(4);

/// The most lines that one answer gives.
pub const MOST_LINES: usize = 3_501;

/// How many users are read at once.
const BATCH: i64 = 500;

/// How many lines of a report lie in one row of the database.
const LINES_PER_PART: usize = 100;

/// For how long nobody else makes a report after a sign of life of the one who does.
const CLAIMED_FOR: Duration = Duration::from_mins(2);

/// What lies further ahead is left from a clock that ran ahead. Those of other nodes may be a little ahead.
const BEYOND: Duration = Duration::from_mins(4);

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

/// How far the making of a report is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportState {
    /// There is one that is younger than four hours.
    Complete,
    /// Somebody else makes one at this moment.
    InProgress,
}

impl Countersign {
    /// Makes a report, unless there is one that is younger than four hours. Of several who ask at once one makes it.
    pub async fn make_credential_report<'a>(
        &self,
        actor: impl Into<Insider<'a>>,
        origin: &Origin,
    ) -> Result<ReportState, Error> {
        let (actor, action) = (actor.into(), Action::MakeCredentialReport);
        let deed = Deed::on(actor, action.code(), "");
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<bool, Error> {
            let (account, _) = admitted.oneself()?;
            admitted.may(action, &Resource::Account(account.clone()))?;
            has_fresh(tx, account, admitted.now).await
        };
        if self.look(&actor.to_actor(), origin, deed.clone(), work).await? {
            return Ok(ReportState::Complete);
        }
        let claim =
            async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<Result<Timestamp, ReportState>, Error> {
                let ((account, _), now) = (admitted.oneself()?, admitted.now);
                admitted.may(action, &Resource::Account(account.clone()))?;
                let unfit = (now.minus(KEPT_FOR), now.plus(BEYOND));
                if credential_reports::claim(tx, account, (now, now.plus(CLAIMED_FOR)), unfit).await? {
                    return Ok(Ok(now));
                }
                let is_fresh = has_fresh(tx, account, now).await?;
                Ok(Err(if is_fresh { ReportState::Complete } else { ReportState::InProgress }))
            };
        let making = match self.act_unwritten(&actor.to_actor(), origin, claim).await? {
            Ok(making) => making,
            Err(state) => return Ok(state),
        };
        let (last, lines) = self.write_report(actor, making).await?;
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            let (account, _) = admitted.oneself()?;
            admitted.may(action, &Resource::Account(account.clone()))?;
            last.put(tx, account, making).await?;
            if credential_reports::finish(tx, account, making, lines).await? { Ok(()) } else { Err(overtaken()) }
        };
        self.act(&actor.to_actor(), origin, deed, work).await?;
        Ok(ReportState::Complete)
    }

    /// Writes a report but for its last parts; those, and how many lines all have.
    async fn write_report(&self, actor: Insider<'_>, making: Timestamp) -> Result<(Parts, i64), Error> {
        let policy = actor.settings().password;
        let mut parts = Parts::default();
        parts.push(&header());
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
                    parts.push(&line(kind, row, &keys, &policy));
                }
                let (account, until) = (actor.account_id().clone(), self.now().plus(CLAIMED_FOR));
                let ready = parts.take_full();
                let write = async move |tx: &mut Tx<'_>| -> Result<(), Error> {
                    if !credential_reports::hold(tx, &account, making, until).await? {
                        return Err(overtaken());
                    }
                    ready.put(tx, &account, making).await
                };
                self.inner.store.write(write).await?;
            }
        }
        let lines = i64::try_from(parts.lines).map_err(|_| Error::Fault("too many lines".to_owned()))?;
        Ok((parts, lines))
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
            let report = credential_reports::find(tx, account).await?.ok_or(Refusal::NoCredentialReport)?;
            let lines = usize::try_from(report.lines).unwrap_or(0);
            let end = from.saturating_add(most).min(lines);
            let numbers = (part_of(from)?, part_of(end.saturating_sub(1))?);
            let parts = credential_reports::parts(tx, (account, report.generated_at), numbers).await?;
            let found = parts.iter().flat_map(|part| part.split_inclusive('\n')).skip(from % LINES_PER_PART);
            let found: Vec<&str> = found.take(end.saturating_sub(from)).collect();
            if found.len() != end.saturating_sub(from) {
                return Err(overtaken());
            }
            let next = (end < lines).then_some(end);
            Ok(ReportPart { content: found.concat(), generated_at: report.generated_at, next })
        };
        self.look(&actor.to_actor(), origin, deed, work).await
    }
}

/// Whether there is a report that is young enough.
async fn has_fresh(tx: &mut Tx<'_>, account: &AccountId, now: Timestamp) -> Result<bool, Error> {
    let last = credential_reports::find(tx, account).await?.map(|report| report.generated_at);
    Ok(last.is_some_and(|last| last <= now.plus(BEYOND) && last > now.minus(KEPT_FOR)))
}

fn overtaken() -> Error {
    Error::Unavailable("another credential report was made at this very moment".to_owned())
}

/// The number of the part that a line lies in.
fn part_of(line: usize) -> Result<i64, Error> {
    i64::try_from(line / LINES_PER_PART).map_err(|_| Error::Fault("a line beyond what can be stored".to_owned()))
}

/// The parts of a report that are not stored yet.
#[derive(Debug, Default)]
struct Parts {
    /// The number of the first of them.
    first: i64,
    contents: Vec<String>,
    /// How many lines there are, those of stored parts included.
    lines: usize,
}

impl Parts {
    fn push(&mut self, line: &str) {
        match self.contents.last_mut().filter(|_| !self.lines.is_multiple_of(LINES_PER_PART)) {
            Some(open) => open.push_str(line),
            None => self.contents.push(line.to_owned()),
        }
        self.lines += 1;
    }

    /// Those that hold as many lines as they may.
    fn take_full(&mut self) -> Self {
        let open = if self.lines.is_multiple_of(LINES_PER_PART) { None } else { self.contents.pop() };
        let full = Self { first: self.first, contents: std::mem::take(&mut self.contents), lines: self.lines };
        self.first += i64::try_from(full.contents.len()).unwrap_or(i64::MAX);
        self.contents.extend(open);
        full
    }

    async fn put(&self, tx: &mut Tx<'_>, account: &AccountId, making: Timestamp) -> Result<(), Error> {
        for (number, content) in (self.first..).zip(&self.contents) {
            credential_reports::put_part(tx, (account, making), number, content).await?;
        }
        Ok(())
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

fn line(kind: PrincipalKind, row: &CredentialRow, keys: &[&KeyRow], policy: &PasswordPolicy) -> String {
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
    let mut content = format!("{name},{},{logon},{password},{}", row.created_at.to_rfc3339(), truth(row.mfa_bound));
    for number in 0..KEYS {
        let _ = match keys.get(number) {
            Some(key) => {
                let active = truth(key.status == AccessKeyStatus::Active);
                write!(content, ",TRUE,{active},{},{}", key.created_at.to_rfc3339(), at(key.last_used_at))
            }
            None => write!(content, ",FALSE,{NOT_APPLICABLE},{NOT_APPLICABLE},{NOT_APPLICABLE}"),
        };
    }
    content.push('\n');
    content
}

const fn truth(is: bool) -> &'static str {
    if is { "TRUE" } else { "FALSE" }
}
