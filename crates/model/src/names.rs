//! What people type as names, each with its limits. A name is canonicalised once, here, before anything is looked up.

use crate::ids::AccountId;

/// A name that breaks its limits. `code` is shared by pages, programs and the audit log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{code}")]
pub struct InvalidName {
    /// The stable code, such as `InvalidParameter.UserName.Length`.
    pub code: &'static str,
}

const fn invalid(code: &'static str) -> InvalidName {
    InvalidName { code }
}

macro_rules! name_impls {
    ($name:ident) => {
        impl $name {
            /// The text as typed.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                Self::parse(text)
            }
        }
    };
}

/// The name of a RAM user inside its account: 1 to 64 of `A-Z a-z 0-9 . _ -`. Letter case is kept but does not count.
/// `.` and `..` are none: browsers take them out of the address of the user's page (RFC 3986 section 5.2.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserName(String);
name_impls!(UserName);

impl UserName {
    /// Checks a typed user name.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let text = text.trim();
        if text.is_empty() || text.len() > 64 {
            return Err(invalid("InvalidParameter.UserName.Length"));
        }
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        if !text.bytes().all(allowed) || matches!(text, "." | "..") {
            return Err(invalid("InvalidParameter.UserName.InvalidChars"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The form that is unique in the account and looked up.
    #[must_use]
    pub fn canonical(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

/// The alias of an account: 3 to 32 lower-case letters, digits and hyphens; no hyphen first, last or doubled.
/// An alias of digits only could be taken for an account id and is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountAlias(String);

impl std::fmt::Display for AccountAlias {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for AccountAlias {
    type Err = InvalidName;

    /// Reads one that is stored: an alias, or the id of an account that has none.
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        text.parse::<AccountId>().map_or_else(|_| Self::parse(text), |id| Ok(Self::none_of(&id)))
    }
}

impl AccountAlias {
    /// What stands for the alias of an account that has none: its id.
    #[must_use]
    pub fn none_of(account: &AccountId) -> Self {
        Self(account.as_str().to_owned())
    }

    /// The text as typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Checks a typed alias.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let text = text.trim();
        if !(3..=32).contains(&text.len()) {
            return Err(invalid("InvalidParameter.AccountAlias.Length"));
        }
        let allowed = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let hyphens = text.starts_with('-') || text.ends_with('-') || text.contains("--");
        let number = text.bytes().all(|b| b.is_ascii_digit());
        if !allowed || hyphens || number {
            return Err(invalid("InvalidParameter.AccountAlias.Format"));
        }
        Ok(Self(text.to_owned()))
    }
}

/// An email address: one `@`, a domain, no white space, at most 128 characters. Whether mail arrives, only a mail tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailAddress(String);
name_impls!(EmailAddress);

impl EmailAddress {
    /// Checks a typed address.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        const FORMAT: InvalidName = invalid("InvalidParameter.Email.Format");
        let text = text.trim();
        let (local, domain) = text.split_once('@').ok_or(FORMAT)?;
        let plain = |part: &str| {
            !part.is_empty()
                && part
                    .chars()
                    .all(|c| !c.is_whitespace() && !c.is_control() && !matches!(c, '@' | '<' | '>' | '"' | ',' | ';'))
        };
        let dots = domain.starts_with('.') || domain.ends_with('.') || domain.contains("..");
        if text.chars().count() > 128 || !plain(local) || !plain(domain) || dots {
            return Err(FORMAT);
        }
        Ok(Self(text.to_owned()))
    }

    /// The form that is unique in the installation and looked up.
    #[must_use]
    pub fn canonical(&self) -> String {
        self.0.to_lowercase()
    }
}

/// A phone number with its country code: `86-13900001234`. Whether it rings, only a call tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MobilePhone(String);
name_impls!(MobilePhone);

impl MobilePhone {
    /// Checks a typed number: one to four digits, a hyphen, four to twenty digits.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        const FORMAT: InvalidName = invalid("InvalidParameter.MobilePhone.Format");
        let text = text.trim();
        let (country, number) = text.split_once('-').ok_or(FORMAT)?;
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if !(1..=4).contains(&country.len()) || !(4..=20).contains(&number.len()) || !digits(country) || !digits(number)
        {
            return Err(FORMAT);
        }
        Ok(Self(text.to_owned()))
    }

    /// The country code and the number behind it.
    #[must_use]
    pub fn parts(&self) -> (&str, &str) {
        self.0.split_once('-').unwrap_or(("", &self.0))
    }
}

/// The name of a virtual MFA device inside its account: 1 to 64 of `A-Z a-z 0-9 . -`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceName(String);
name_impls!(DeviceName);

impl DeviceName {
    /// Checks a typed device name.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let text = text.trim();
        if text.is_empty() || text.len() > 64 {
            return Err(invalid("InvalidParameter.VirtualMFADeviceName.Length"));
        }
        if !text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-')) {
            return Err(invalid("InvalidParameter.VirtualMFADeviceName.InvalidChars"));
        }
        Ok(Self(text.to_owned()))
    }
}

/// The name of a security key or passkey among those of its principal: 1 to 64 characters, no control characters. Letter
/// case is kept but does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyName(String);
name_impls!(KeyName);

impl KeyName {
    /// Checks a typed name.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > 64 {
            return Err(invalid("InvalidParameter.PasskeyName.Length"));
        }
        if text.chars().any(char::is_control) {
            return Err(invalid("InvalidParameter.PasskeyName.InvalidChars"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The form that is unique among the keys of a principal.
    #[must_use]
    pub fn canonical(&self) -> String {
        self.0.to_lowercase()
    }
}

/// A name for people to read: at most 128 characters, no control characters. May be empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DisplayName(String);
name_impls!(DisplayName);

impl DisplayName {
    /// Checks a typed display name.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let text = text.trim();
        if text.chars().count() > 128 {
            return Err(invalid("InvalidParameter.DisplayName.Length"));
        }
        if text.chars().any(char::is_control) {
            return Err(invalid("InvalidParameter.DisplayName.InvalidChars"));
        }
        Ok(Self(text.to_owned()))
    }
}

/// A remark of an administrator: at most 128 characters. May be empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Comments(String);
name_impls!(Comments);

impl Comments {
    /// Checks a typed remark.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let text = text.trim();
        if text.chars().count() > 128 || text.chars().any(char::is_control) {
            return Err(invalid("InvalidParameter.Comments.Length"));
        }
        Ok(Self(text.to_owned()))
    }
}

/// The name of a group of RAM users: 1 to 64 of `A-Z a-z 0-9 . _ -`. Letter case is kept but does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupName(String);
name_impls!(GroupName);

impl GroupName {
    /// Checks a typed group name.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let text = text.trim();
        if text.is_empty() || text.len() > 64 {
            return Err(invalid("InvalidParameter.GroupName.Length"));
        }
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        if !text.bytes().all(allowed) || matches!(text, "." | "..") {
            return Err(invalid("InvalidParameter.GroupName.InvalidChars"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The form that is unique in the account and looked up.
    #[must_use]
    pub fn canonical(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

/// The name of a policy: 1 to 128 of `A-Z a-z 0-9 -`. Letter case is kept but does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyName(String);
name_impls!(PolicyName);

impl PolicyName {
    /// Checks a typed policy name.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let text = text.trim();
        if text.is_empty() || text.len() > 128 {
            return Err(invalid("InvalidParameter.PolicyName.Length"));
        }
        if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return Err(invalid("InvalidParameter.PolicyName.InvalidChars"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The form that is unique in the account and looked up.
    #[must_use]
    pub fn canonical(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

/// What a policy is for: at most 1,024 characters. May be empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Description(String);
name_impls!(Description);

impl Description {
    /// Checks a typed description.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let text = text.trim();
        if text.chars().count() > 1_024 || text.chars().any(char::is_control) {
            return Err(invalid("InvalidParameter.Description.Length"));
        }
        Ok(Self(text.to_owned()))
    }
}

/// What somebody typed to say who he is, canonicalised. Nothing is looked up yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogonName {
    /// The owner of an account, by email address.
    Owner {
        /// The canonical address.
        email: String,
    },
    /// A RAM user.
    RamUser {
        /// The canonical user name.
        user: String,
        /// The alias or the id of the account, without the installation's suffix.
        account: String,
    },
}

impl LogonName {
    /// Reads `name@alias.suffix` or `name@id.suffix`. The suffix of the installation may be left out.
    pub fn ram_user(text: &str, suffix: &str) -> Result<Self, InvalidName> {
        const FORMAT: InvalidName = invalid("InvalidParameter.UserPrincipalName.Format");
        let text = text.trim();
        if text.len() > 192 {
            return Err(FORMAT);
        }
        let (user, domain) = text.split_once('@').ok_or(FORMAT)?;
        let user = UserName::parse(user).map_err(|_| FORMAT)?.canonical();
        let domain = domain.to_ascii_lowercase();
        let account = domain.strip_suffix(suffix).and_then(|rest| rest.strip_suffix('.')).unwrap_or(&domain);
        if account.is_empty() || !account.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.')) {
            return Err(FORMAT);
        }
        Ok(Self::RamUser { user, account: account.to_owned() })
    }

    /// Reads the email address of an owner.
    pub fn owner(text: &str) -> Result<Self, InvalidName> {
        Ok(Self::Owner { email: EmailAddress::parse(text)?.canonical() })
    }

    /// One text that stands for the name, equal for equal names.
    #[must_use]
    pub fn canonical(&self) -> String {
        match self {
            Self::Owner { email } => email.clone(),
            Self::RamUser { user, account } => format!("{user}@{account}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_names_keep_to_their_limits() {
        assert_eq!(UserName::parse(" Alice.B_c-1 ").unwrap().canonical(), "alice.b_c-1");
        assert_eq!(UserName::parse("").unwrap_err().code, "InvalidParameter.UserName.Length");
        assert_eq!(UserName::parse(&"a".repeat(65)).unwrap_err().code, "InvalidParameter.UserName.Length");
        for bad in ["a b", "a@b", "ä", "a/b", "<b>", "a'b", ".", ".."] {
            assert_eq!(UserName::parse(bad).unwrap_err().code, "InvalidParameter.UserName.InvalidChars", "{bad}");
        }
    }

    #[test]
    fn aliases_cannot_be_taken_for_account_ids() {
        assert!(AccountAlias::parse("acme-2").is_ok());
        for bad in ["-acme", "acme-", "ac--me", "Acme", "acme.x", "1234567890123456", "123"] {
            assert_eq!(AccountAlias::parse(bad).unwrap_err().code, "InvalidParameter.AccountAlias.Format", "{bad}");
        }
        assert_eq!(AccountAlias::parse("ab").unwrap_err().code, "InvalidParameter.AccountAlias.Length");
    }

    #[test]
    fn email_addresses_have_one_at_and_no_space() {
        assert_eq!(EmailAddress::parse(" Owner@Example.COM ").unwrap().canonical(), "owner@example.com");
        for bad in ["", "a", "@b", "a@", "a b@c", "a@b@c", "a@.b", "a@b.", "a@b..c", "<a@b>", "a@b\r\nBcc: c"] {
            assert!(EmailAddress::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn logon_names_are_canonicalised_once() {
        let want = LogonName::RamUser { user: "alice".into(), account: "acme".into() };
        for text in ["alice@acme.countersign.local", "ALICE@Acme.Countersign.Local", " alice@acme "] {
            assert_eq!(LogonName::ram_user(text, "countersign.local").unwrap(), want, "{text}");
        }
        for bad in ["alice", "@acme", "alice@", "al ice@acme", "alice@ac me", "alice@.countersign.local"] {
            assert!(LogonName::ram_user(bad, "countersign.local").is_err(), "{bad}");
        }
    }
}
