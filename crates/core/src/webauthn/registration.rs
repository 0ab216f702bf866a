//! Making a credential: what the browser is asked, and what is kept of its answer.

use super::{Answer, KeyAnswer, Prompt, Read, Whose, hash_of, over, product_name, told_to_browser, user_handle};
use crate::Countersign;
use crate::error::{Error, Refusal};
use countersign_model::Timestamp;
use countersign_model::ids::KeyId;
use countersign_model::names::KeyName;
use countersign_model::principal::PrincipalKind;
use countersign_model::settings::{MfaDeviceTypes, SecuritySettings};
use countersign_model::virtual_mfa::STARTS_PER_HOUR;
use countersign_model::webauthn::{
    Aaguid, CEREMONY_LIFETIME, CeremonyPurpose, KEYS_PER_PRINCIPAL, KeyKind, Trust, WebAuthnCredential,
};
use countersign_store::webauthn_ceremonies::Ceremony;
use countersign_store::{Tx, virtual_mfa, webauthn_ceremonies, webauthn_credentials};
use countersign_webauthn::{
    Algorithm, Attachment, Conveyance, Creation, Invalid, Registered, RegistrationDemand, RegistrationResponse,
    ResidentKey, UserVerification, Verification, creation_options,
};
use std::time::Duration;

/// A credential that shall be made.
pub(crate) struct NewKey<'a> {
    pub(crate) whose: Whose<'a>,
    /// Owner or RAM user.
    pub(crate) holder: PrincipalKind,
    /// As he logs on.
    pub(crate) logon_name: &'a str,
    pub(crate) kind: KeyKind,
    /// The id of the logon or session that asks.
    pub(crate) started_by: &'a str,
    pub(crate) settings: &'a SecuritySettings,
    pub(crate) others: Others,
    pub(crate) now: Timestamp,
}

/// What becomes of the factors that are bound already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Others {
    /// They stay.
    Keep,
    /// A virtual MFA device gives way.
    Replace,
    /// They were lost and go.
    Lost,
}

/// A credential that was made, before it is kept.
pub(crate) struct MadeKey<'a> {
    pub(crate) whose: Whose<'a>,
    /// Owner or RAM user.
    pub(crate) holder: PrincipalKind,
    /// The id of the logon or session that was asked.
    pub(crate) started_by: &'a str,
    pub(crate) settings: &'a SecuritySettings,
    pub(crate) name: &'a str,
    pub(crate) answer: &'a Read<Result<Registered, Invalid>>,
    /// Whether the factors that are bound already were lost.
    pub(crate) others_lost: bool,
    pub(crate) now: Timestamp,
}

impl Countersign {
    /// Asks the browser to make a credential.
    pub(crate) async fn ask_for_key(&self, tx: &mut Tx<'_>, new: &NewKey<'_>) -> Result<Prompt, Error> {
        let (account, principal) = new.whose;
        let keys = webauthn_credentials::list(tx, account, principal).await?;
        if new.others != Others::Lost {
            if keys.len() >= KEYS_PER_PRINCIPAL {
                return Err(Refusal::TooManyKeys.into());
            }
            if new.others == Others::Keep {
                check_types(tx, (new.whose, new.holder), new.kind, new.settings).await?;
            }
        }
        let hour = new.now.micros().div_euclid(3_600_000_000);
        if virtual_mfa::count_start(tx, account, principal, hour).await? > STARTS_PER_HOUR {
            return Err(Refusal::TooManyBindings.into());
        }
        let ceremony = Ceremony {
            purpose: CeremonyPurpose::binding(new.kind),
            subject: Some((account.clone(), principal.clone())),
            replaces: new.others == Others::Replace,
            expires_at: new.now.plus(CEREMONY_LIFETIME),
        };
        let challenge = self.begin_ceremony(tx, new.started_by, &ceremony).await?;
        let asks_for_model = new.settings.attestation.asks_for_model();
        // A lost authenticator may make another credential: the old one goes.
        let exclude: Vec<_> = match new.others {
            Others::Lost => Vec::new(),
            Others::Keep | Others::Replace => keys.iter().map(told_to_browser).collect(),
        };
        let options = creation_options(&Creation {
            rp_id: self.relying_party().id(),
            rp_name: &self.inner.identity.issuer,
            user_handle: &user_handle(new.whose),
            user_name: new.logon_name,
            display_name: new.logon_name,
            challenge: &challenge,
            algorithms: Algorithm::ALL,
            exclude: &exclude,
            attachment: match new.kind {
                KeyKind::SecurityKey => Attachment::CrossPlatform,
                KeyKind::Passkey => Attachment::Any,
            },
            resident_key: match new.kind {
                KeyKind::SecurityKey => ResidentKey::Discouraged,
                KeyKind::Passkey => ResidentKey::Required,
            },
            verification: match new.kind {
                KeyKind::SecurityKey => Verification::Discouraged,
                KeyKind::Passkey => Verification::Required,
            },
            // Whoever binds a security key is asked whether it may tell its maker; a passkey tells only where it matters.
            conveyance: match new.kind {
                KeyKind::SecurityKey => Conveyance::Direct,
                KeyKind::Passkey if asks_for_model => Conveyance::Direct,
                KeyKind::Passkey => Conveyance::None,
            },
            timeout: CEREMONY_LIFETIME,
        });
        Ok(Prompt { options, expires_at: ceremony.expires_at })
    }

    /// Takes an answer apart and verifies it, outside any transaction.
    pub(crate) fn read_registration(&self, answer: &KeyAnswer) -> Read<Result<Registered, Invalid>> {
        let response = RegistrationResponse::parse(&answer.response)?;
        let challenge = response.challenge()?;
        let demand = RegistrationDemand {
            challenge: &challenge,
            // Whether it had to be is known with the ceremony.
            user_verification: UserVerification::NotRequired,
            algorithms: Algorithm::ALL,
            now: Duration::from_secs(self.now().unix_seconds()),
        };
        let verified = self.relying_party().verify_registration(demand, &response);
        Ok(Answer { challenge_hash: hash_of(&challenge), verified })
    }

    /// Keeps a credential that was made, if it was asked for and the policy allows it. Whether it takes the place of a
    /// virtual MFA device is told with it. The principal's row is guarded.
    pub(crate) async fn keep_key(
        &self,
        tx: &mut Tx<'_>,
        made: &MadeKey<'_>,
    ) -> Result<(WebAuthnCredential, Others), Error> {
        let answer = made.answer.as_ref().map_err(|invalid| not_accepted(invalid.code()))?;
        let keys = webauthn_credentials::list(tx, made.whose.0, made.whose.1).await?;
        let kept: &[WebAuthnCredential] = if made.others_lost { &[] } else { &keys };
        // Before the challenge is used up, so that another name can be given to the same key.
        let wanted = if made.name.trim().is_empty() { None } else { Some(KeyName::parse(made.name)?) };
        if let Some(name) = &wanted
            && is_taken(kept, name)
        {
            return Err(Error::because(Refusal::KeyExists, "key_name_taken"));
        }
        let ceremony = webauthn_ceremonies::consume(tx, &answer.challenge_hash, made.started_by, made.now).await?;
        let ceremony = ceremony.ok_or_else(|| over("ceremony_unknown"))?;
        let kind = ceremony.purpose.binds().ok_or_else(|| over("ceremony_of_another_purpose"))?;
        if ceremony.subject.as_ref().map(|(account, principal)| (account, principal)) != Some(made.whose) {
            return Err(over("ceremony_of_another_subject"));
        }
        let registered = answer.verified.as_ref().map_err(|invalid| not_accepted(invalid.code()))?;
        if kind == KeyKind::Passkey && !registered.user_verified {
            return Err(not_accepted("user_not_verified"));
        }
        let mut others = match (made.others_lost, ceremony.replaces) {
            (true, _) => Others::Lost,
            (false, true) => Others::Replace,
            (false, false) => Others::Keep,
        };
        if others == Others::Keep {
            check_types(tx, (made.whose, made.holder), kind, made.settings).await?;
        }
        if kept.len() >= KEYS_PER_PRINCIPAL {
            return Err(Refusal::TooManyKeys.into());
        }
        let mut key = self.key_of(made, kind, registered);
        key.name = wanted.map_or_else(|| free_name(kept, &key), |name| name.as_str().to_owned());
        made.settings
            .attestation
            .judge(key.make(), self.roots())
            .map_err(|why| Error::because(Refusal::KeyNotAllowed, why.code()))?;
        let taken = webauthn_credentials::find_by_credential_id(tx, &key.credential_id).await?;
        if taken.is_some_and(|taken| !(made.others_lost && (&taken.account_id, &taken.principal_id) == made.whose)) {
            return Err(Error::because(Refusal::KeyExists, "credential_taken"));
        }
        match others {
            Others::Keep => {}
            Others::Replace => {
                if !virtual_mfa::delete_bound(tx, made.whose.0, made.whose.1).await? {
                    others = Others::Keep;
                }
            }
            Others::Lost => self.unbind_everything(tx, made.whose).await?,
        }
        if webauthn_credentials::insert(tx, &key).await? {
            return Ok((key, others));
        }
        // A refusal would keep what was taken away.
        Err(Error::Unavailable("the credential was registered at this very moment".to_owned()))
    }

    fn key_of(&self, made: &MadeKey<'_>, kind: KeyKind, registered: &Registered) -> WebAuthnCredential {
        WebAuthnCredential {
            id: KeyId::generate(&*self.inner.entropy),
            account_id: made.whose.0.clone(),
            principal_id: made.whose.1.clone(),
            kind,
            credential_id: registered.credential_id.clone(),
            rp_id: self.relying_party().id().to_owned(),
            public_key: registered.public_key.clone(),
            sign_count: registered.sign_count,
            transports: registered.transports.clone(),
            aaguid: Aaguid::new(registered.aaguid),
            backup_eligible: registered.backup_eligible,
            backed_up: registered.backed_up,
            user_verified: registered.user_verified,
            attestation_format: registered.attestation_format.clone(),
            trust: match registered.trust {
                countersign_webauthn::Trust::None => Trust::None,
                countersign_webauthn::Trust::SelfSigned => Trust::SelfSigned,
                countersign_webauthn::Trust::Signed => Trust::Signed,
                countersign_webauthn::Trust::Rooted => Trust::Rooted,
            },
            name: String::new(),
            created_at: made.now,
            last_used_at: None,
            held: None,
        }
    }

    /// Takes all second factors of a principal away.
    pub(crate) async fn unbind_everything(&self, tx: &mut Tx<'_>, whose: Whose<'_>) -> Result<(), Error> {
        let (account, principal) = whose;
        virtual_mfa::delete_bound(tx, account, principal).await?;
        for kind in KeyKind::ALL {
            webauthn_credentials::delete_kind(tx, account, principal, *kind).await?;
        }
        Ok(())
    }
}

/// Whether virtual MFA devices and security keys exclude each other for a principal. The setting is for RAM users.
#[must_use]
pub const fn has_one_type(holder: PrincipalKind, settings: &SecuritySettings) -> bool {
    match (holder, settings.mfa_device_types) {
        (PrincipalKind::RamUser, MfaDeviceTypes::One) => true,
        (PrincipalKind::RamUser, MfaDeviceTypes::Several) | (PrincipalKind::Owner, _) => false,
    }
}

/// Refuses a security key beside a virtual MFA device where only one type is allowed.
async fn check_types(
    tx: &mut Tx<'_>,
    ((account, principal), holder): (Whose<'_>, PrincipalKind),
    kind: KeyKind,
    settings: &SecuritySettings,
) -> Result<(), Error> {
    let excludes = kind == KeyKind::SecurityKey && has_one_type(holder, settings);
    if excludes && virtual_mfa::find_bound(tx, account, principal).await?.is_some() {
        return Err(Refusal::OtherMfaTypeBound.into());
    }
    Ok(())
}

fn is_taken(keys: &[WebAuthnCredential], name: &KeyName) -> bool {
    keys.iter().any(|key| key.name.to_lowercase() == name.canonical())
}

/// The product's name, with a number where the principal has one of that name.
fn free_name(keys: &[WebAuthnCredential], new: &WebAuthnCredential) -> String {
    let plain = product_name(&new.aaguid).unwrap_or(match new.kind {
        KeyKind::SecurityKey => "Security key",
        KeyKind::Passkey => "Passkey",
    });
    let is_free = |name: &String| keys.iter().all(|key| key.name.to_lowercase() != name.to_lowercase());
    let numbered = (2..).map(|number| format!("{plain} {number}"));
    std::iter::once(plain.to_owned()).chain(numbered).find(is_free).unwrap_or_default()
}

const fn not_accepted(reason: &'static str) -> Error {
    Error::because(Refusal::KeyNotAccepted, reason)
}
