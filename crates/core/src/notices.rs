//! Telling people what happened to their own security. A notice is written in the transaction of what it tells of, with a
//! mail for each address that it goes to; a worker delivers those. Without an address the notice is shown all the same.

use crate::Countersign;
use crate::act::{Admitted, Deed};
use crate::actor::{Actor, Origin, SessionActor};
use crate::authorise::{Action, Resource};
use crate::error::Error;
use countersign_model::ids::{AccountId, FindingId, NoticeId, PrincipalId};
use countersign_model::names::EmailAddress;
use countersign_model::notice::{self, Doer, FindingKind, NOTICES_KEPT, NoticeFacts, NoticeKind};
use countersign_model::principal::PrincipalKind;
use countersign_store::notices::Addressee;
use countersign_store::{Tx, findings, notices, outbox};
use std::time::Duration;

pub use countersign_model::notice::Notice as ToldNotice;

/// How many notices are listed.
const LISTED: i64 = 200;
/// How often somebody is told of what a stranger can repeat at will.
const REPEATED_AFTER: Duration = Duration::from_hours(1);

/// What is to be told, and to whom.
pub(crate) struct Notice<'a> {
    pub(crate) account: &'a AccountId,
    pub(crate) principal: &'a PrincipalId,
    pub(crate) kind: NoticeKind,
    /// From where what it tells of was done.
    pub(crate) origin: &'a Origin,
}

/// What administrators are to look at.
pub(crate) struct Finding<'a> {
    pub(crate) account: &'a AccountId,
    pub(crate) principal: &'a PrincipalId,
    pub(crate) principal_name: &'a str,
    pub(crate) kind: FindingKind,
    pub(crate) details: &'a str,
}

impl Countersign {
    /// Tells a principal of what was done as himself, or at his logon.
    pub(crate) async fn notify(&self, tx: &mut Tx<'_>, notice: Notice<'_>) -> Result<(), Error> {
        self.tell(tx, notice, Doer::Oneself, None).await
    }

    /// Tells a principal of what an admitted actor did: he himself, an administrator, the operator.
    pub(crate) async fn notify_by(
        &self,
        tx: &mut Tx<'_>,
        admitted: &Admitted,
        notice: Notice<'_>,
    ) -> Result<(), Error> {
        let doer = doer(admitted, notice.principal);
        self.tell(tx, notice, doer, None).await
    }

    /// As [`Self::notify_by`], and tells it at an earlier address as well, if there was one.
    pub(crate) async fn notify_also_at(
        &self,
        tx: &mut Tx<'_>,
        admitted: &Admitted,
        notice: Notice<'_>,
        earlier: Option<&EmailAddress>,
    ) -> Result<(), Error> {
        let doer = doer(admitted, notice.principal);
        self.tell(tx, notice, doer, earlier).await
    }

    async fn tell(
        &self,
        tx: &mut Tx<'_>,
        notice: Notice<'_>,
        by: Doer,
        also: Option<&EmailAddress>,
    ) -> Result<(), Error> {
        let (account, principal, now) = (notice.account, notice.principal, self.now());
        let repeatable = is_repeated_by_strangers(notice.kind);
        if repeatable && notices::was_told_since(tx, account, principal, now.minus(REPEATED_AFTER), notice.kind).await?
        {
            return Ok(());
        }
        let Some(addressee) = notices::find_addressee(tx, account, principal).await? else {
            return Err(Error::Fault("a notice for somebody who does not exist".to_owned()));
        };
        let told = notice::Notice {
            account_id: account.clone(),
            id: NoticeId::at(now, &*self.inner.entropy),
            principal_id: principal.clone(),
            kind: notice.kind,
            facts: NoticeFacts {
                alias: addressee.alias.to_string(),
                logon_name: self.logon_name_of(&addressee),
                by,
                address: notice.origin.address.clone(),
                user_agent: notice.origin.user_agent.clone(),
            },
            at: now,
            disowned_at: None,
        };
        notices::insert(tx, &told).await?;
        for address in addressee.email.iter().chain(also) {
            outbox::insert(tx, &told, address, &addressee.language).await?;
        }
        Ok(())
    }

    /// Raises a finding for the administrators of an account.
    pub(crate) async fn raise(&self, tx: &mut Tx<'_>, finding: Finding<'_>) -> Result<(), Error> {
        let now = self.now();
        let raised = notice::Finding {
            account_id: finding.account.clone(),
            id: FindingId::at(now, &*self.inner.entropy),
            kind: finding.kind,
            principal_id: finding.principal.clone(),
            principal_name: finding.principal_name.to_owned(),
            details: finding.details.to_owned(),
            at: now,
            settled: None,
        };
        Ok(findings::insert(tx, &raised).await?)
    }

    /// What the actor was told in the last ninety days, the newest first.
    pub async fn own_notices(&self, actor: &SessionActor) -> Result<Vec<ToldNotice>, Error> {
        let deed = Deed::own(actor, Action::ViewOwnSecurity.code());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<Vec<ToldNotice>, Error> {
            admitted.may(Action::ViewOwnSecurity, &Resource::Oneself)?;
            let (account, principal) = admitted.oneself()?;
            Ok(notices::list(tx, account, principal, admitted.now.minus(NOTICES_KEPT), LISTED).await?)
        };
        self.look(&Actor::Session(Box::new(actor.clone())), &Origin::default(), deed, work).await
    }

    fn logon_name_of(&self, addressee: &Addressee) -> String {
        match addressee.kind {
            PrincipalKind::Owner => addressee.name.clone(),
            PrincipalKind::RamUser => {
                format!("{}@{}.{}", addressee.name, addressee.alias, self.inner.identity.suffix)
            }
        }
    }
}

/// Who did it, as the one who is told sees it.
fn doer(admitted: &Admitted, told: &PrincipalId) -> Doer {
    match admitted.insider() {
        None => Doer::Operator,
        Some(insider) if insider.principal_id() == told => Doer::Oneself,
        Some(insider) => Doer::Administrator(insider.name().to_owned()),
    }
}

/// Whether somebody without a session can bring it about as often as he likes.
const fn is_repeated_by_strangers(kind: NoticeKind) -> bool {
    match kind {
        NoticeKind::CodeReplayed | NoticeKind::KeyCopied => true,
        NoticeKind::MfaBound
        | NoticeKind::MfaReplaced
        | NoticeKind::MfaUnbound
        | NoticeKind::PasswordChanged
        | NoticeKind::ContactChanged
        | NoticeKind::VerificationChanged
        | NoticeKind::RecoveryCodesMade
        | NoticeKind::RecoveryCodeUsed
        | NoticeKind::NewMachine
        | NoticeKind::Locked
        | NoticeKind::MachineReplayed
        | NoticeKind::KeyBound
        | NoticeKind::KeyUnbound
        | NoticeKind::AccessKeyCreated => false,
    }
}
