//! The posture of an account at a glance, and what the Account Center and one's own security page show.

use crate::Countersign;
use crate::act::{Admitted, Deed};
use crate::actor::{Actor, Origin, SessionActor};
use crate::authorise::{Action, Resource};
use crate::error::{Error, Refusal};
use crate::logon::requires_device;
use crate::passwords::password_expires_at;
use crate::webauthn::{KeyView, Left};
use countersign_model::Timestamp;
use countersign_model::audit::AuditEvent;
use countersign_model::ids::KeyId;
use countersign_model::principal::PrincipalKind;
use countersign_model::virtual_mfa::{VirtualMfa, VirtualMfaState, serial_number};
use countersign_model::webauthn::Factors;
use countersign_store::findings::{FindingLine, Which};
use countersign_store::users::{AdministratorLine, Posture};
use countersign_store::{
    Tx, access_keys, audit, factors, findings, login_profiles, principals, recovery_codes, users, virtual_mfa,
};

const RECENT_EVENTS: i64 = 10;
const ADMINISTRATORS_SHOWN: i64 = 50;
const FINDINGS_SHOWN: i64 = 5;

/// The RAM overview.
#[derive(Debug)]
pub struct Overview {
    /// Counted over all RAM users.
    pub posture: Posture,
    /// The RAM users who are administrators.
    pub administrators: Vec<AdministratorLine>,
    /// Whether the owner has a second factor.
    pub owner_protected: bool,
    /// How many AccessKeys the owner has.
    pub owner_access_keys: i64,
    /// The newest of what administrators have to look at.
    pub findings: Vec<FindingLine>,
    /// How much of that there is in all.
    pub open_findings: i64,
    /// The latest events, the newest first.
    pub events: Vec<AuditEvent>,
}

/// A bound device as pages show it.
#[derive(Debug, Clone)]
pub struct DeviceView {
    /// Its serial number.
    pub serial_number: String,
    /// When it was bound.
    pub bound_at: Timestamp,
    /// When it last passed.
    pub last_used_at: Option<Timestamp>,
}

/// One's own security page.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct OwnSecurity {
    /// The bound virtual MFA device.
    pub device: Option<DeviceView>,
    /// The security keys and passkeys, the oldest first.
    pub keys: Vec<KeyView>,
    /// What second factors are bound.
    pub factors: Factors,
    /// Whether a passkey logs on without the password.
    pub passkey_logon: bool,
    /// Whether a device is required: then it can be replaced but not unbound.
    pub mfa_required: bool,
    /// When the password was last changed.
    pub password_changed_at: Option<Timestamp>,
    /// When it runs out; nothing when it never does.
    pub password_expires_at: Option<Timestamp>,
    /// How many recovery codes are left.
    pub codes_left: i64,
    /// When the recovery codes were made; nothing when there are none.
    pub codes_made_at: Option<Timestamp>,
    /// Whether he may bind and unbind his own device.
    pub may_manage_mfa: bool,
    /// Whether he may change his own password.
    pub may_change_password: bool,
    /// How many AccessKeys he has; nothing where he may not manage them himself.
    pub access_keys: Option<i64>,
}

impl OwnSecurity {
    /// Why the virtual MFA device cannot be unbound, if it cannot.
    #[must_use]
    pub fn keeps_device(&self) -> Option<Refusal> {
        let left = Left { bound: self.keys.len(), usable: self.keys.iter().filter(|key| key.is_usable).count() };
        left.judge(self.mfa_required).err()
    }

    /// Why a key cannot be unbound, if it cannot.
    #[must_use]
    pub fn keeps_key(&self, id: &KeyId) -> Option<Refusal> {
        let device = usize::from(self.factors.code);
        let others: Vec<_> = self.keys.iter().filter(|key| key.id != *id).collect();
        let usable = others.iter().filter(|key| key.is_usable).count();
        Left { bound: device + others.len(), usable: device + usable }.judge(self.mfa_required).err()
    }
}

impl DeviceView {
    /// The view of a device, if it is bound.
    pub(crate) fn of(device: &VirtualMfa) -> Option<Self> {
        match device.state {
            VirtualMfaState::Bound { bound_at, last_used_at, .. } => {
                Some(Self { serial_number: serial_number(&device.account_id, &device.name), bound_at, last_used_at })
            }
            VirtualMfaState::Pending { .. } => None,
        }
    }
}

impl Countersign {
    /// The RAM overview.
    pub async fn overview(&self, actor: &SessionActor, origin: &Origin) -> Result<Overview, Error> {
        let deed = Deed::on(actor, Action::ViewOverview.code(), "");
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<Overview, Error> {
            let (account, _) = admitted.oneself()?;
            admitted.may(Action::ViewOverview, &Resource::Account(account.clone()))?;
            let owner = principals::find_owner_of(tx, account).await?.ok_or(Refusal::AccountNotFound)?;
            Ok(Overview {
                posture: users::posture(tx, account).await?,
                administrators: users::administrators(tx, account, ADMINISTRATORS_SHOWN).await?,
                owner_protected: factors::of(tx, account, &owner.id).await?.any(),
                owner_access_keys: access_keys::count(tx, account, &owner.id).await?,
                findings: findings::list(tx, account, Which::Open, FINDINGS_SHOWN, 0).await?,
                open_findings: findings::count(tx, account, Which::Open).await?,
                events: audit::latest(tx, account, RECENT_EVENTS).await?,
            })
        };
        self.look(&Actor::Session(Box::new(actor.clone())), origin, deed, work).await
    }

    /// One's own security page.
    pub async fn own_security(&self, actor: &SessionActor) -> Result<OwnSecurity, Error> {
        let (this, deed) = (self.clone(), Deed::own(actor, Action::ViewOwnSecurity.code()));
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<OwnSecurity, Error> {
            admitted.may(Action::ViewOwnSecurity, &Resource::Oneself)?;
            let (account, principal) = admitted.oneself()?;
            let session = admitted.session.as_ref().ok_or(Refusal::NotLoggedOn)?;
            let settings = &session.found.settings;
            let device = virtual_mfa::find_bound(tx, account, principal).await?;
            let profile = login_profiles::find(tx, account, principal).await?;
            let codes = recovery_codes::count(tx, account, principal).await?;
            Ok(OwnSecurity {
                device: device.as_ref().and_then(DeviceView::of),
                keys: this.key_views(tx, (account, principal), &settings.attestation).await?,
                factors: factors::of(tx, account, principal).await?,
                passkey_logon: session.found.kind == PrincipalKind::Owner || settings.passkey_logon,
                mfa_required: profile
                    .as_ref()
                    .is_none_or(|profile| requires_device(session.found.kind, settings, profile)),
                password_expires_at: profile.as_ref().and_then(|profile| {
                    password_expires_at(session.found.kind, profile, &session.found.settings.password)
                }),
                password_changed_at: profile.and_then(|profile| profile.password_changed_at),
                codes_left: codes.left,
                codes_made_at: codes.made_at,
                may_manage_mfa: admitted.may(Action::BindOwnMfa, &Resource::Oneself).is_ok(),
                may_change_password: admitted.may(Action::ChangeOwnPassword, &Resource::Oneself).is_ok(),
                access_keys: match admitted.may(Action::ListOwnAccessKeys, &Resource::Oneself) {
                    Ok(()) => Some(access_keys::count(tx, account, principal).await?),
                    Err(_) => None,
                },
            })
        };
        self.look(&Actor::Session(Box::new(actor.clone())), &Origin::default(), deed, work).await
    }

    /// Ends the actor's session.
    pub async fn log_off(&self, actor: &SessionActor, origin: &Origin) -> Result<(), Error> {
        let deed = Deed::own(actor, Action::LogOff.code());
        let hash = actor.token_hash;
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            admitted.may(Action::LogOff, &Resource::Oneself)?;
            countersign_store::sessions::delete(tx, &hash).await?;
            Ok(())
        };
        self.act(&Actor::Session(Box::new(actor.clone())), origin, deed, work).await
    }
}
