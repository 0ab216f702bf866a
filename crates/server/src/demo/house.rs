//! What people do in the demo, each through the use-case that the pages call as well.

use super::people::{Person, State};
use crate::failure::Failure;
use countersign_core::binding::TypedCodes;
use countersign_core::logon::LogonStep;
use countersign_core::settings::{PolicyChange, SettingsChange};
use countersign_core::setup::NewAccount;
use countersign_core::users::{LoginChange, PasswordChange, UserFacts};
use countersign_core::{Countersign, Error, Origin, SessionActor};
use countersign_model::entropy::{OsEntropy, random_below};
use countersign_model::logon::LogonState;
use countersign_model::names::{Comments, DisplayName, EmailAddress, InvalidName, LogonName, UserName};
use countersign_model::principal::{ConsoleLogon, SystemPolicy};
use countersign_model::token::Token;
use countersign_otp::{Secret, Totp};
use secrecy::{ExposeSecret as _, SecretString};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

pub(super) const OWNER: &str = "owner@demo.example";
pub(super) const ADMINISTRATOR: &str = "admin";
const RAM_ADMINISTRATOR: &str = "ram-admin";
const ALIAS: &str = "demo";

/// Neither vowels, which could spell a name that a password must not contain, nor what is mistaken for another letter.
const ALPHABET: &[u8] = b"bcdfghjkmnpqrstvwxz23456789";

/// The house and the keys to it.
pub(super) struct House {
    core: Countersign,
    owner_password: SecretString,
    administrator_password: SecretString,
    common_password: SecretString,
    /// The authenticator apps, by user name.
    devices: Mutex<BTreeMap<String, Secret>>,
}

impl House {
    pub(super) fn new(core: Countersign) -> Self {
        Self {
            core,
            owner_password: random_password(),
            administrator_password: random_password(),
            common_password: random_password(),
            devices: Mutex::default(),
        }
    }

    /// Makes the account and its administrator.
    pub(super) async fn found(self: &Arc<Self>) -> Result<(), Failure> {
        let owner = EmailAddress::parse(OWNER).map_err(malformed)?;
        let alias = ALIAS.parse().map_err(malformed)?;
        let new = NewAccount { alias, owner, password: self.owner_password.clone() };
        self.core.create_account(new).await?;
        let owner = self.log_on_owner().await?;
        // Its people log on for six weeks with the passwords that they were given, and may have machines remembered.
        let password = PolicyChange { initial_age_days: Some(0), ..PolicyChange::default() };
        let lasting = SettingsChange { password, remember_machines: Some(true), ..SettingsChange::default() };
        self.core.change_settings(&owner, lasting, &origin(OWNER)).await?;
        let facts = facts(ADMINISTRATOR, "Demo administrator", "AdministratorAccess")?;
        let login = LoginChange {
            console_logon: ConsoleLogon::Enabled,
            password: PasswordChange::Custom(self.administrator_password.clone()),
            reset_required: false,
            mfa_required: true,
        };
        self.core.create_user(&owner, facts, Some(login), &origin(OWNER)).await?;
        let policy = SystemPolicy::AdministratorAccess;
        self.core.attach_policy(&owner, ADMINISTRATOR, policy, &origin(OWNER)).await?;
        Arc::clone(self).bind(owner, ADMINISTRATOR).await
    }

    pub(super) async fn log_on_owner(&self) -> Result<SessionActor, Failure> {
        let name = LogonName::owner(OWNER).map_err(malformed)?;
        let token = self.finish_logon(name, OWNER, &self.owner_password).await?;
        Ok(self.core.session(&token).await?)
    }

    pub(super) async fn log_on(self: Arc<Self>, person: &Person) -> Result<(), Failure> {
        let name = self.ram_user(person.name)?;
        self.finish_logon(name, person.name, &self.common_password).await.map(drop)
    }

    /// Types a wrong password, or the right one and a wrong code.
    pub(super) async fn fail(self: Arc<Self>, person: &Person) -> Result<(), Failure> {
        let from = origin(person.name);
        let token = self.core.begin_logon(self.ram_user(person.name)?).await?;
        if person.state == State::PasswordLocked {
            return refused(self.core.logon_with_password(&token, "caps lock is on".into(), &from).await);
        }
        let step = self.core.logon_with_password(&token, self.common_password.clone(), &from).await?;
        let LogonStep::Ask { state: LogonState::SecondFactor, token } = step else {
            return Err(unexpected(person.name));
        };
        refused(self.core.logon_with_code(&token, "000000".to_owned(), &from).await)
    }

    pub(super) async fn create(self: Arc<Self>, owner: SessionActor, person: &Person) -> Result<(), Failure> {
        let facts = facts(person.name, person.display_name, person.comments)?;
        let login = LoginChange {
            console_logon: ConsoleLogon::Enabled,
            password: PasswordChange::Custom(self.common_password.clone()),
            reset_required: person.state == State::ResetDue && person.seen.is_none(),
            mfa_required: person.state.is_made_with_mfa_required(person.seen.is_some()),
        };
        let login = (person.state != State::NoConsole).then_some(login);
        self.core.create_user(&owner, facts, login, &origin(OWNER)).await?;
        if person.name == RAM_ADMINISTRATOR {
            let policy = SystemPolicy::AliyunRamFullAccess;
            self.core.attach_policy(&owner, person.name, policy, &origin(OWNER)).await?;
        }
        Ok(())
    }

    /// Binds a device for a user: scans what is shown, and types the code it gives.
    pub(super) async fn bind(self: Arc<Self>, owner: SessionActor, name: &str) -> Result<(), Failure> {
        let from = origin(OWNER);
        self.core.start_binding_for(&owner, name, &from).await?;
        let shown = self.core.binding_for(&owner, name).await?;
        let seed = Secret::from_base32(shown.key.expose_secret()).map_err(|error| Failure::new(error.to_string()))?;
        self.devices.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), seed);
        let typed = TypedCodes { first: self.code(name), ..TypedCodes::default() };
        Ok(self.core.confirm_binding_for(&owner, name, typed, &from).await?)
    }

    pub(super) async fn unbind(&self, owner: &SessionActor, name: &str) -> Result<(), Failure> {
        Ok(self.core.unbind_for(owner, name, &origin(OWNER)).await?)
    }

    pub(super) async fn require_mfa(&self, owner: &SessionActor, name: &str) -> Result<(), Failure> {
        self.change(owner, name, LoginChange { mfa_required: true, ..unchanged() }).await
    }

    pub(super) async fn require_reset(&self, owner: &SessionActor, name: &str) -> Result<(), Failure> {
        self.change(owner, name, LoginChange { reset_required: true, ..unchanged() }).await
    }

    pub(super) async fn disable(&self, owner: &SessionActor, name: &str) -> Result<(), Failure> {
        self.change(owner, name, LoginChange { console_logon: ConsoleLogon::Disabled, ..unchanged() }).await
    }

    pub(super) fn owner_password(&self) -> String {
        self.owner_password.expose_secret().to_owned()
    }

    pub(super) fn administrator_password(&self) -> String {
        self.administrator_password.expose_secret().to_owned()
    }

    pub(super) fn common_password(&self) -> String {
        self.common_password.expose_secret().to_owned()
    }

    pub(super) fn logon_name(&self, name: &str) -> String {
        format!("{name}@{ALIAS}.{}", self.core.identity().suffix)
    }

    /// Empty for who has no device.
    pub(super) fn setup_key(&self, name: &str) -> String {
        let devices = self.devices.lock().unwrap_or_else(PoisonError::into_inner);
        devices.get(name).map_or_else(String::new, |seed| seed.to_groups_of_four().expose_secret().to_owned())
    }

    async fn change(&self, owner: &SessionActor, name: &str, change: LoginChange) -> Result<(), Failure> {
        Ok(self.core.change_login_profile(owner, name, change, &origin(OWNER)).await.map(drop)?)
    }

    async fn finish_logon(&self, name: LogonName, who: &str, password: &SecretString) -> Result<Token, Failure> {
        let from = origin(who);
        let token = self.core.begin_logon(name).await?;
        match self.core.logon_with_password(&token, password.clone(), &from).await? {
            LogonStep::Open { token, .. } => Ok(token),
            LogonStep::Ask { state: LogonState::SecondFactor, token } => {
                match self.core.logon_with_code(&token, self.code(who), &from).await? {
                    LogonStep::Open { token, .. } => Ok(token),
                    LogonStep::Ask { .. } => Err(unexpected(who)),
                }
            }
            LogonStep::Ask { .. } => Err(unexpected(who)),
        }
    }

    fn ram_user(&self, name: &str) -> Result<LogonName, Failure> {
        LogonName::ram_user(&self.logon_name(name), &self.core.identity().suffix).map_err(malformed)
    }

    /// What the user's app shows now; nothing for who has none.
    fn code(&self, name: &str) -> String {
        let devices = self.devices.lock().unwrap_or_else(PoisonError::into_inner);
        devices.get(name).map_or_else(String::new, |seed| {
            let totp = Totp::new(seed);
            totp.code_at(totp.step_at(self.core.now().unix_seconds())).expose().expose_secret().to_owned()
        })
    }
}

/// What the owner leaves as it is for users of the kind that he changes.
const fn unchanged() -> LoginChange {
    LoginChange {
        console_logon: ConsoleLogon::Enabled,
        password: PasswordChange::Keep,
        reset_required: false,
        mfa_required: false,
    }
}

fn facts(name: &str, display_name: &str, comments: &str) -> Result<UserFacts, Failure> {
    Ok(UserFacts {
        name: UserName::parse(name).map_err(malformed)?,
        display_name: DisplayName::parse(display_name).map_err(malformed)?,
        comments: Comments::parse(comments).map_err(malformed)?,
        email: None,
    })
}

/// An address of a network that is kept for examples (RFC 5737), and the same one for the same person.
fn origin(who: &str) -> Origin {
    let host = who.bytes().fold(1_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
    Origin::new(format!("198.51.100.{}", host.max(1)), "Mozilla/5.0 (demo)")
}

fn refused(outcome: Result<LogonStep, Error>) -> Result<(), Failure> {
    match outcome {
        Ok(_) | Err(Error::Refused { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn unexpected(who: &str) -> Failure {
    Failure::new(format!("the demo could not be furnished: the logon of {who} went another way than it should"))
}

fn malformed(invalid: InvalidName) -> Failure {
    Failure::new(format!("the demo could not be furnished: {invalid}"))
}

fn random_password() -> SecretString {
    let letters = u64::try_from(ALPHABET.len()).unwrap_or(1);
    let letter = || {
        let drawn = usize::try_from(random_below(&OsEntropy, letters)).unwrap_or(0);
        ALPHABET.get(drawn).copied().map_or('x', char::from)
    };
    let groups: Vec<String> = (0..3).map(|_| (0..4).map(|_| letter()).collect()).collect();
    groups.join("-").into()
}
