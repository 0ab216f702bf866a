//! What the authenticator says and signs (WebAuthn §6.1).

use crate::cbor;
use crate::error::Invalid;

/// The longest credential id (WebAuthn §7.1, step 25).
pub const LONGEST_CREDENTIAL_ID: usize = 1_023;

/// An authenticator's model, as it calls itself. All zeros when it does not.
pub type AaguidBytes = [u8; 16];

/// The longest authenticator data of an assertion: 37 bytes and what extensions add. None are asked for.
pub(crate) const LONGEST_ASSERTION: usize = 1_024;

/// What stands first in all authenticator data, and is judged before anything behind it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head<'a> {
    pub(crate) rp_id_hash: &'a [u8],
    pub(crate) flags: Flags,
    pub(crate) sign_count: u32,
    rest: &'a [u8],
}

/// Authenticator data, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AuthenticatorData<'a> {
    pub(crate) head: Head<'a>,
    /// Only in registrations.
    pub(crate) credential: Option<CredentialData<'a>>,
}

/// The credential in a registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CredentialData<'a> {
    pub(crate) aaguid: AaguidBytes,
    pub(crate) id: &'a [u8],
    /// A COSE key as it was encoded.
    pub(crate) public_key: &'a [u8],
}

/// The flags. Bits that nobody has given a meaning are not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flags(u8);

impl Flags {
    pub(crate) const fn user_present(self) -> bool {
        self.0 & 0x01 != 0
    }

    pub(crate) const fn user_verified(self) -> bool {
        self.0 & 0x04 != 0
    }

    pub(crate) const fn backup_eligible(self) -> bool {
        self.0 & 0x08 != 0
    }

    pub(crate) const fn backed_up(self) -> bool {
        self.0 & 0x10 != 0
    }

    pub(crate) const fn has_credential(self) -> bool {
        self.0 & 0x40 != 0
    }

    const fn has_extensions(self) -> bool {
        self.0 & 0x80 != 0
    }
}

impl<'a> Head<'a> {
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, Invalid> {
        let cut_off = Invalid::AuthenticatorData("cut off");
        let (rp_id_hash, rest) = bytes.split_at_checked(32).ok_or(cut_off)?;
        let (flags, rest) = rest.split_first().ok_or(cut_off)?;
        let (sign_count, rest) = rest.split_first_chunk::<4>().ok_or(cut_off)?;
        Ok(Self { rp_id_hash, flags: Flags(*flags), sign_count: u32::from_be_bytes(*sign_count), rest })
    }
}

impl<'a> AuthenticatorData<'a> {
    /// Reads what stands behind the head, to the last byte.
    pub(crate) fn read(head: Head<'a>) -> Result<Self, Invalid> {
        let (credential, rest) = if head.flags.has_credential() {
            let (credential, rest) = CredentialData::read(head.rest)?;
            (Some(credential), rest)
        } else {
            (None, head.rest)
        };
        let rest = if head.flags.has_extensions() {
            let (extensions, rest) = cbor::read(rest)?;
            extensions.as_map().ok_or(Invalid::AuthenticatorData("extensions that are no map"))?;
            rest
        } else {
            rest
        };
        if !rest.is_empty() {
            return Err(Invalid::AuthenticatorData("trailing bytes"));
        }
        Ok(Self { head, credential })
    }
}

impl<'a> CredentialData<'a> {
    fn read(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), Invalid> {
        let cut_off = Invalid::AuthenticatorData("cut off");
        let (aaguid, rest) = bytes.split_first_chunk::<16>().ok_or(cut_off)?;
        let (length, rest) = rest.split_first_chunk::<2>().ok_or(cut_off)?;
        let length = usize::from(u16::from_be_bytes(*length));
        if length == 0 || length > LONGEST_CREDENTIAL_ID {
            return Err(Invalid::CredentialId);
        }
        let (id, rest) = rest.split_at_checked(length).ok_or(cut_off)?;
        let (_, behind) = cbor::read(rest)?;
        let public_key = rest.get(..rest.len() - behind.len()).ok_or(cut_off)?;
        Ok((Self { aaguid: *aaguid, id, public_key }, behind))
    }
}
