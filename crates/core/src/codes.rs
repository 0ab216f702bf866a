//! Judging a code of a virtual MFA device. Whichever door or purpose asks, a try is booked before the code is looked at,
//! and a step is spent by the one conditional write of the store.

use crate::Countersign;
use crate::act::is_unjudged;
use crate::actor::Origin;
use crate::error::{Error, Refusal};
use crate::keyring::Place;
use crate::notices::Notice;
use crate::recovery::{RECOVERY_CODES, RecoveryCode};
use countersign_model::Timestamp;
use countersign_model::budget::{BudgetKind, Exhausted};
use countersign_model::ids::{AccountId, DeviceId, PrincipalId};
use countersign_model::notice::NoticeKind;
use countersign_model::virtual_mfa::{VirtualMfa, VirtualMfaState};
use countersign_otp::{Code, Digits, Drift, Period, Secret, Steps, TimeStep, Totp, Window};
use countersign_store::budgets::Counted;
use countersign_store::unbound_mfa::UnboundMfa;
use countersign_store::virtual_mfa::SpentStep;
use countersign_store::{Tx, budgets, recovery_codes, virtual_mfa};

/// The codes that confirm a binding.
#[derive(Debug, Clone, Copy)]
pub(crate) enum BindingProof<'a> {
    One(&'a str),
    Two(&'a str, &'a str),
}

impl Countersign {
    /// Books a try, judges a code against a bound device, and spends its step. A refusal keeps the count.
    pub(crate) async fn spend_code(
        &self,
        tx: &mut Tx<'_>,
        device: &VirtualMfa,
        typed: &str,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<(), Error> {
        let result = self.judge_and_spend(tx, device, typed, now).await;
        self.tell_of_lock(tx, (counted(device), &device.principal_id), &result, origin).await?;
        self.inner.metrics.step("code", result.is_ok());
        result
    }

    async fn judge_and_spend(
        &self,
        tx: &mut Tx<'_>,
        device: &VirtualMfa,
        typed: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        book(tx, device, now).await?;
        let VirtualMfaState::Bound { last_step, drift, .. } = device.state else {
            return Err(wrong("device_not_bound"));
        };
        let code = Code::parse(typed, Digits::Six).map_err(|_| wrong("code_malformed"))?;
        let totp = Totp::new(&self.open_seed(device)?);
        let present = present_step(now);
        let spent = u64::try_from(last_step).ok().map(TimeStep::new);
        let drift = Drift::new(drift).ok_or_else(|| Error::Fault("a stored drift out of range".to_owned()))?;
        let Some(step) = totp.find_step(&code, drift.steps_around(present, spent)) else {
            return Err(wrong(why_not(&totp, &code, present, spent)));
        };
        let learned = SpentStep { step: stored(step)?, drift: drift.learn(step, present).steps(), at: now };
        if !virtual_mfa::consume_step(tx, &device.account_id, &device.id, learned).await? {
            return Err(wrong("otp_replay"));
        }
        budgets::clear(tx, counted(device), now).await?;
        Ok(())
    }

    /// Books a try and judges the code or codes that confirm a pending device: the step that binding will spend.
    pub(crate) async fn judge_binding(
        &self,
        tx: &mut Tx<'_>,
        device: &VirtualMfa,
        proof: BindingProof<'_>,
        now: Timestamp,
    ) -> Result<SpentStep, Error> {
        book(tx, device, now).await?;
        judge_codes(&self.open_seed(device)?, proof, None, now)
    }

    /// The same for a device that is bound to nobody. Of what it has spent before, nothing counts again.
    pub(crate) async fn judge_binding_of_unbound(
        &self,
        tx: &mut Tx<'_>,
        device: &UnboundMfa,
        proof: BindingProof<'_>,
        now: Timestamp,
    ) -> Result<(SpentStep, Secret), Error> {
        let kind = BudgetKind::VirtualMfa;
        book_for(tx, Counted { account: &device.account_id, subject: device.id.as_str(), kind }, now).await?;
        let seed = self.open_unbound_seed(device)?;
        let after = u64::try_from(device.last_step).ok().filter(|step| *step > 0).map(TimeStep::new);
        Ok((judge_codes(&seed, proof, after, now)?, seed))
    }

    /// Binds a pending device whose codes were judged right: they are spent with it. The principal's row is guarded, so
    /// nobody can have taken the device away in between.
    pub(crate) async fn bind_judged(
        &self,
        tx: &mut Tx<'_>,
        device: &VirtualMfa,
        spent: SpentStep,
    ) -> Result<(), Error> {
        if !virtual_mfa::confirm(tx, &device.account_id, &device.id, spent).await? {
            return Err(Error::Fault("a guarded pending device has gone".to_owned()));
        }
        budgets::clear(tx, counted(device), spent.at).await?;
        Ok(())
    }

    /// Judges a recovery code of a principal and uses it up. A try is booked before it is looked at; a refusal keeps the
    /// count.
    pub(crate) async fn spend_recovery_code(
        &self,
        tx: &mut Tx<'_>,
        (account, principal): (&AccountId, &PrincipalId),
        typed: &str,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<(), Error> {
        let counted = Counted { account, subject: principal.as_str(), kind: BudgetKind::RecoveryCode };
        let result = self.judge_recovery_code(tx, counted, principal, typed, now).await;
        self.inner.metrics.step("recovery_code", result.is_ok());
        self.tell_of_lock(tx, (counted, principal), &result, origin).await?;
        result
    }

    async fn judge_recovery_code(
        &self,
        tx: &mut Tx<'_>,
        counted: Counted<'_>,
        principal: &PrincipalId,
        typed: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        book_for(tx, counted, now).await?;
        let code = RecoveryCode::parse(typed).ok_or_else(|| wrong("recovery_code_malformed"))?;
        for hash in self.inner.keys.ring().keyed_hashes(RECOVERY_CODES, &code.bound_to(principal)) {
            if recovery_codes::consume(tx, counted.account, principal, &hash, now).await? {
                budgets::clear(tx, counted, now).await?;
                return Ok(());
            }
        }
        Err(wrong("recovery_code_wrong"))
    }

    /// Tells a principal of the lock that a refused try has begun, if it has.
    pub(crate) async fn tell_of_lock(
        &self,
        tx: &mut Tx<'_>,
        (counted, principal): (Counted<'_>, &PrincipalId),
        result: &Result<(), Error>,
        origin: &Origin,
    ) -> Result<(), Error> {
        // A try that was not judged came while a lock lasted, and has booked nothing.
        let Err(Error::Refused { reason, .. }) = result else { return Ok(()) };
        if !is_unjudged(reason) && budgets::find(tx, counted).await?.begins_lock(None) {
            let notice = Notice { account: counted.account, principal, kind: NoticeKind::Locked, origin };
            self.notify(tx, notice).await?;
        }
        Ok(())
    }

    /// Seals a fresh seed for its row.
    pub(crate) fn seal_seed(
        &self,
        account: &AccountId,
        principal: &PrincipalId,
        device: &DeviceId,
        seed: &Secret,
    ) -> Result<Vec<u8>, Error> {
        let place = seed_place(account, principal, device);
        let sealed = self.inner.keys.seal(&place, seed.expose(), self.random());
        Ok(sealed.map_err(|error| Error::Fault(error.to_string()))?.0)
    }

    /// Seals the seed of a device that is bound to nobody.
    pub(crate) fn seal_unbound_seed(
        &self,
        account: &AccountId,
        device: &DeviceId,
        seed: &Secret,
    ) -> Result<Vec<u8>, Error> {
        let sealed = self.inner.keys.seal(&unbound_place(account, device), seed.expose(), self.random());
        Ok(sealed.map_err(|error| Error::Fault(error.to_string()))?.0)
    }

    /// Opens the seed of a device that is bound to nobody, as [`Self::open_seed`].
    pub(crate) fn open_unbound_seed(&self, device: &UnboundMfa) -> Result<Secret, Error> {
        let place = unbound_place(&device.account_id, &device.id);
        let opened = self.inner.keys.open(&place, &device.sealed_seed).map_err(|error| {
            tracing::error!(account = %device.account_id, device = %device.id, %error, "a sealed seed does not open");
            wrong("seed_does_not_open")
        })?;
        Secret::from_bytes(&opened).map_err(|error| Error::Fault(error.to_string()))
    }

    /// Opens the seed of a device. One that was moved or edited in the database does not open: the code is refused, and
    /// the operator alarmed.
    pub(crate) fn open_seed(&self, device: &VirtualMfa) -> Result<Secret, Error> {
        let place = seed_place(&device.account_id, &device.principal_id, &device.id);
        let opened = self.inner.keys.open(&place, &device.sealed_seed).map_err(|error| {
            tracing::error!(account = %device.account_id, device = %device.id, %error, "a sealed seed does not open");
            wrong("seed_does_not_open")
        })?;
        Secret::from_bytes(&opened).map_err(|error| Error::Fault(error.to_string()))
    }
}

/// Judges the codes that confirm a binding: the step that it spends. Only steps after `after` count.
fn judge_codes(
    seed: &Secret,
    proof: BindingProof<'_>,
    after: Option<TimeStep>,
    now: Timestamp,
) -> Result<SpentStep, Error> {
    let (totp, present) = (Totp::new(seed), present_step(now));
    let parse = |typed: &str| Code::parse(typed, Digits::Six).map_err(|_| wrong("code_malformed"));
    let (step, drift) = match proof {
        BindingProof::One(typed) => {
            let steps = Steps { around: present, window: Window::NARROW, after };
            let step = totp.find_step(&parse(typed)?, steps).ok_or_else(|| wrong("code_wrong"))?;
            (step, Drift::NONE.learn(step, present))
        }
        BindingProof::Two(first, second) => {
            let (first, second) = (parse(first)?, parse(second)?);
            let step = totp
                .find_consecutive(&first, &second, Steps::wide(present, after))
                .ok_or_else(|| wrong("codes_not_consecutive"))?;
            (step, Drift::measured(step, present))
        }
    };
    Ok(SpentStep { step: stored(step)?, drift: drift.steps(), at: now })
}

/// What the tries of a device are counted under.
pub(crate) fn counted(device: &VirtualMfa) -> Counted<'_> {
    Counted { account: &device.account_id, subject: device.id.as_str(), kind: BudgetKind::VirtualMfa }
}

async fn book(tx: &mut Tx<'_>, device: &VirtualMfa, now: Timestamp) -> Result<(), Error> {
    book_for(tx, counted(device), now).await
}

async fn book_for(tx: &mut Tx<'_>, counted: Counted<'_>, now: Timestamp) -> Result<(), Error> {
    match budgets::book(tx, counted, None, now).await? {
        Ok(_) => Ok(()),
        Err(Exhausted::Paused { .. }) => Err(wrong("factor_paused")),
        Err(Exhausted::Disabled) => Err(wrong("factor_disabled")),
    }
}

const fn wrong(reason: &'static str) -> Error {
    Error::because(Refusal::WrongCode, reason)
}

fn present_step(now: Timestamp) -> TimeStep {
    TimeStep::at(now.unix_seconds(), Period::DEFAULT)
}

fn stored(step: TimeStep) -> Result<i64, Error> {
    i64::try_from(step.value()).map_err(|_| Error::Fault("a time step beyond what can be stored".to_owned()))
}

/// The reason for the audit log: a code that was right once, one of a clock that has run away, or none at all.
fn why_not(totp: &Totp, code: &Code, present: TimeStep, spent: Option<TimeStep>) -> &'static str {
    let Some(step) = totp.find_step(code, Steps::wide(present, None)) else {
        return "code_wrong";
    };
    if spent.is_some_and(|spent| step <= spent) { "otp_replay" } else { "code_out_of_window" }
}

fn unbound_place<'a>(account: &'a AccountId, device: &'a DeviceId) -> Place<'a> {
    Place {
        table: "unbound_mfa",
        column: "sealed_seed",
        account_id: account.as_str(),
        principal_id: "",
        row_id: device.as_str(),
    }
}

fn seed_place<'a>(account: &'a AccountId, principal: &'a PrincipalId, device: &'a DeviceId) -> Place<'a> {
    Place {
        table: "virtual_mfa",
        column: "sealed_seed",
        account_id: account.as_str(),
        principal_id: principal.as_str(),
        row_id: device.as_str(),
    }
}
