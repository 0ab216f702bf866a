//! What a change of the settings would do, told before it is made: who could not log on any more, who must bind a device or
//! change the password, who would be asked more often, how many sessions end. Counted over all RAM users with console logon.

mod path;

pub(crate) use path::{check_administrator_path, owner_gets_in};

use crate::Countersign;
use crate::act::{Admitted, Deed};
use crate::actor::{Actor, Origin, Role, SessionActor};
use crate::authorise::Resource;
use crate::error::{Error, Refusal};
use crate::settings::{
    Difference, Fingerprint, SettingsChange, are_ages_stricter, change_action, differences, is_a_strength_raised,
    is_stricter, judge,
};
use countersign_model::Timestamp;
use countersign_model::ids::PrincipalId;
use countersign_model::principal::Account;
use countersign_model::session::IDLE_LIMIT;
use countersign_model::settings::{AttestationPolicy, MfaForLogon, SecuritySettings, SensitiveOperation};
use countersign_model::webauthn::{Make, Roots};
use countersign_store::forecast::{AdministratorRow, Alike, Class, Thresholds};
use countersign_store::{Tx, access_keys, accounts, forecast as counted};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

/// How many administrators a group names.
pub const NAMED: usize = 50;
/// How many administrators are looked at; of more, the first by name count.
const LOOKED_AT: i64 = 10_000;

/// What a change would do.
#[derive(Debug)]
pub struct Forecast {
    /// What changes.
    pub differences: Vec<Difference>,
    /// What stands for the settings that it was made from.
    pub fingerprint: Fingerprint,
    /// How many RAM users have console logon.
    pub console_users: i64,
    /// Whom it concerns and how; groups that nobody is in are left out.
    pub groups: Vec<Group>,
    /// How many sessions end at once, besides the actor's own.
    pub sessions_ending: i64,
    /// Whether the actor is an owner whose own address the new networks do not admit. They do not bind him.
    pub own_address_outside: bool,
}

/// Users whom a change concerns in one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// How.
    pub effect: Effect,
    /// How many they are, administrators among them.
    pub users: i64,
    /// How many of them are administrators.
    pub administrators: i64,
    /// The names of up to [`NAMED`] of these.
    pub names: Vec<String>,
}

/// How a change concerns a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// The next logon is refused: the last one came from outside the networks.
    OutsideNetworks,
    /// Nobody knows from where he logs on.
    UnknownAddress,
    /// Console logon is disabled, because it lies idle.
    Idle,
    /// The next logon is refused: the password has run out.
    PasswordExpired,
    /// The next logon is refused: the password that an administrator gave has run out.
    InitialPasswordExpired,
    /// Every factor that he has is a key that is refused.
    NoKeyLeft,
    /// He must bind a device at the next logon.
    MustBind,
    /// The same, and he had to already.
    MustBindAnyway,
    /// He must change the password at the next logon.
    MustChangePassword,
    /// His device is asked for at every logon.
    AskedAtEveryLogon,
    /// An AccessKey of his is refused, because it lies idle.
    KeyIdle,
    /// His machine is not remembered any more.
    MachineForgotten,
    /// He is asked for a proof more often.
    ProofMoreOften,
}

impl Effect {
    /// All of them, the gravest first.
    pub const ALL: &'static [Self] = &[
        Self::OutsideNetworks,
        Self::UnknownAddress,
        Self::Idle,
        Self::PasswordExpired,
        Self::InitialPasswordExpired,
        Self::NoKeyLeft,
        Self::MustBind,
        Self::MustBindAnyway,
        Self::MustChangePassword,
        Self::AskedAtEveryLogon,
        Self::KeyIdle,
        Self::MachineForgotten,
        Self::ProofMoreOften,
    ];

    /// The stable word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OutsideNetworks => "outside-networks",
            Self::UnknownAddress => "unknown-address",
            Self::Idle => "idle",
            Self::PasswordExpired => "password-expired",
            Self::InitialPasswordExpired => "initial-password-expired",
            Self::NoKeyLeft => "no-key-left",
            Self::MustBind => "must-bind",
            Self::MustBindAnyway => "must-bind-anyway",
            Self::MustChangePassword => "must-change-password",
            Self::AskedAtEveryLogon => "asked-at-every-logon",
            Self::KeyIdle => "key-idle",
            Self::MachineForgotten => "machine-forgotten",
            Self::ProofMoreOften => "proof-more-often",
        }
    }

    /// Whether it keeps somebody from logging on.
    #[must_use]
    pub const fn refuses(self) -> bool {
        matches!(
            self,
            Self::OutsideNetworks | Self::Idle | Self::PasswordExpired | Self::InitialPasswordExpired | Self::NoKeyLeft
        )
    }
}

impl Countersign {
    /// What a change of the settings would do. It is refused as the change itself would be.
    pub async fn forecast_settings(
        &self,
        actor: &SessionActor,
        change: SettingsChange,
        origin: &Origin,
    ) -> Result<Forecast, Error> {
        let action = change_action(&change);
        let (deed, from, this) = (Deed::on(actor, action.code(), ""), origin.clone(), self.clone());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<Question, Error> {
            let (account, _) = admitted.oneself()?;
            admitted.may(action, &Resource::Account(account.clone()))?;
            let account = accounts::find(tx, account).await?.ok_or(Refusal::AccountNotFound)?;
            let after = judge(&change, &account, admitted, &from)?;
            check_administrator_path(tx, &account, (&after, &this), admitted, &from).await?;
            let is_owner = admitted.who.role == Role::Owner;
            let own_address_outside = is_owner && !after.logon_networks.admit(&from.address);
            Ok(Question { account, after, roots: this.roots(), now: admitted.now, own_address_outside })
        };
        let asked = self.look(&Actor::Session(Box::new(actor.clone())), origin, deed, work).await?;
        let (question, same) = (Arc::new(asked), self.inner.store.clone());
        let rp_id = self.relying_party().id().to_owned();
        let (of_users, of_places) = (Arc::clone(&question), Arc::clone(&question));
        // Side by side: each goes over all users, and neither needs what the other sees to be of the same instant.
        let (users, places) = tokio::try_join!(
            self.inner.store.read_at_length(async move |tx: &mut Tx<'_>| count_users(tx, &of_users, &rp_id).await),
            same.read_at_length(async move |tx: &mut Tx<'_>| count_places(tx, &of_places).await),
        )?;
        foresee(&question, &users, &places)
    }
}

/// A change that is asked about.
struct Question {
    account: Account,
    after: SecuritySettings,
    roots: Roots,
    now: Timestamp,
    own_address_outside: bool,
}

impl Question {
    /// Whether the policy of attestation refuses keys that it allowed.
    fn refuses_more_keys(&self) -> bool {
        !self.after.attestation.covers(&self.account.settings.attestation)
    }

    /// Those of whom the new policy refuses every key, and the present one does not.
    fn shut_out(&self, keys: &[(PrincipalId, Make)]) -> HashSet<PrincipalId> {
        let allowed_by = |policy: &AttestationPolicy| -> HashSet<&PrincipalId> {
            keys.iter().filter(|(_, make)| policy.judge(*make, self.roots).is_ok()).map(|(id, _)| id).collect()
        };
        let (before, after) = (allowed_by(&self.account.settings.attestation), allowed_by(&self.after.attestation));
        before.difference(&after).map(|id| (*id).clone()).collect()
    }

    /// Whether networks that were admitted are not any more.
    fn narrowed(&self) -> bool {
        !self.after.logon_networks.covers(&self.account.settings.logon_networks)
    }

    /// Whether open sessions and remembered machines end.
    fn stricter(&self) -> bool {
        is_stricter(&self.account.settings, &self.after)
    }
}

/// The users by what rules look at, and the administrators among them by name.
struct Users {
    alike: Vec<Alike>,
    administrators: Vec<AdministratorRow>,
    /// Those whom the policy of attestation leaves no key.
    keyless: HashSet<PrincipalId>,
}

async fn count_users(tx: &mut Tx<'_>, asked: &Question, rp_id: &str) -> Result<Users, Error> {
    let (account, by) = (&asked.account.id, thresholds(&asked.after, asked.now));
    Ok(Users {
        alike: if asked.narrowed() {
            counted::places(tx, account, by).await?
        } else {
            counted::classes(tx, account, by).await?
        },
        administrators: counted::administrators(tx, account, by, LOOKED_AT).await?,
        keyless: if asked.refuses_more_keys() {
            asked.shut_out(&counted::keys(tx, account, rp_id).await?)
        } else {
            HashSet::new()
        },
    })
}

/// What ends with a change.
#[derive(Default)]
struct Ending {
    /// How many people have an `AccessKey` that lies idle now.
    key_holders: i64,
    /// The users whose machines are forgotten.
    remembered: HashSet<PrincipalId>,
    /// How many sessions end, the actor's own among them.
    sessions: i64,
}

async fn count_places(tx: &mut Tx<'_>, asked: &Question) -> Result<Ending, Error> {
    let (account, now) = (&asked.account, asked.now);
    let (before, after) = (account.settings.max_idle_days_access_keys, asked.after.max_idle_days_access_keys);
    let key_holders = if after < before {
        let since = now.minus(Duration::from_hours(24 * after.days()));
        access_keys::count_idle_holders(tx, &account.id, since).await?
    } else {
        0
    };
    if !asked.stricter() {
        return Ok(Ending { key_holders, ..Ending::default() });
    }
    let remembered = counted::remembered(tx, &account.id, account.epoch, now).await?;
    let sessions = counted::sessions(tx, &account.id, account.epoch, now, now.minus(IDLE_LIMIT)).await?;
    Ok(Ending { key_holders, remembered: remembered.into_iter().collect(), sessions })
}

fn foresee(asked: &Question, users: &Users, ending: &Ending) -> Result<Forecast, Error> {
    let (before, after, narrowed) = (&asked.account.settings, &asked.after, asked.narrowed());
    let suffered = |class: Class, address: Option<&str>| {
        let mut suffered = effects(before, after, class);
        suffered.extend(effect_of_networks(after, address).filter(|_| narrowed));
        suffered
    };
    let mut tally = Tally::default();
    for Alike { class, address, users } in &users.alike {
        tally.count(&suffered(*class, address.as_deref()), *users);
    }
    tally.count_if_any(Effect::NoKeyLeft, users.keyless.len());
    tally.count_if_any(Effect::MachineForgotten, ending.remembered.len());
    tally.count_if_any(Effect::KeyIdle, usize::try_from(ending.key_holders).unwrap_or_default());
    let console_users = users.alike.iter().map(|alike| alike.users).sum();
    let own_raised = is_a_strength_raised(before, after, |operation| is_everybodys(after, operation));
    let proves_more = own_raised || is_a_strength_raised(before, after, |operation| !is_everybodys(after, operation));
    if own_raised {
        tally.count(&[Effect::ProofMoreOften], console_users);
    } else if proves_more {
        tally.count_if_any(Effect::ProofMoreOften, users.administrators.len());
    }
    for AdministratorRow { class, id, name, address, is_restricted: _ } in &users.administrators {
        let mut suffered = suffered(*class, address.as_deref());
        suffered.extend(users.keyless.contains(id).then_some(Effect::NoKeyLeft));
        suffered.extend(ending.remembered.contains(id).then_some(Effect::MachineForgotten));
        suffered.extend(proves_more.then_some(Effect::ProofMoreOften));
        tally.name(&suffered, name);
    }
    Ok(Forecast {
        differences: differences(before, after),
        fingerprint: Fingerprint::of(before)?,
        console_users,
        groups: tally.0.into_values().collect(),
        sessions_ending: (ending.sessions - 1).max(0),
        own_address_outside: asked.own_address_outside,
    })
}

/// What a change does to users of one class. The rules stand here and nowhere else; the store only sorts.
fn effects(before: &SecuritySettings, after: &SecuritySettings, class: Class) -> Vec<Effect> {
    let mut effects = Vec::new();
    let mut suffers = |when: bool, effect| {
        if when {
            effects.push(effect);
        }
    };
    suffers(after.max_idle_days_users < before.max_idle_days_users && class.idle, Effect::Idle);
    if are_ages_stricter(&before.password, &after.password) {
        let hard = after.password.hard_expire;
        suffers(class.initial_outlived, Effect::InitialPasswordExpired);
        suffers(!class.initial_outlived && class.outlived && hard, Effect::PasswordExpired);
        suffers(!class.initial_outlived && class.outlived && !hard, Effect::MustChangePassword);
    }
    let (was, is) = (before.mfa_for_logon, after.mfa_for_logon);
    // A browser without an earlier MFA logon is unusual, so whoever has no device binds one under the adaptive rule too.
    let binds = match (was, is) {
        (MfaForLogon::Independent, MfaForLogon::Adaptive | MfaForLogon::Mandatory)
        | (MfaForLogon::Adaptive, MfaForLogon::Mandatory) => true,
        (MfaForLogon::Mandatory, _)
        | (_, MfaForLogon::Independent)
        | (MfaForLogon::Adaptive, MfaForLogon::Adaptive) => false,
    };
    suffers(binds && !class.bound && !class.bind_required, Effect::MustBind);
    suffers(binds && !class.bound && class.bind_required, Effect::MustBindAnyway);
    let no_more_adaptive = was == MfaForLogon::Adaptive && is != MfaForLogon::Adaptive;
    suffers(no_more_adaptive && class.bound, Effect::AskedAtEveryLogon);
    effects
}

/// Whether an operation is one that every RAM user does for himself.
const fn is_everybodys(after: &SecuritySettings, operation: SensitiveOperation) -> bool {
    match operation {
        SensitiveOperation::OwnPassword | SensitiveOperation::OwnMfa | SensitiveOperation::OwnContact => true,
        SensitiveOperation::AccessKeys => after.users_manage_access_keys,
        SensitiveOperation::Users | SensitiveOperation::Policies | SensitiveOperation::SecuritySettings => false,
    }
}

/// What narrowed networks do to somebody who last logged on from an address.
fn effect_of_networks(after: &SecuritySettings, address: Option<&str>) -> Option<Effect> {
    match address {
        None => Some(Effect::UnknownAddress),
        Some(address) => (!after.logon_networks.admit(address)).then_some(Effect::OutsideNetworks),
    }
}

/// From when on users are idle and passwords run out under these settings.
fn thresholds(after: &SecuritySettings, now: Timestamp) -> Thresholds {
    let ago = |days: u64| now.minus(Duration::from_hours(24 * days));
    let aged = |days: u64| if days == 0 { Timestamp::from_micros(i64::MIN) } else { ago(days) };
    Thresholds {
        idle_since: ago(after.max_idle_days_users.days()),
        changed_before: aged(u64::from(after.password.max_age_days)),
        initial_before: aged(u64::from(after.password.initial_age_days)),
    }
}

/// The groups as they grow, the gravest first.
#[derive(Default)]
struct Tally(BTreeMap<Effect, Group>);

impl Tally {
    fn count(&mut self, effects: &[Effect], users: i64) {
        for effect in effects {
            self.group(*effect).users += users;
        }
    }

    fn count_if_any(&mut self, effect: Effect, users: usize) {
        if users > 0 {
            self.count(&[effect], i64::try_from(users).unwrap_or(i64::MAX));
        }
    }

    fn name(&mut self, effects: &[Effect], name: &str) {
        for effect in effects {
            let group = self.group(*effect);
            group.administrators += 1;
            if group.names.len() < NAMED {
                group.names.push(name.to_owned());
            }
        }
    }

    fn group(&mut self, effect: Effect) -> &mut Group {
        self.0.entry(effect).or_insert(Group { effect, users: 0, administrators: 0, names: Vec::new() })
    }
}
