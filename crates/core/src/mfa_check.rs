//! The check that every RAM user with a console password has an MFA device (recommendation 1.4 of the CIS Alibaba Cloud
//! Foundations Benchmark): each user with its result, and the same as a file. Users without a console password are out of
//! its scope, and are reported as that.

use crate::Countersign;
use crate::act::{Admitted, Deed};
use crate::actor::{Actor, Origin, SessionActor};
use crate::audit_chain::write_cell;
use crate::authorise::{Action, Resource};
use crate::error::Error;
use countersign_model::settings::MfaForLogon;
use countersign_store::{Tx, mfa_check};

pub use countersign_store::mfa_check::{CheckQuery, CheckResult, CheckSummary, CheckedUser};

/// The longest page of the list.
pub const LONGEST_PAGE: i64 = 100;
/// So many users are read at once for a file.
const BATCH: i64 = 2_000;

/// A page of the check.
#[derive(Debug)]
pub struct MfaCheck {
    /// The numbers over all users.
    pub summary: CheckSummary,
    /// The users of this page, by name.
    pub users: Vec<CheckedUser>,
    /// How many users are like what was asked for.
    pub total: i64,
}

impl Countersign {
    /// A page of the check. Whoever may read the credential report may see it: it says no more.
    pub async fn mfa_check(&self, actor: &SessionActor, query: CheckQuery, origin: &Origin) -> Result<MfaCheck, Error> {
        let query = CheckQuery { limit: query.limit.clamp(1, LONGEST_PAGE), ..query };
        self.checked(actor, query, origin).await
    }

    /// The check of all users who are like what is asked for, as comma-separated values (RFC 4180) that a spreadsheet opens.
    pub async fn mfa_check_file(
        &self,
        actor: &SessionActor,
        query: CheckQuery,
        origin: &Origin,
    ) -> Result<Vec<u8>, Error> {
        let mut file = b"\xef\xbb\xbfuser,display_name,console_password,mfa_enabled,mfa_required,result\r\n".to_vec();
        let mut offset = 0;
        loop {
            // In parts, so that nobody waits long for a reader of the database.
            let part = CheckQuery { offset, limit: BATCH, ..query.clone() };
            let found = self.checked(actor, part, origin).await?;
            for user in &found.users {
                let has_password = user.result != CheckResult::OutOfScope;
                let truths =
                    [has_password, user.mfa_bound, user.mfa_required].map(|is| if is { "TRUE" } else { "FALSE" });
                let cells = [user.name.as_str(), &user.display_name].into_iter().chain(truths);
                for cell in cells {
                    write_cell(&mut file, cell);
                    file.push(b',');
                }
                write_cell(&mut file, user.result.as_str());
                file.extend(b"\r\n");
            }
            offset += BATCH;
            if offset >= found.total {
                return Ok(file);
            }
        }
    }

    async fn checked(&self, actor: &SessionActor, query: CheckQuery, origin: &Origin) -> Result<MfaCheck, Error> {
        let action = Action::ViewCredentialReport;
        let deed = Deed::on(actor, action.code(), "");
        let query = CheckQuery {
            search: query.search.chars().filter(|c| !c.is_control()).collect(),
            offset: query.offset.max(0),
            ..query
        };
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<MfaCheck, Error> {
            let (account, _) = admitted.oneself()?;
            admitted.may(action, &Resource::Account(account.clone()))?;
            let summary = mfa_check::summary(tx, account).await?;
            let (mut users, total) = mfa_check::list(tx, account, &query).await?;
            // The account may ask it of everybody, whatever their profiles say.
            let of_all = admitted.who.settings.mfa_for_logon == MfaForLogon::Mandatory;
            for user in &mut users {
                user.mfa_required |= of_all && user.result != CheckResult::OutOfScope;
            }
            Ok(MfaCheck { summary, users, total })
        };
        self.look(&Actor::Session(Box::new(actor.clone())), origin, deed, work).await
    }
}
