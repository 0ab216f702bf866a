//! Where a logon comes from: what is unusual about it, whether its machine is remembered, and what the browser is given
//! at its end.

use super::{GivenSecrets, Logon};
use crate::actor::Origin;
use crate::error::{Error, Refusal};
use crate::notices::{Finding, Notice};
use crate::{Countersign, token_hash};
use countersign_model::Timestamp;
use countersign_model::ids::{BrowserId, MachineId};
use countersign_model::logon::{LogonFacts, Unusual};
use countersign_model::machine::{
    KNOWN_FOR, KnownBrowser, NETWORK_KNOWN_FOR, REMEMBERED_FOR, RememberedMachine, neighbourhood,
};
use countersign_model::notice::{FindingKind, NoticeKind};
use countersign_model::principal::PrincipalKind;
use countersign_model::settings::SecuritySettings;
use countersign_model::token::Token;
use countersign_store::logons::LogonSubject;
use countersign_store::machines::FoundMachine;
use countersign_store::{Tx, budgets, known_places, machines};

/// How many machines may be remembered for one principal; the oldest gives way.
const MACHINES_PER_PRINCIPAL: i64 = 10;

/// Whether this principal may let a machine be remembered. The setting is for RAM users.
pub(crate) fn may_remember(kind: PrincipalKind, settings: &SecuritySettings) -> bool {
    match kind {
        PrincipalKind::Owner => false,
        PrincipalKind::RamUser => settings.remember_machines,
    }
}

impl Countersign {
    /// Notes in the facts of a logon whose password was right what is unusual about it and whether its machine is
    /// remembered.
    pub(super) async fn look_around(
        &self,
        tx: &mut Tx<'_>,
        (logon, subject): (&mut Logon, &LogonSubject),
        failed_before: bool,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<(), Error> {
        let (account, principal) = (&logon.account_id, &logon.principal_id);
        let browser = match &origin.browser {
            Some(token) => known_places::find_browser(tx, account, principal, &token_hash(token)).await?,
            None => None,
        };
        let browser = browser.filter(|browser| now < browser.expires_at);
        let network = known_places::find_network(tx, account, principal, &neighbourhood(&origin.address)).await?;
        let codes_failed = match &subject.device {
            Some(device) => budgets::find(tx, crate::codes::counted(device)).await?.failures > 0,
            None => false,
        };
        let keys_failed = subject.factors.keys() && budgets::have_keys_failed(tx, account, principal).await?;
        let reasons = [
            (browser.as_ref().is_none_or(|browser| browser.last_mfa_at.is_none()), Unusual::NewBrowser),
            (network.is_none_or(|at| now.since(at) >= NETWORK_KNOWN_FOR), Unusual::NewNetwork),
            (failed_before || codes_failed || keys_failed, Unusual::AfterFailures),
        ];
        logon.facts.unusual = reasons.into_iter().filter(|(holds, _)| *holds).map(|(_, reason)| reason).collect();
        logon.facts.browser_known = browser.is_some();
        logon.facts.remembered_by = self.recognise_machine(tx, (logon, subject), origin, now).await?;
        Ok(())
    }

    /// The hash of the secret of a machine that is remembered for this principal. A secret that was used before was
    /// copied: its machine is forgotten, whoever came with it.
    async fn recognise_machine(
        &self,
        tx: &mut Tx<'_>,
        (logon, subject): (&Logon, &LogonSubject),
        origin: &Origin,
        now: Timestamp,
    ) -> Result<Option<String>, Error> {
        let Some(token) = &origin.machine else { return Ok(None) };
        let hash = token_hash(token);
        let Some(found) = machines::find(tx, &hash).await? else { return Ok(None) };
        let machine = &found.machine;
        if machine.account_id != logon.account_id || machine.principal_id != logon.principal_id {
            return Ok(None);
        }
        let good = machine.principal_epoch == subject.principal_epoch
            && machine.account_epoch == subject.account_epoch
            && now < machine.expires_at
            && now.plus(std::time::Duration::from_mins(1)) >= machine.created_at
            && may_remember(logon.kind, &subject.settings);
        // One that grants nothing any more is no danger, whoever has a copy of it.
        if !good {
            return Ok(None);
        }
        if found.secret_used_at.is_some() {
            self.forget_copied(tx, (logon, subject), &found, origin).await?;
            return Ok(None);
        }
        Ok(Some(data_encoding::HEXLOWER.encode(&hash)))
    }

    async fn forget_copied(
        &self,
        tx: &mut Tx<'_>,
        (logon, subject): (&Logon, &LogonSubject),
        found: &FoundMachine,
        origin: &Origin,
    ) -> Result<(), Error> {
        let (account, principal) = (&logon.account_id, &logon.principal_id);
        machines::forget(tx, account, principal, &found.machine.id).await?;
        self.write_change_at_logon(tx, logon, origin, "ForgetReplayedMachine").await?;
        self.notify(tx, Notice { account, principal, kind: NoticeKind::MachineReplayed, origin }).await?;
        let finding = Finding {
            account,
            principal,
            principal_name: &subject.name,
            kind: FindingKind::MachineReplayed,
            details: &format!("from={};", origin.address.replace(';', ",")),
        };
        self.raise(tx, finding).await
    }

    /// Uses up the secret of the remembered machine that let a logon skip its second factor. Of two logons with one
    /// secret, one is finished.
    pub(super) async fn use_machine(
        &self,
        tx: &mut Tx<'_>,
        logon: &Logon,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<Option<Token>, Error> {
        let Some(hash) = skipped_by(&logon.facts) else { return Ok(None) };
        let over = Error::because(Refusal::LogonOver, "machine_used_elsewhere");
        let found = machines::find(tx, &hash).await?.ok_or_else(|| over.clone())?;
        if !machines::consume_secret(tx, &hash, now).await? {
            return Err(over);
        }
        let token = self.new_token();
        let (account, machine) = (&logon.account_id, &found.machine.id);
        machines::insert_secret(tx, account, machine, &token_hash(&token)).await?;
        machines::mark_used(tx, account, machine, (&origin.address, &origin.user_agent), now).await?;
        Ok(Some(token))
    }

    /// What the browser takes along from a finished logon: by what it is known, and by what its machine is remembered.
    pub(super) async fn give_secrets(
        &self,
        tx: &mut Tx<'_>,
        (logon, subject): (&Logon, &LogonSubject),
        used: Option<Token>,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<GivenSecrets, Error> {
        let (account, principal) = (&logon.account_id, &logon.principal_id);
        let shown = logon.facts.second_factor.is_some_and(|(method, _)| method.is_bound_factor());
        let browser = origin.browser.clone().unwrap_or_else(|| self.new_token());
        let known = KnownBrowser {
            id: BrowserId::generate(&*self.inner.entropy),
            expires_at: now.plus(KNOWN_FOR),
            last_mfa_at: shown.then_some(now),
        };
        known_places::put_browser(tx, account, principal, &token_hash(&browser), (&known, now)).await?;
        if shown {
            known_places::put_network(tx, account, principal, &neighbourhood(&origin.address), now).await?;
        }
        let wanted = shown && logon.facts.remember && may_remember(logon.kind, &subject.settings);
        let machine = if wanted { Some(self.remember_machine(tx, logon, origin, now).await?) } else { used };
        Ok(GivenSecrets { browser, machine })
    }

    async fn remember_machine(
        &self,
        tx: &mut Tx<'_>,
        logon: &Logon,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<Token, Error> {
        let token = self.new_token();
        let machine = RememberedMachine {
            id: MachineId::generate(&*self.inner.entropy),
            account_id: logon.account_id.clone(),
            principal_id: logon.principal_id.clone(),
            principal_epoch: logon.principal_epoch,
            account_epoch: logon.account_epoch,
            created_at: now,
            expires_at: now.plus(REMEMBERED_FOR),
            last_used_at: now,
            address: origin.address.clone(),
            user_agent: origin.user_agent.clone(),
        };
        machines::insert(tx, &machine, &token_hash(&token)).await?;
        machines::trim(tx, &logon.account_id, &logon.principal_id, MACHINES_PER_PRINCIPAL).await?;
        Ok(token)
    }
}

/// The secret of a remembered machine that stood for the second factor, unless one was shown all the same.
fn skipped_by(facts: &LogonFacts) -> Option<[u8; 32]> {
    let hex = facts.remembered_by.as_ref().filter(|_| facts.second_factor.is_none())?;
    data_encoding::HEXLOWER.decode(hex.as_bytes()).ok()?.try_into().ok()
}
