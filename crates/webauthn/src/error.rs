//! Why a registration or an assertion is not accepted.

/// The reason. Each has a stable code for an audit log; whoever sent the answer need not be told which it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// The browser's answer is not what `toJSON()` gives.
    #[error("the answer is malformed: {0}")]
    Response(&'static str),
    /// A structure that the authenticator encoded is not well-formed CBOR as CTAP2 has it.
    #[error("malformed CBOR: {0}")]
    Cbor(&'static str),
    /// The authenticator data are cut off, too long, or lack what they must have.
    #[error("malformed authenticator data: {0}")]
    AuthenticatorData(&'static str),
    /// The client data are of another ceremony (`webauthn.create`, `webauthn.get`).
    #[error("client data of another ceremony")]
    CeremonyType,
    /// The challenge is not the one that was asked.
    #[error("another challenge")]
    Challenge,
    /// The page that asked is not of this origin.
    #[error("another origin")]
    Origin,
    /// The page that asked lay inside a page of another origin.
    #[error("asked across origins")]
    CrossOrigin,
    /// The authenticator signed for another relying party.
    #[error("another relying party")]
    RpId,
    /// Nobody touched the authenticator.
    #[error("the user was not present")]
    UserPresence,
    /// The user was to be verified by fingerprint, face or PIN and was not.
    #[error("the user was not verified")]
    UserVerification,
    /// Backed up, and yet not eligible for it.
    #[error("backup flags that contradict each other")]
    BackupFlags,
    /// Whether the credential is eligible for backup has changed since it was registered.
    #[error("the backup eligibility has changed")]
    BackupEligibility,
    /// The signature counter is not above the last one: there may be two of this authenticator.
    #[error("the signature counter went back")]
    Counter,
    /// The credential's algorithm was not offered, or is not known here.
    #[error("an algorithm that was not offered")]
    Algorithm,
    /// The public key is not one of its algorithm: missing or surplus parameters, a point off its curve.
    #[error("malformed public key: {0}")]
    PublicKey(&'static str),
    /// The credential id is empty or longer than 1,023 bytes, or not the one that was found.
    #[error("a credential id that does not fit")]
    CredentialId,
    /// The attestation statement does not have what its format asks for.
    #[error("malformed attestation: {0}")]
    Attestation(&'static str),
    /// The signature of the attestation is wrong.
    #[error("the signature of the attestation is wrong")]
    AttestationSignature,
    /// The signature of the assertion is wrong.
    #[error("the signature is wrong")]
    Signature,
}

impl Invalid {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Response(_) => "response_malformed",
            Self::Cbor(_) => "cbor_malformed",
            Self::AuthenticatorData(_) => "authenticator_data_malformed",
            Self::CeremonyType => "wrong_ceremony",
            Self::Challenge => "wrong_challenge",
            Self::Origin => "wrong_origin",
            Self::CrossOrigin => "cross_origin",
            Self::RpId => "wrong_rp_id",
            Self::UserPresence => "user_not_present",
            Self::UserVerification => "user_not_verified",
            Self::BackupFlags => "backup_flags_contradict",
            Self::BackupEligibility => "backup_eligibility_changed",
            Self::Counter => "counter_went_back",
            Self::Algorithm => "algorithm_not_offered",
            Self::PublicKey(_) => "public_key_malformed",
            Self::CredentialId => "wrong_credential",
            Self::Attestation(_) => "attestation_malformed",
            Self::AttestationSignature => "attestation_wrong",
            Self::Signature => "signature_wrong",
        }
    }
}
