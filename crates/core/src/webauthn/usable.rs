//! Which keys can be used at present. A key that cannot stays bound and counts as a second factor, so that a password alone
//! never does what took more before; but it is not asked for, and nobody is left with nothing else.

use super::{KeyTry, TryStanding, Whose};
use crate::Countersign;
use crate::error::{Error, Refusal};
use countersign_model::ids::KeyId;
use countersign_model::settings::AttestationPolicy;
use countersign_model::webauthn::{Factors, KeyHold, KeyKind, Roots, WebAuthnCredential};
use countersign_store::{Tx, virtual_mfa, webauthn_credentials};

/// What a key is judged by: the account's policy, and what this installation is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms<'a> {
    pub(crate) policy: &'a AttestationPolicy,
    pub(crate) roots: Roots,
    pub(crate) rp_id: &'a str,
}

impl Countersign {
    /// The terms under a policy.
    pub(crate) fn terms<'a>(&'a self, policy: &'a AttestationPolicy) -> Terms<'a> {
        Terms { policy, roots: self.roots(), rp_id: self.relying_party().id() }
    }

    /// The keys of a principal that can be asked for, behind his password or in his session. Tells apart whether he has none
    /// or whether all are refused.
    pub(crate) async fn keys_to_ask_for(
        &self,
        tx: &mut Tx<'_>,
        whose: Whose<'_>,
        policy: &AttestationPolicy,
    ) -> Result<Vec<WebAuthnCredential>, Error> {
        let mut keys = webauthn_credentials::list(tx, whose.0, whose.1).await?;
        if keys.is_empty() {
            return Err(Refusal::MfaNotBound.into());
        }
        keys.retain(|key| self.terms(policy).allow(key));
        if keys.is_empty() { Err(Refusal::NoKeyUsable.into()) } else { Ok(keys) }
    }

    /// What of the factors that a principal has bound can be asked for.
    pub(crate) async fn factors_to_ask_for(
        &self,
        tx: &mut Tx<'_>,
        whose: Whose<'_>,
        bound: Factors,
        policy: &AttestationPolicy,
    ) -> Result<Factors, Error> {
        let mut factors = Factors { code: bound.code, ..Factors::default() };
        for key in webauthn_credentials::list(tx, whose.0, whose.1).await? {
            if self.terms(policy).allow(&key) {
                match key.kind {
                    KeyKind::SecurityKey => factors.security_keys += 1,
                    KeyKind::Passkey => factors.passkeys += 1,
                }
            }
        }
        Ok(factors)
    }
}

impl Terms<'_> {
    /// Refuses a key that serves nobody at present, whoever shows it.
    pub(crate) fn judge(&self, key: &WebAuthnCredential) -> Result<(), Error> {
        if key.held == Some(KeyHold::Disowned) {
            return Err(Error::because(Refusal::KeyDisowned, "key_disowned"));
        }
        if key.rp_id != self.rp_id {
            return Err(Error::because(Refusal::KeyNotAllowed, "wrong_rp_id"));
        }
        self.policy.judge(key.make(), self.roots).map_err(|why| Error::because(Refusal::KeyNotAllowed, why.code()))
    }

    /// As [`Self::judge`], of a key that somebody shows.
    pub(super) fn judge_try(&self, key: &WebAuthnCredential, asked: &KeyTry<'_>) -> Result<(), Error> {
        self.judge(key)?;
        match (asked.standing, key.held) {
            (TryStanding::Stranger, Some(KeyHold::Restored)) => {
                Err(Error::because(Refusal::KeyRestored, "key_restored"))
            }
            (TryStanding::Known, _) | (TryStanding::Stranger, Some(KeyHold::Disowned) | None) => Ok(()),
        }
    }

    /// Whether a key can be used at present.
    pub(crate) fn allow(&self, key: &WebAuthnCredential) -> bool {
        self.judge(key).is_ok()
    }
}

/// A factor that is about to go.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Leaving<'a> {
    /// The virtual MFA device.
    Device,
    /// A security key or passkey.
    Key(&'a KeyId),
}

/// What would be left when a factor goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Left {
    /// How many factors are bound.
    pub(crate) bound: usize,
    /// How many of them can be used at present.
    pub(crate) usable: usize,
}

impl Left {
    /// What would be left to a principal.
    pub(crate) async fn without(
        tx: &mut Tx<'_>,
        (account, principal): Whose<'_>,
        leaving: Leaving<'_>,
        terms: Terms<'_>,
    ) -> Result<Self, Error> {
        let has_device = virtual_mfa::find_bound(tx, account, principal).await?.is_some();
        let (device, gone) = match leaving {
            Leaving::Device => (0, None),
            Leaving::Key(id) => (usize::from(has_device), Some(id)),
        };
        let keys = webauthn_credentials::list(tx, account, principal).await?;
        let keys: Vec<_> = keys.iter().filter(|key| Some(&key.id) != gone).collect();
        let usable = keys.iter().filter(|key| terms.allow(key)).count();
        Ok(Self { bound: device + keys.len(), usable: device + usable })
    }

    /// Refuses to take the last factor that can be used from somebody who must keep one, and from somebody who could not log
    /// on any more because of those that cannot be used.
    pub(crate) const fn judge(self, is_required: bool) -> Result<(), Refusal> {
        match (self.usable, self.bound) {
            (0, _) if is_required => Err(Refusal::MfaRequired),
            (0, 1..) => Err(Refusal::LastUsableFactor),
            (_, _) => Ok(()),
        }
    }
}

/// Whether the terms leave somebody a factor to log on with: he has none, or a virtual MFA device, or a key that can be used.
pub(crate) async fn has_factor_left(tx: &mut Tx<'_>, whose: Whose<'_>, terms: Terms<'_>) -> Result<bool, Error> {
    let keys = webauthn_credentials::list(tx, whose.0, whose.1).await?;
    if keys.is_empty() || keys.iter().any(|key| terms.allow(key)) {
        return Ok(true);
    }
    Ok(virtual_mfa::find_bound(tx, whose.0, whose.1).await?.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x8_the_last_usable_factor_stays_where_one_is_required_or_the_others_are_refused() {
        for (bound, usable, is_required, expected) in [
            (0, 0, true, Err(Refusal::MfaRequired)),
            (0, 0, false, Ok(())),
            (1, 0, true, Err(Refusal::MfaRequired)),
            (1, 0, false, Err(Refusal::LastUsableFactor)),
            (1, 1, true, Ok(())),
            (2, 1, false, Ok(())),
        ] {
            assert_eq!(Left { bound, usable }.judge(is_required), expected, "{bound} {usable} {is_required}");
        }
    }
}
