//! Virtual MFA devices as the RAM protocol has them: made with a name, bound by two consecutive codes, unbound and kept,
//! removed.
//!
//! A device that is bound here is the very one that the pages show, and the other way round. Binding seals its seed anew
//! under a new id, and unbinding likewise; what was spent stays spent, so a code counts once whatever the device was bound
//! to in between.

use super::Page;
use crate::Countersign;
use crate::act::{Admitted, Deed};
use crate::actor::{Insider, Origin};
use crate::authorise::{Action, Resource};
use crate::binding::check_types;
use crate::codes::BindingProof;
use crate::error::{Conflict, Error, Limit, Refusal};
use crate::notices::Notice;
use countersign_model::Timestamp;
use countersign_model::ids::{AccountId, DeviceId, PrincipalId};
use countersign_model::names::DeviceName;
use countersign_model::notice::NoticeKind;
use countersign_model::principal::Principal;
use countersign_model::virtual_mfa::{VirtualMfa, VirtualMfaState, serial_number};
use countersign_model::webauthn::{KeyKind, WebAuthnCredential};
use countersign_otp::{KeyUri, Label, Qr, Scale, Secret};
use countersign_store::unbound_mfa::{self, DeviceLine, UnboundMfa};
use countersign_store::{Tx, factors, principals, recovery_codes, virtual_mfa, webauthn_credentials};
use secrecy::{ExposeSecret as _, SecretString};

/// How many devices of an account may be bound to nobody.
pub const MOST_UNBOUND: i64 = 5_000;

/// A device that was just made. Its seed is told here and never again.
#[derive(Debug)]
pub struct MadeDevice {
    /// Its serial number.
    pub serial_number: String,
    /// The seed in base32.
    pub seed: SecretString,
    /// The QR code of the seed, a PNG in base64.
    pub qr_png: SecretString,
}

/// A second factor as the protocol shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundMfa {
    /// Its serial number.
    pub serial_number: String,
    /// What it is.
    pub kind: MfaKind,
}

/// What kinds of second factors the protocol tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MfaKind {
    /// A virtual MFA device.
    Virtual,
    /// A security key.
    SecurityKey,
    /// A passkey.
    Passkey,
}

impl BoundMfa {
    fn of_key(key: &WebAuthnCredential) -> Self {
        let (word, kind) = match key.kind {
            KeyKind::SecurityKey => ("u2f", MfaKind::SecurityKey),
            KeyKind::Passkey => ("passkey", MfaKind::Passkey),
        };
        Self { serial_number: format!("acs:ram::{}:{word}/{}", key.account_id, key.id), kind }
    }
}

/// Where a list of devices goes on.
#[derive(Debug, Clone, Default)]
pub struct AfterDevice {
    /// The name of the last device of the page before.
    pub name: String,
    /// Its id.
    pub id: String,
}

impl Countersign {
    /// Makes a device that is bound to nobody.
    pub async fn create_mfa_device<'a>(
        &self,
        actor: impl Into<Insider<'a>>,
        name: DeviceName,
        origin: &Origin,
    ) -> Result<MadeDevice, Error> {
        let actor = actor.into();
        let deed = Deed::on(actor, Action::CreateMfaDevice.code(), name.as_str());
        let seed = Secret::generate(|bytes| self.inner.entropy.fill(bytes));
        let made = self.show_device(actor.account_id(), name.as_str(), &seed)?;
        let this = self.clone();
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            // One by one, so that no two devices get one name.
            let admitted = this.guard_administrators(tx, admitted, Action::CreateMfaDevice).await?;
            let (account, _) = admitted.oneself()?;
            admitted.may(Action::CreateMfaDevice, &Resource::Mfa(account.clone(), name.as_str().to_owned()))?;
            if unbound_mfa::count(tx, account).await? >= MOST_UNBOUND {
                return Err(Refusal::LimitExceeded(Limit::MfaDevices).into());
            }
            if unbound_mfa::holder_of(tx, account, name.as_str()).await?.is_some() {
                return Err(Refusal::MfaDeviceExists.into());
            }
            let device = this.sealed_unbound(account, name.as_str(), &seed, (0, admitted.now))?;
            if unbound_mfa::insert(tx, &device).await? { Ok(()) } else { Err(Refusal::MfaDeviceExists.into()) }
        };
        self.act(&actor.to_actor(), origin, deed, work).await?;
        Ok(made)
    }

    /// A page of all devices of the account, bound ones and unbound ones, by name.
    pub async fn list_mfa_devices<'a>(
        &self,
        actor: impl Into<Insider<'a>>,
        after: AfterDevice,
        limit: i64,
        origin: &Origin,
    ) -> Result<Page<DeviceLine>, Error> {
        let actor = actor.into();
        let deed = Deed::on(actor, Action::ListMfaDevices.code(), "");
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<Page<DeviceLine>, Error> {
            let (account, _) = admitted.oneself()?;
            admitted.may(Action::ListMfaDevices, &Resource::Account(account.clone()))?;
            let found = unbound_mfa::list(tx, account, (&after.name, &after.id), limit.saturating_add(1)).await?;
            Ok(Page::of(found, limit))
        };
        self.look(&actor.to_actor(), origin, deed, work).await
    }

    /// Binds the device of this name to a RAM user by two codes of consecutive steps. They are spent with it, and the
    /// user's sessions end.
    pub async fn bind_mfa_device<'a>(
        &self,
        actor: impl Into<Insider<'a>>,
        user: &str,
        device: &str,
        codes: [String; 2],
        origin: &Origin,
    ) -> Result<(), Error> {
        self.check_clock()?;
        let actor = actor.into();
        let deed = Deed::on(actor, Action::BindMfaForUser.code(), user);
        let (this, user, device, from) = (self.clone(), user.to_owned(), device.to_owned(), origin.clone());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            let user = admitted.guard_user(tx, &user, Action::BindMfaForUser).await?;
            admitted.tell("device", &serial_number(&user.account_id, &device));
            if virtual_mfa::find_bound(tx, &user.account_id, &user.id).await?.is_some() {
                return Err(Refusal::MfaAlreadyBound.into());
            }
            check_types(tx, (&user.account_id, &user.id), user.kind, &admitted.who.settings).await?;
            let unbound = find_unbound(tx, &user.account_id, &device).await?;
            let [first, second] = &codes;
            let proof = BindingProof::Two(first, second);
            let (spent, seed) = this.judge_binding_of_unbound(tx, &unbound, proof, admitted.now).await?;
            // Of two that bind one device at once, one takes it away.
            if !unbound_mfa::delete(tx, &unbound.account_id, &unbound.id).await? {
                return Err(Refusal::MfaDeviceTaken.into());
            }
            let id = DeviceId::generate(&*this.inner.entropy);
            let bound = VirtualMfa {
                sealed_seed: this.seal_seed(&user.account_id, &user.id, &id, &seed)?,
                id,
                account_id: unbound.account_id,
                principal_id: user.id.clone(),
                name: unbound.name,
                state: VirtualMfaState::Pending { started_by: String::new(), expires_at: admitted.now },
                created_at: unbound.created_at,
            };
            virtual_mfa::replace_pending(tx, &bound).await?;
            this.bind_judged(tx, &bound, spent).await?;
            principals::bump_epoch(tx, &user.account_id, &user.id, admitted.now).await?;
            let (account, principal, kind) = (&user.account_id, &user.id, NoticeKind::MfaBound);
            this.notify_by(tx, admitted, Notice { account, principal, kind, origin: &from }).await
        };
        self.act(&actor.to_actor(), origin, deed, work).await
    }

    /// Unbinds the device of a RAM user and keeps it, bound to nobody. Where he has none, his security keys are unbound, all
    /// of them. His sessions end; his recovery codes go with his last factor. Gives the serial number of the device, or of
    /// the first key.
    pub async fn unbind_mfa_device<'a>(
        &self,
        actor: impl Into<Insider<'a>>,
        user: &str,
        origin: &Origin,
    ) -> Result<String, Error> {
        let actor = actor.into();
        let deed = Deed::on(actor, Action::UnbindMfaForUser.code(), user);
        let (this, user, from) = (self.clone(), user.to_owned(), origin.clone());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<String, Error> {
            let user = admitted.guard_user(tx, &user, Action::UnbindMfaForUser).await?;
            let Some(device) = virtual_mfa::find_bound(tx, &user.account_id, &user.id).await? else {
                let first = this.unbind_security_keys_of(tx, &user, admitted, &from).await?;
                return Ok(BoundMfa::of_key(&first).serial_number);
            };
            let name = this.keep_unbound(tx, &device, admitted).await?;
            this.unbind_device_of(tx, &user, admitted, &from).await?;
            Ok(serial_number(&device.account_id, &name))
        };
        self.act(&actor.to_actor(), origin, deed, work).await
    }

    /// Unbinds the device of a RAM user and removes it. His sessions end; his recovery codes go.
    pub async fn disable_mfa_device<'a>(
        &self,
        actor: impl Into<Insider<'a>>,
        user: &str,
        origin: &Origin,
    ) -> Result<(), Error> {
        let actor = actor.into();
        let deed = Deed::on(actor, Action::DisableMfaForUser.code(), user);
        let (this, user, from) = (self.clone(), user.to_owned(), origin.clone());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            let user = admitted.guard_user(tx, &user, Action::DisableMfaForUser).await?;
            this.unbind_device_of(tx, &user, admitted, &from).await
        };
        self.act(&actor.to_actor(), origin, deed, work).await
    }

    /// Removes a device that is bound to nobody.
    pub async fn delete_mfa_device<'a>(
        &self,
        actor: impl Into<Insider<'a>>,
        device: &str,
        origin: &Origin,
    ) -> Result<(), Error> {
        let actor = actor.into();
        let deed = Deed::on(actor, Action::DeleteMfaDevice.code(), device);
        let name = device.to_owned();
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            let (account, _) = admitted.oneself()?;
            admitted.may_at_all(Action::DeleteMfaDevice)?;
            admitted.may(Action::DeleteMfaDevice, &Resource::Mfa(account.clone(), name.clone()))?;
            let device = match find_unbound(tx, account, &name).await {
                Err(Error::Refused { refusal: Refusal::MfaDeviceTaken, .. }) => {
                    return Err(Refusal::DeleteConflict(Conflict::MfaDeviceUser).into());
                }
                found => found?,
            };
            if unbound_mfa::delete(tx, account, &device.id).await? {
                Ok(())
            } else {
                Err(Refusal::MfaDeviceNotFound.into())
            }
        };
        self.act(&actor.to_actor(), origin, deed, work).await
    }

    /// The second factor of a RAM user, or of oneself: his virtual MFA device, or else his first security key or passkey.
    pub async fn mfa_of<'a>(
        &self,
        actor: impl Into<Insider<'a>>,
        user: Option<&str>,
        origin: &Origin,
    ) -> Result<Option<BoundMfa>, Error> {
        let actor = actor.into();
        let action = if user.is_some() { Action::ViewUserMfa } else { Action::ViewOwnMfa };
        let deed = Deed::on(actor, action.code(), user.unwrap_or_default());
        let user = user.map(str::to_owned);
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<Option<BoundMfa>, Error> {
            let (account, principal) = if let Some(name) = &user {
                let user = admitted.find_user(tx, name, action).await?;
                (user.account_id, user.id)
            } else {
                admitted.may(action, &Resource::Oneself)?;
                let (account, principal) = admitted.oneself()?;
                (account.clone(), principal.clone())
            };
            if let Some(name) = virtual_mfa::name_of_bound(tx, &account, &principal).await? {
                let serial_number = serial_number(&account, &name);
                return Ok(Some(BoundMfa { serial_number, kind: MfaKind::Virtual }));
            }
            let keys = webauthn_credentials::list(tx, &account, &principal).await?;
            let security_key = keys.iter().find(|key| key.kind == KeyKind::SecurityKey);
            Ok(security_key.or_else(|| keys.first()).map(BoundMfa::of_key))
        };
        self.look(&actor.to_actor(), origin, deed, work).await
    }

    /// Whether the owner of the account has a second factor.
    pub async fn owner_has_mfa<'a>(&self, actor: impl Into<Insider<'a>>, origin: &Origin) -> Result<bool, Error> {
        let actor = actor.into();
        let deed = Deed::on(actor, Action::ViewAccountMfa.code(), "");
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<bool, Error> {
            let (account, _) = admitted.oneself()?;
            admitted.may(Action::ViewAccountMfa, &Resource::Account(account.clone()))?;
            let owner = principals::find_owner_of(tx, account).await?.ok_or(Refusal::AccountNotFound)?;
            Ok(factors::of(tx, account, &owner.id).await?.any())
        };
        self.look(&actor.to_actor(), origin, deed, work).await
    }

    /// Takes the device of a user away with what hangs on it, and tells him.
    pub(crate) async fn unbind_device_of(
        &self,
        tx: &mut Tx<'_>,
        user: &Principal,
        admitted: &Admitted,
        origin: &Origin,
    ) -> Result<(), Error> {
        if !virtual_mfa::delete_bound(tx, &user.account_id, &user.id).await? {
            return Err(Refusal::MfaNotBound.into());
        }
        if !factors::of(tx, &user.account_id, &user.id).await?.any() {
            recovery_codes::delete_all(tx, &user.account_id, &user.id).await?;
        }
        principals::bump_epoch(tx, &user.account_id, &user.id, admitted.now).await?;
        let (account, principal, kind) = (&user.account_id, &user.id, NoticeKind::MfaUnbound);
        self.notify_by(tx, admitted, Notice { account, principal, kind, origin }).await
    }

    /// Keeps a copy of a bound device that is bound to nobody, with all that it has spent. Gives its name.
    async fn keep_unbound(&self, tx: &mut Tx<'_>, device: &VirtualMfa, admitted: &Admitted) -> Result<String, Error> {
        let VirtualMfaState::Bound { last_step, .. } = device.state else {
            return Err(Error::Fault("a bound device that is not".to_owned()));
        };
        let seed = self.open_seed(device)?;
        let mut unbound = self.sealed_unbound(&device.account_id, &device.name, &seed, (last_step, admitted.now))?;
        if unbound_mfa::find(tx, &device.account_id, &device.name).await?.is_some() {
            unbound.name = with_digits_of(&unbound.name, &unbound.id);
        }
        if unbound_mfa::insert(tx, &unbound).await? {
            return Ok(unbound.name);
        }
        Err(Error::Unavailable("a device of this name was made at this very moment".to_owned()))
    }

    fn sealed_unbound(
        &self,
        account: &AccountId,
        name: &str,
        seed: &Secret,
        (last_step, created_at): (i64, Timestamp),
    ) -> Result<UnboundMfa, Error> {
        let id = DeviceId::generate(&*self.inner.entropy);
        Ok(UnboundMfa {
            sealed_seed: self.seal_unbound_seed(account, &id, seed)?,
            account_id: account.clone(),
            id,
            name: name.to_owned(),
            created_at,
            last_step,
        })
    }

    /// What is shown of a fresh device. The app shows the device's name: its user is not known yet.
    fn show_device(&self, account: &AccountId, name: &str, seed: &Secret) -> Result<MadeDevice, Error> {
        let fault = |error: &dyn std::fmt::Display| Error::Fault(format!("a key URI cannot be shown: {error}"));
        let label = format!("{name}@{account}");
        let label = Label::new(Some(&self.inner.identity.issuer), &label).map_err(|error| fault(&error))?;
        let base32 = seed.to_base32();
        let copy = Secret::from_bytes(seed.expose()).map_err(|error| fault(&error))?;
        let uri = KeyUri::totp(label, copy).to_uri();
        let qr = Qr::encode(uri.expose_secret()).map_err(|error| fault(&error))?;
        let png = qr.to_png(Scale::default()).map_err(|error| fault(&error))?;
        Ok(MadeDevice {
            serial_number: serial_number(account, name),
            seed: base32,
            qr_png: data_encoding::BASE64.encode(&png).into(),
        })
    }
}

/// The unbound device of this name; one that is bound is refused.
async fn find_unbound(tx: &mut Tx<'_>, account: &AccountId, name: &str) -> Result<UnboundMfa, Error> {
    if let Some(device) = unbound_mfa::find(tx, account, name).await? {
        return Ok(device);
    }
    let is_bound = unbound_mfa::holder_of(tx, account, name).await?.is_some();
    Err(if is_bound { Refusal::MfaDeviceTaken } else { Refusal::MfaDeviceNotFound }.into())
}

/// A name for a device of a principal that no other device of the account has: the wanted one, or that with a few digits
/// of the device's id. The principal's own device may have it: he replaces it.
pub(crate) async fn free_name(
    tx: &mut Tx<'_>,
    (account, principal): (&AccountId, &PrincipalId),
    wanted: String,
    id: &DeviceId,
) -> Result<String, Error> {
    let holder = unbound_mfa::holder_of(tx, account, &wanted).await?;
    let is_taken =
        holder.is_some_and(|holder| holder != *principal) || unbound_mfa::find(tx, account, &wanted).await?.is_some();
    Ok(if is_taken { with_digits_of(&wanted, id) } else { wanted })
}

fn with_digits_of(name: &str, id: &DeviceId) -> String {
    let digits: String = id.as_str().chars().take(8).collect();
    format!("{name}-{digits}")
}
