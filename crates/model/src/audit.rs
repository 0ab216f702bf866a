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
        /// Countersign itself, by a rule that somebody set.
        System = "system",
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
