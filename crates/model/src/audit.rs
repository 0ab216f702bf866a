//! What is written down about every change and every refusal: who, what, on whom, from where, with which outcome.
//! Never a secret, a code or a password.

use crate::clock::Timestamp;
use crate::ids::{AccountId, EventId};
use crate::text_enum::text_enum;

/// One entry of the audit log.
#[derive(Debug, Clone)]
pub struct AuditEvent {
    /// The account it tells of.
    pub account_id: AccountId,
    /// Its id.
    pub id: EventId,
    /// When it happened.
    pub at: Timestamp,
    /// Who acted.
    pub actor: AuditActor,
    /// The stable name of what was done or tried, such as `BindMFADevice`.
    pub action: String,
    /// On whom or what, as a RAM resource name or a user name. Empty when on oneself or on nothing.
    pub target: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it was refused, or a detail of the success, as a stable code. May be empty.
    pub reason: String,
    /// What else there is to know, as `key=value` words that end with `;`. May be empty.
    pub details: String,
    /// From which network address.
    pub address: String,
    /// With which program, as it called itself.
    pub user_agent: String,
}

/// Who acted, as the log names him for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditActor {
    /// Which kind of actor.
    pub kind: ActorKind,
    /// The principal's id, or empty.
    pub id: String,
    /// The name at that time.
    pub name: String,
}

text_enum! {
    /// The kinds of actors.
    ActorKind, "kind of actor" {
        /// Nobody known.
        Anonymous = "anonymous",
        /// Somebody in the middle of a logon.
        Logon = "logon",
        /// The owner of the account.
        Owner = "owner",
        /// A RAM user.
        RamUser = "ram-user",
        /// The operator of the installation, by the command line.
        Operator = "operator",
        /// The server itself, by a rule of the settings.
        System = "system",
    }
}

/// A signed statement about the chain of an account's log: the entry of this number has this hash. As each hash covers all
/// entries before it, so does the signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Whose log.
    pub account_id: AccountId,
    /// What it says beyond that.
    pub kind: CheckpointKind,
    /// For the end of an export, the number before its first entry. Otherwise 0.
    pub after: i64,
    /// The number of the entry.
    pub seq: i64,
    /// Its hash.
    pub hash: [u8; 32],
    /// When it was signed.
    pub at: Timestamp,
    /// The version of the key ring whose key signed.
    pub key_version: u32,
    /// The Ed25519 signature (RFC 8032).
    pub signature: Vec<u8>,
}

text_enum! {
    /// What a checkpoint says.
    CheckpointKind, "kind of checkpoint" {
        /// The log reached this entry.
        Head = "head",
        /// The entries up to this one were dropped because they had been kept long enough.
        Stub = "stub",
        /// An export ends with this entry.
        Export = "export",
    }
}

text_enum! {
    /// How an action ended.
    Outcome, "outcome" {
        /// It was done.
        Success = "success",
        /// It was refused.
        Refused = "refused",
    }
}
