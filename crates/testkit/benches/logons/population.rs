//! Rows straight into the store: an account, users, devices, logons that wait for a code.

use crate::{Bench, random};
use countersign_core::keyring::Place;
use countersign_model::clock::{Clock as _, SystemClock};
use countersign_model::entropy::OsEntropy;
use countersign_model::ids::{AccountId, DeviceId, LogonId, PrincipalId};
use countersign_model::logon::{LOGON_LIFETIME, Logon, LogonFacts, LogonState};
use countersign_model::names::DisplayName;
use countersign_model::principal::{Account, ConsoleLogon, LoginProfile, Principal, PrincipalKind};
use countersign_model::settings::SecuritySettings;
use countersign_model::token::Token;
use countersign_model::virtual_mfa::{VirtualMfa, VirtualMfaState};
use countersign_otp::{Secret, Totp};
use countersign_store::virtual_mfa::SpentStep;
use countersign_store::{StoreError, Tx, accounts, login_profiles, logons, principals, virtual_mfa};
use sha2::{Digest as _, Sha256};

/// A user with a bound device.
#[derive(Clone)]
pub struct User {
    pub account: AccountId,
    pub id: PrincipalId,
    pub name: String,
    pub seed: Secret,
}

impl User {
    /// The present code.
    pub fn code(&self) -> String {
        use secrecy::ExposeSecret as _;
        let totp = Totp::new(&self.seed);
        totp.code_at(totp.step_at(SystemClock.now().unix_seconds())).expose().expose_secret().to_owned()
    }
}

/// An account without an owner's password: only its users matter here.
pub async fn account(bench: &Bench, alias: &str) -> AccountId {
    let account = Account {
        id: AccountId::generate(&OsEntropy),
        alias: alias.parse().unwrap(),
        settings: SecuritySettings::default(),
        epoch: 1,
        created_at: SystemClock.now(),
    };
    let id = account.id.clone();
    let unit = async move |tx: &mut Tx<'_>| -> Result<bool, StoreError> { accounts::insert(tx, &account).await };
    assert!(bench.store.write(unit).await.unwrap());
    id
}

/// `count` users with this hash of their password and a bound device each.
pub async fn users(bench: &Bench, account: &AccountId, count: usize, hash: &str) -> Vec<User> {
    let mut made = Vec::with_capacity(count);
    for numbers in (0..count).collect::<Vec<_>>().chunks(1_000) {
        let rows: Vec<_> = numbers.iter().map(|number| row(bench, account, *number, hash)).collect();
        made.extend(rows.iter().map(|(_, _, _, user)| user.clone()));
        let unit = async move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
            for (principal, profile, device, _) in &rows {
                principals::insert(tx, principal).await?;
                login_profiles::put(tx, &principal.account_id, &principal.id, profile).await?;
                virtual_mfa::replace_pending(tx, device).await?;
                let spent = SpentStep { step: 1, drift: 0, at: device.created_at };
                virtual_mfa::confirm(tx, &device.account_id, &device.id, spent).await?;
            }
            Ok(())
        };
        bench.store.write(unit).await.unwrap();
    }
    made
}

fn row(bench: &Bench, account: &AccountId, number: usize, hash: &str) -> (Principal, LoginProfile, VirtualMfa, User) {
    let now = SystemClock.now();
    let (id, device) = (PrincipalId::generate(&OsEntropy), DeviceId::generate(&OsEntropy));
    let name = format!("user-{number:06}");
    let seed = Secret::from_bytes(&random::<20>()).unwrap();
    let place = Place {
        table: "virtual_mfa",
        column: "sealed_seed",
        account_id: account.as_str(),
        principal_id: id.as_str(),
        row_id: device.as_str(),
    };
    let principal = Principal {
        account_id: account.clone(),
        id: id.clone(),
        kind: PrincipalKind::RamUser,
        name: name.clone(),
        display_name: DisplayName::parse(&format!("Person number {number}")).unwrap(),
        comments: "".parse().unwrap(),
        email: None,
        mobile: None,
        epoch: 1,
        created_at: now,
        updated_at: now,
        last_logon_at: None,
    };
    let profile = LoginProfile {
        console_logon: ConsoleLogon::Enabled,
        password_hash: Some(hash.to_owned().into()),
        password_changed_at: Some(now),
        password_reset_required: false,
        password_is_initial: false,
        mfa_bind_required: number.is_multiple_of(2),
        created_at: now,
        enabled_at: now,
    };
    let device = VirtualMfa {
        sealed_seed: bench.keys.seal(&place, seed.expose(), random()).unwrap().0,
        id: device,
        account_id: account.clone(),
        principal_id: id.clone(),
        name: name.clone(),
        state: VirtualMfaState::Pending { started_by: String::new(), expires_at: now },
        created_at: now,
    };
    (principal, profile, device, User { account: account.clone(), id, name, seed })
}

/// A logon of each user that waits for a code: the browsers' secrets.
pub async fn waiting_logons(bench: &Bench, users: &[User]) -> Vec<(Token, User)> {
    let mut made = Vec::with_capacity(users.len());
    for share in users.chunks(1_000) {
        let rows: Vec<_> = share.iter().map(waiting_logon).collect();
        made.extend(rows.iter().zip(share).map(|((token, _, _), user)| (token.clone(), user.clone())));
        let unit = async move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
            for (_, hash, logon) in &rows {
                logons::insert(tx, hash, logon).await?;
            }
            Ok(())
        };
        bench.store.write(unit).await.unwrap();
    }
    made
}

fn waiting_logon(user: &User) -> (Token, [u8; 32], Logon) {
    let (now, token) = (SystemClock.now(), Token::generate(&OsEntropy));
    let hash: [u8; 32] = Sha256::digest(token.expose().as_bytes()).into();
    let logon = Logon {
        id: LogonId::generate(&OsEntropy),
        account_id: user.account.clone(),
        principal_id: user.id.clone(),
        kind: PrincipalKind::RamUser,
        name: format!("{}@bench", user.name),
        state: LogonState::SecondFactor,
        facts: LogonFacts { password_at: Some(now), ..LogonFacts::default() },
        principal_epoch: 1,
        account_epoch: 1,
        expires_at: now.plus(LOGON_LIFETIME),
    };
    (token, hash, logon)
}
