//! An authenticator app.

use crate::Kit;
use countersign_core::binding::BindingView;
use countersign_model::Clock as _;
use countersign_otp::{Period, Secret, TimeStep, Totp};
use secrecy::ExposeSecret as _;

/// An app that was given one setup key. Its clock is the kit's.
#[derive(Debug, Clone)]
pub struct Phone {
    secret: Secret,
    totp: Totp,
}

impl Phone {
    /// An app that was given a setup key, in groups or not.
    #[must_use]
    pub fn with_key(base32: &str) -> Self {
        let key: String = base32.chars().filter(|c| !c.is_whitespace()).collect();
        let secret = Secret::from_base32(&key).unwrap();
        Self { totp: Totp::new(&secret), secret }
    }

    /// An app that was given the key that the last step of a binding shows.
    #[must_use]
    pub fn scan(view: &BindingView) -> Self {
        Self::with_key(view.key.expose_secret())
    }

    /// The present code.
    #[must_use]
    pub fn code(&self, kit: &Kit) -> String {
        self.code_at(kit, 0)
    }

    /// The code of so many steps after the present one; before it when negative.
    #[must_use]
    pub fn code_at(&self, kit: &Kit, steps: i64) -> String {
        let now = TimeStep::at(kit.clock().now().unix_seconds(), Period::DEFAULT);
        self.totp.code_at(now.saturating_add(steps)).expose().expose_secret().to_owned()
    }

    /// Six digits that are no code within ten minutes of now.
    #[must_use]
    pub fn wrong_code(&self, kit: &Kit) -> String {
        self.wrong_codes(kit).next().unwrap()
    }

    /// All such codes.
    pub fn wrong_codes(&self, kit: &Kit) -> impl Iterator<Item = String> {
        let right: Vec<String> = (-20..=20).map(|steps| self.code_at(kit, steps)).collect();
        (0..1_000_000).map(|number| format!("{number:06}")).filter(move |code| !right.contains(code))
    }

    /// The seed, to look for where it must not be.
    #[must_use]
    pub fn seed(&self) -> &Secret {
        &self.secret
    }
}
