//! What people are told about their own security, and what administrators have to look at.

use crate::text_enum::text_enum;

text_enum! {
    /// What a person is told, by mail.
    NoticeKind, "kind of notice" {
        /// A device was bound.
        MfaBound = "mfa-bound",
        /// A device was put in the place of another.
        MfaReplaced = "mfa-replaced",
        /// A device was unbound.
        MfaUnbound = "mfa-unbound",
        /// The password was changed.
        PasswordChanged = "password-changed",
        /// A contact address was changed.
        ContactChanged = "contact-changed",
        /// Recovery codes were made; earlier ones are worthless.
        RecoveryCodesMade = "recovery-codes-made",
        /// A recovery code was used.
        RecoveryCodeUsed = "recovery-code-used",
        /// Somebody logged on from a browser or network not seen before.
        NewMachine = "new-machine",
        /// A factor was locked after too many failures.
        Locked = "locked",
        /// A code that was used before was sent again.
        CodeReplayed = "code-replayed",
        /// The secret of a remembered machine was used a second time; the machine is forgotten.
        MachineReplayed = "machine-replayed",
    }
}

text_enum! {
    /// What administrators have to look at.
    FindingKind, "kind of finding" {
        /// Somebody said of a notice that it was not he.
        Disowned = "disowned",
        /// The secret of a remembered machine was used a second time.
        MachineReplayed = "machine-replayed",
        /// Wrong passwords come for many users at once.
        Spraying = "spraying",
        /// Recovery codes were restored from a backup and have to be made anew.
        RecoveryCodesStale = "recovery-codes-stale",
    }
}
