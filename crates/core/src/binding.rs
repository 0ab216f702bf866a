//! Binding, replacing and unbinding a virtual MFA device.
//!
//! Three ways lead to the same last step: an administrator binds for a user, a logon binds because it must, a principal
//! binds for himself. Each starts a pending device that only it may see and confirm; the codes that confirm it are spent.

mod unbind;

use crate::act::{Admitted, Deed};
use crate::actor::{Actor, Origin, SessionActor};
use crate::authorise::{Action, Resource};
use crate::codes::BindingProof;
use crate::error::{Error, Refusal};
use crate::logon::{Advance, LogonStep, guard_subject};
use crate::notices::Notice;
use crate::ram::mfa::free_name;
use crate::webauthn::has_one_type;
use crate::{Countersign, token_hash};
use countersign_model::Timestamp;
use countersign_model::ids::{AccountId, DeviceId, PrincipalId};
use countersign_model::logon::{LogonState, Method};
use countersign_model::names::AccountAlias;
use countersign_model::notice::NoticeKind;
use countersign_model::principal::PrincipalKind;
use countersign_model::settings::{BindingCodes, SecuritySettings};
use countersign_model::token::Token;
use countersign_model::virtual_mfa::{PENDING_LIFETIME, STARTS_PER_HOUR, VirtualMfa, VirtualMfaState};
use countersign_otp::{KeyUri, Label, Qr, Secret};
use countersign_store::logons::LogonInFull;
use countersign_store::{Tx, factors, principals, virtual_mfa};
use secrecy::{ExposeSecret as _, SecretString};

/// The log's word for starting a binding, as the RAM protocol names it.
const START: &str = "CreateVirtualMFADevice";

/// What the last step of a binding shows, to the one who started it and while it is pending.
#[derive(Debug)]
pub struct BindingView {
    /// Whose device it becomes: a user name or an owner's email address.
    pub name: String,
    /// The account name that the authenticator app will show.
    pub label: String,
    /// The issuer that the app will show.
    pub issuer: String,
    /// The QR code, black on white, as SVG.
    pub qr_svg: SecretString,
    /// The setup key in groups of four.
    pub key: SecretString,
    /// How many codes confirm it.
    pub codes: BindingCodes,
    /// Whether a device is bound already, whose code is asked for as well.
    pub replaces: bool,
    /// After this the setup key is worthless.
    pub expires_at: Timestamp,
    /// The present time, by which the page shows how long the present code lives.
    pub now: Timestamp,
}

/// What a person typed to confirm a binding.
#[derive(Debug, Clone, Default)]
pub struct TypedCodes {
    /// The (first) code of the new device.
    pub first: String,
    /// The code right after it, where two are asked for.
    pub second: String,
    /// A code of the device that is replaced, where one is.
    pub of_replaced: String,
}

/// Whose device, and who starts it.
struct Start<'a> {
    account: &'a AccountId,
    principal: &'a PrincipalId,
    name: &'a str,
    kind: PrincipalKind,
    started_by: &'a str,
    now: Timestamp,
}

/// What a view of a pending device is made from.
struct Shown {
    kind: PrincipalKind,
    name: String,
    alias: AccountAlias,
    codes: BindingCodes,
    replaces: bool,
}

impl Countersign {
    /// Starts binding or replacing the actor's own device, after he has proved himself by his password, or by a key where he
    /// has one: a password alone adds no factor to it. A device that is replaced is asked for at the end.
    pub async fn start_own_binding(
        &self,
        actor: &SessionActor,
        password: SecretString,
        origin: &Origin,
    ) -> Result<(), Error> {
        let mut deed = Deed::own(actor, START);
        if self.proof_asked(actor, Action::BindOwnMfa).await?.is_some_and(|ways| ways.key) {
            deed = deed.asking(Action::BindOwnMfa, &[]);
        } else {
            self.prove_by_password(actor, &password, Action::BindOwnMfa, origin).await?;
        }
        let this = self.clone();
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            admitted.may(Action::BindOwnMfa, &Resource::Oneself)?;
            let session = admitted.guard_oneself(tx).await?;
            let start = Start {
                account: session.account_id(),
                principal: session.principal_id(),
                name: &session.found.name,
                kind: session.found.kind,
                started_by: session.found.session.id.as_str(),
                now: admitted.now,
            };
            check_types(tx, (start.account, start.principal), start.kind, &session.found.settings).await?;
            this.start_binding(tx, start).await
        };
        self.act(&Actor::Session(Box::new(actor.clone())), origin, deed, work).await
    }

    /// Shows the actor's own pending device.
    pub async fn own_binding(&self, actor: &SessionActor) -> Result<BindingView, Error> {
        let (this, deed) = (self.clone(), Deed::own(actor, Action::BindOwnMfa.code()));
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<BindingView, Error> {
            admitted.may(Action::BindOwnMfa, &Resource::Oneself)?;
            let session = admitted.session.as_ref().ok_or(Refusal::NotLoggedOn)?;
            let (account, principal) = (session.account_id(), session.principal_id());
            let device = this.pending_of(tx, account, principal, session.found.session.id.as_str()).await?;
            let bound = virtual_mfa::find_bound(tx, account, principal).await?;
            let shown = Shown {
                kind: session.found.kind,
                name: session.found.name.clone(),
                alias: session.found.alias.clone(),
                codes: session.found.settings.binding_codes,
                replaces: bound.is_some(),
            };
            this.view(&device, shown)
        };
        self.look(&Actor::Session(Box::new(actor.clone())), &Origin::default(), deed, work).await
    }

    /// Binds the actor's own pending device, in place of the bound one if there is one. His other sessions end; this one
    /// goes on under the token returned.
    pub async fn confirm_own_binding(
        &self,
        actor: &SessionActor,
        typed: TypedCodes,
        origin: &Origin,
    ) -> Result<Token, Error> {
        self.check_clock()?;
        let (this, deed, from) = (self.clone(), Deed::own(actor, Action::BindOwnMfa.code()), origin.clone());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<Token, Error> {
            admitted.may(Action::BindOwnMfa, &Resource::Oneself)?;
            let session = admitted.guard_oneself(tx).await?;
            let (account, principal) = (session.account_id(), session.principal_id());
            let device = this.pending_of(tx, account, principal, session.found.session.id.as_str()).await?;
            let codes = session.found.settings.binding_codes;
            check_types(tx, (account, principal), session.found.kind, &session.found.settings).await?;
            // A refusal commits its count, so everything is judged before anything is taken away.
            let spent = this.judge_binding(tx, &device, proof(codes, &typed), admitted.now).await?;
            let mut kind = NoticeKind::MfaBound;
            if let Some(old) = virtual_mfa::find_bound(tx, account, principal).await? {
                this.spend_code(tx, &old, &typed.of_replaced, &from, admitted.now).await?;
                virtual_mfa::delete_bound(tx, account, principal).await?;
                kind = NoticeKind::MfaReplaced;
            }
            this.bind_judged(tx, &device, spent).await?;
            this.notify_by(tx, admitted, Notice { account, principal, kind, origin: &from }).await?;
            this.renew_own_session(tx, admitted).await
        };
        self.act(&Actor::Session(Box::new(actor.clone())), origin, deed, work).await
    }

    /// Starts binding a device for a RAM user.
    pub async fn start_binding_for(&self, actor: &SessionActor, user: &str, origin: &Origin) -> Result<(), Error> {
        let deed = Deed::on(actor, START, user).asking(Action::BindMfaForUser, &[]);
        let (this, user) = (self.clone(), user.to_owned());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            let user = admitted.guard_user(tx, &user, Action::BindMfaForUser).await?;
            let session = admitted.session.as_ref().ok_or(Refusal::NotLoggedOn)?;
            if virtual_mfa::find_bound(tx, &user.account_id, &user.id).await?.is_some() {
                return Err(Refusal::MfaAlreadyBound.into());
            }
            check_types(tx, (&user.account_id, &user.id), user.kind, &session.found.settings).await?;
            let start = Start {
                account: &user.account_id,
                principal: &user.id,
                name: &user.name,
                kind: user.kind,
                started_by: session.found.session.id.as_str(),
                now: admitted.now,
            };
            this.start_binding(tx, start).await
        };
        self.act(&Actor::Session(Box::new(actor.clone())), origin, deed, work).await
    }

    /// Shows the pending device that the actor started for a RAM user.
    pub async fn binding_for(&self, actor: &SessionActor, user: &str) -> Result<BindingView, Error> {
        let (this, deed, user) = (self.clone(), Deed::on(actor, Action::BindMfaForUser.code(), user), user.to_owned());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<BindingView, Error> {
            let user = admitted.find_user(tx, &user, Action::BindMfaForUser).await?;
            let session = admitted.session.as_ref().ok_or(Refusal::NotLoggedOn)?;
            let started_by = session.found.session.id.as_str();
            let device = this.pending_of(tx, &user.account_id, &user.id, started_by).await?;
            let shown = Shown {
                kind: user.kind,
                name: user.name,
                alias: session.found.alias.clone(),
                codes: session.found.settings.binding_codes,
                replaces: false,
            };
            this.view(&device, shown)
        };
        self.look(&Actor::Session(Box::new(actor.clone())), &Origin::default(), deed, work).await
    }

    /// Binds the pending device that the actor started for a RAM user. The user's sessions end.
    pub async fn confirm_binding_for(
        &self,
        actor: &SessionActor,
        user: &str,
        typed: TypedCodes,
        origin: &Origin,
    ) -> Result<(), Error> {
        self.check_clock()?;
        let (this, deed, user) = (self.clone(), Deed::on(actor, Action::BindMfaForUser.code(), user), user.to_owned());
        let from = origin.clone();
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            let user = admitted.guard_user(tx, &user, Action::BindMfaForUser).await?;
            let session = admitted.session.as_ref().ok_or(Refusal::NotLoggedOn)?;
            if virtual_mfa::find_bound(tx, &user.account_id, &user.id).await?.is_some() {
                return Err(Refusal::MfaAlreadyBound.into());
            }
            check_types(tx, (&user.account_id, &user.id), user.kind, &session.found.settings).await?;
            let started_by = session.found.session.id.as_str();
            let device = this.pending_of(tx, &user.account_id, &user.id, started_by).await?;
            let codes = session.found.settings.binding_codes;
            let spent = this.judge_binding(tx, &device, proof(codes, &typed), admitted.now).await?;
            this.bind_judged(tx, &device, spent).await?;
            principals::bump_epoch(tx, &user.account_id, &user.id, admitted.now).await?;
            let (account, principal, kind) = (&user.account_id, &user.id, NoticeKind::MfaBound);
            this.notify_by(tx, admitted, Notice { account, principal, kind, origin: &from }).await
        };
        self.act(&Actor::Session(Box::new(actor.clone())), origin, deed, work).await
    }

    /// Starts the binding that a logon must do.
    pub async fn start_logon_binding(&self, token: &Token, origin: &Origin) -> Result<(), Error> {
        self.check_clock()?;
        let (this, hash, origin) = (self.clone(), token_hash(token), origin.clone());
        let unit = async move |tx: &mut Tx<'_>| -> Result<(), Error> {
            let LogonInFull { logon, .. } = this.hold_logon_in(tx, &hash, LogonState::Bind).await?;
            guard_subject(tx, &logon).await?;
            let start = Start {
                account: &logon.account_id,
                principal: &logon.principal_id,
                name: &logon.name,
                kind: logon.kind,
                started_by: logon.id.as_str(),
                now: this.now(),
            };
            let started = this.start_binding(tx, start).await;
            if started.is_ok() {
                this.write_change_at_logon(tx, &logon, &origin, START).await?;
            }
            this.settle_step(tx, &logon, &origin, started).await
        };
        self.inner.store.write(unit).await
    }

    /// Shows the pending device of a logon.
    pub async fn logon_binding(&self, token: &Token) -> Result<BindingView, Error> {
        let (this, hash) = (self.clone(), token_hash(token));
        let unit = async move |tx: &mut Tx<'_>| -> Result<BindingView, Error> {
            let LogonInFull { logon, subject, .. } = this.logon_in(tx, &hash, LogonState::Bind).await?;
            let subject = subject.ok_or(Refusal::LogonOver)?;
            let device = this.pending_of(tx, &logon.account_id, &logon.principal_id, logon.id.as_str()).await?;
            let codes = subject.settings.binding_codes;
            this.view(
                &device,
                Shown { kind: logon.kind, name: subject.name, alias: subject.alias, codes, replaces: false },
            )
        };
        self.inner.store.read(unit).await
    }

    /// Binds the pending device of a logon, and ends the logon with a session.
    pub async fn confirm_logon_binding(
        &self,
        token: &Token,
        typed: TypedCodes,
        origin: &Origin,
    ) -> Result<LogonStep, Error> {
        self.check_clock()?;
        let (this, hash, origin) = (self.clone(), token_hash(token), origin.clone());
        let unit = async move |tx: &mut Tx<'_>| -> Result<LogonStep, Error> {
            let found = this.hold_logon_in(tx, &hash, LogonState::Bind).await?;
            let result = this.bind_at_logon(tx, &hash, &found, &typed, &origin).await;
            this.settle_step(tx, &found.logon, &origin, result).await
        };
        self.inner.store.write(unit).await
    }

    async fn bind_at_logon(
        &self,
        tx: &mut Tx<'_>,
        hash: &[u8; 32],
        found: &LogonInFull,
        typed: &TypedCodes,
        origin: &Origin,
    ) -> Result<LogonStep, Error> {
        let now = self.now();
        let logon = &found.logon;
        let mut subject = found.subject.clone().ok_or(Refusal::LogonOver)?;
        guard_subject(tx, logon).await?;
        let device = self.pending_of(tx, &logon.account_id, &logon.principal_id, logon.id.as_str()).await?;
        let spent = self.judge_binding(tx, &device, proof(subject.settings.binding_codes, typed), now).await?;
        if logon.facts.has_lost_factor() {
            // He has lost what is still bound.
            self.unbind_everything(tx, (&logon.account_id, &logon.principal_id)).await?;
        }
        self.bind_judged(tx, &device, spent).await?;
        let mut after = logon.clone();
        after.facts.second_factor = after.facts.second_factor.or(Some((Method::VirtualMfa, now)));
        after.facts.device_bound = true;
        after.principal_epoch =
            principals::bump_epoch(tx, &logon.account_id, &logon.principal_id, now).await?.ok_or(Refusal::LogonOver)?;
        subject.device = virtual_mfa::find_bound(tx, &logon.account_id, &logon.principal_id).await?;
        subject.factors = factors::of(tx, &logon.account_id, &logon.principal_id).await?;
        self.write_change_at_logon(tx, logon, origin, Action::BindOwnMfa.code()).await?;
        let (account, principal, kind) = (&logon.account_id, &logon.principal_id, NoticeKind::MfaBound);
        self.notify(tx, Notice { account, principal, kind, origin }).await?;
        self.advance(tx, Advance { hash, before: logon, after, subject: &subject, origin, now }).await
    }

    async fn start_binding(&self, tx: &mut Tx<'_>, start: Start<'_>) -> Result<(), Error> {
        let hour = start.now.micros().div_euclid(3_600_000_000);
        if virtual_mfa::count_start(tx, start.account, start.principal, hour).await? > STARTS_PER_HOUR {
            return Err(Refusal::TooManyBindings.into());
        }
        let id = DeviceId::generate(&*self.inner.entropy);
        let seed = Secret::generate(|bytes| self.inner.entropy.fill(bytes));
        let name = device_name(start.kind, start.name);
        let name = free_name(tx, (start.account, start.principal), name, &id).await?;
        let device = VirtualMfa {
            sealed_seed: self.seal_seed(start.account, start.principal, &id, &seed)?,
            id,
            account_id: start.account.clone(),
            principal_id: start.principal.clone(),
            name,
            state: VirtualMfaState::Pending {
                started_by: start.started_by.to_owned(),
                expires_at: start.now.plus(PENDING_LIFETIME),
            },
            created_at: start.now,
        };
        if virtual_mfa::replace_pending(tx, &device).await? { Ok(()) } else { Err(Refusal::BindingOver.into()) }
    }

    /// The pending device of a principal, for the one who started it and while it is not too late.
    async fn pending_of(
        &self,
        tx: &mut Tx<'_>,
        account: &AccountId,
        principal: &PrincipalId,
        asker: &str,
    ) -> Result<VirtualMfa, Error> {
        let device = virtual_mfa::find_pending(tx, account, principal).await?;
        let device = device.ok_or(Error::because(Refusal::BindingOver, "no_pending_device"))?;
        match &device.state {
            VirtualMfaState::Pending { started_by, .. } if started_by != asker => {
                Err(Error::because(Refusal::BindingOver, "binding_started_elsewhere"))
            }
            VirtualMfaState::Pending { expires_at, .. } if self.now() >= *expires_at => {
                Err(Error::because(Refusal::BindingOver, "binding_expired"))
            }
            VirtualMfaState::Pending { .. } => Ok(device),
            VirtualMfaState::Bound { .. } => Err(Error::Fault("a pending device that is bound".to_owned())),
        }
    }

    fn view(&self, device: &VirtualMfa, shown: Shown) -> Result<BindingView, Error> {
        let fault = |error: &dyn std::fmt::Display| Error::Fault(format!("a key URI cannot be shown: {error}"));
        let VirtualMfaState::Pending { expires_at, .. } = device.state else {
            return Err(Error::Fault("a bound device has nothing to show".to_owned()));
        };
        let issuer = self.inner.identity.issuer.clone();
        let label = self.logon_name(shown.kind, &shown.name, shown.alias.as_str());
        let seed = self.open_seed(device)?;
        let key = seed.to_groups_of_four();
        let uri = KeyUri::totp(Label::new(Some(&issuer), &label).map_err(|error| fault(&error))?, seed).to_uri();
        let qr = Qr::encode(uri.expose_secret()).map_err(|error| fault(&error))?;
        Ok(BindingView {
            qr_svg: qr.to_svg(&label).into(),
            name: shown.name,
            label,
            issuer,
            key,
            codes: shown.codes,
            replaces: shown.replaces,
            expires_at,
            now: self.now(),
        })
    }
}

/// Refuses a virtual MFA device beside a security key where only one type is allowed.
pub(crate) async fn check_types(
    tx: &mut Tx<'_>,
    (account, principal): (&AccountId, &PrincipalId),
    holder: PrincipalKind,
    settings: &SecuritySettings,
) -> Result<(), Error> {
    if has_one_type(holder, settings) && factors::of(tx, account, principal).await?.security_keys > 0 {
        return Err(Refusal::OtherMfaTypeBound.into());
    }
    Ok(())
}

const fn proof(codes: BindingCodes, typed: &TypedCodes) -> BindingProof<'_> {
    match codes {
        BindingCodes::One => BindingProof::One(typed.first.as_str()),
        BindingCodes::Two => BindingProof::Two(typed.first.as_str(), typed.second.as_str()),
    }
}

/// The last part of the serial number: the user's name, or the cloud's word for the owner's device.
fn device_name(kind: PrincipalKind, name: &str) -> String {
    match kind {
        PrincipalKind::Owner => "root-account-mfa-device".to_owned(),
        PrincipalKind::RamUser => name.split('@').next().unwrap_or(name).to_owned(),
    }
}
