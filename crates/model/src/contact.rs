//! Email addresses and phones by which a RAM user is to prove himself: his secure ones, apart from the contact data that
//! administrators note.

use crate::text_enum::text_enum;

/// The most RAM users of an account that one email address is bound to.
pub const USERS_PER_EMAIL: i64 = 5;

text_enum! {
    /// The kinds of contacts; the words are those of the RAM protocol (`VerifyType`).
    ContactKind, "kind of contact" {
        /// An email address.
        Email = "email",
        /// A phone that gets text messages.
        Sms = "sms",
    }
}

text_enum! {
    /// Whether a contact was shown to be its user's.
    ContactState, "state of a contact" {
        /// Not yet. It proves nothing.
        Pending = "pending",
        /// It was.
        Active = "active",
    }
}

/// A contact of a RAM user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Email or phone.
    pub kind: ContactKind,
    /// The address or number as typed.
    pub value: String,
    /// Whether it is shown to be his.
    pub state: ContactState,
}

impl Contact {
    /// The form in which equal contacts are equal.
    #[must_use]
    pub fn canonical(&self) -> String {
        self.value.to_lowercase()
    }
}
