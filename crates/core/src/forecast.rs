//! What a change of the settings would do, told before it is made: who could not log on any more, who must bind a device or
//! change the password, who would be asked more often, how many sessions end. Counted over all RAM users with console logon.

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
use countersign_model::principal::{Account, ConsoleLogon};
use countersign_model::session::IDLE_LIMIT;
use countersign_model::settings::{MfaForLogon, SecuritySettings, SensitiveOperation};
use countersign_store::forecast::{AdministratorRow, Alike, Class, Thresholds};
use countersign_store::{Tx, accounts, forecast as counted, login_profiles, principals};
use std::collections::{BTreeMap, HashSet};
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
    /// He must bind a device at the next logon.
    MustBind,
    /// The same, and he had to already.
    MustBindAnyway,
    /// He must bind a device when a logon of his is unusual.
    BindsWhenUnusual,
    /// He must change the password at the next logon.
    MustChangePassword,
    /// His device is asked for at every logon.
    AskedAtEveryLogon,
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
        Self::MustBind,
        Self::MustBindAnyway,
        Self::BindsWhenUnusual,
        Self::MustChangePassword,
        Self::AskedAtEveryLogon,
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
            Self::MustBind => "must-bind",
            Self::MustBindAnyway => "must-bind-anyway",
            Self::BindsWhenUnusual => "binds-when-unusual",
            Self::MustChangePassword => "must-change-password",
            Self::AskedAtEveryLogon => "asked-at-every-logon",
            Self::MachineForgotten => "machine-forgotten",
            Self::ProofMoreOften => "proof-more-often",
        }
    }

    /// Whether it keeps somebody from logging on.
    #[must_use]
    pub const fn refuses(self) -> bool {
        matches!(self, Self::OutsideNetworks | Self::Idle | Self::PasswordExpired | Self::InitialPasswordExpired)
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
        let (deed, from) = (Deed::on(actor, action.code(), ""), origin.clone());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<Forecast, Error> {
            let (account, _) = admitted.oneself()?;
            admitted.may(action, &Resource::Account(account.clone()))?;
            let account = accounts::find(tx, account).await?.ok_or(Refusal::AccountNotFound)?;
            let after = judge(&change, &account, admitted, &from)?;
            check_administrator_path(tx, &account, &after, admitted, &from).await?;
            foresee(tx, &account, &after, admitted, &from).await
        };
        self.look(&Actor::Session(Box::new(actor.clone())), origin, deed, work).await
    }
}

async fn foresee(
    tx: &mut Tx<'_>,
    account: &Account,
    after: &SecuritySettings,
    admitted: &Admitted,
    origin: &Origin,
) -> Result<Forecast, Error> {
    let (before, now) = (&account.settings, admitted.now);
    let by = thresholds(after, now);
    let narrowed = !after.logon_networks.covers(&before.logon_networks);
    let stricter = is_stricter(before, after);
    let suffered = |class: Class, address: Option<&str>| {
        let mut suffered = effects(before, after, class);
        suffered.extend(effect_of_networks(after, address).filter(|_| narrowed));
        suffered
    };
    let alike = if narrowed {
        counted::places(tx, &account.id, by).await?
    } else {
        counted::classes(tx, &account.id, by).await?
    };
    let mut tally = Tally::default();
    for Alike { class, address, users } in &alike {
        tally.count(&suffered(*class, address.as_deref()), *users);
    }
    let remembered: HashSet<_> = if stricter {
        counted::remembered(tx, &account.id, account.epoch, now).await?.into_iter().collect()
    } else {
        HashSet::new()
    };
    tally.count_if_any(Effect::MachineForgotten, remembered.len());
    let console_users = alike.iter().map(|alike| alike.users).sum();
    let administrators = counted::administrators(tx, &account.id, by, LOOKED_AT).await?;
    let own_raised = is_a_strength_raised(before, after, is_everybodys);
    let proves_more = own_raised || is_a_strength_raised(before, after, |operation| !is_everybodys(operation));
    if own_raised {
        tally.count(&[Effect::ProofMoreOften], console_users);
    } else if proves_more {
        tally.count_if_any(Effect::ProofMoreOften, administrators.len());
    }
    for AdministratorRow { class, id, name, address, is_restricted: _ } in &administrators {
        let mut suffered = suffered(*class, address.as_deref());
        suffered.extend(remembered.contains(id).then_some(Effect::MachineForgotten));
        suffered.extend(proves_more.then_some(Effect::ProofMoreOften));
        tally.name(&suffered, name);
    }
    let sessions_ending = if stricter {
        let idle_since = now.minus(IDLE_LIMIT);
        (counted::sessions(tx, &account.id, account.epoch, now, idle_since).await? - 1).max(0)
    } else {
        0
    };
    Ok(Forecast {
        differences: differences(before, after),
        fingerprint: Fingerprint::of(before)?,
        console_users,
        groups: tally.0.into_values().collect(),
        sessions_ending,
        own_address_outside: admitted.who.role == Role::Owner && !after.logon_networks.admit(&origin.address),
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
    let mandatory = is == MfaForLogon::Mandatory && was != MfaForLogon::Mandatory;
    suffers(mandatory && !class.bound && !class.bind_required, Effect::MustBind);
    suffers(mandatory && !class.bound && class.bind_required, Effect::MustBindAnyway);
    let adaptive = is == MfaForLogon::Adaptive && was == MfaForLogon::Independent;
    suffers(adaptive && !class.bound && !class.bind_required, Effect::BindsWhenUnusual);
    let no_more_adaptive = was == MfaForLogon::Adaptive && is != MfaForLogon::Adaptive;
    suffers(no_more_adaptive && class.bound, Effect::AskedAtEveryLogon);
    effects
}

/// Whether an operation is one that every RAM user does for himself.
const fn is_everybodys(operation: SensitiveOperation) -> bool {
    match operation {
        SensitiveOperation::OwnPassword | SensitiveOperation::OwnMfa | SensitiveOperation::OwnContact => true,
        SensitiveOperation::Users
        | SensitiveOperation::Policies
        | SensitiveOperation::AccessKeys
        | SensitiveOperation::SecuritySettings => false,
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

/// Refuses settings under which nobody could administrate the account any more. The owner is a way in as long as his
/// console logon is enabled: the settings do not bind him.
pub(crate) async fn check_administrator_path(
    tx: &mut Tx<'_>,
    account: &Account,
    after: &SecuritySettings,
    admitted: &Admitted,
    origin: &Origin,
) -> Result<(), Error> {
    if owner_gets_in(tx, account).await? {
        return Ok(());
    }
    let by = thresholds(after, admitted.now);
    let oneself = admitted.session.as_ref().map(|session| session.found.name.as_str());
    let narrowed = !after.logon_networks.covers(&account.settings.logon_networks);
    let mut rows = counted::administrators(tx, &account.id, by, LOOKED_AT).await?.into_iter();
    let gets_in = |AdministratorRow { class, id: _, name, address, is_restricted }: AdministratorRow| {
        let address = if Some(name.as_str()) == oneself { Some(&origin.address) } else { address.as_ref() };
        let from_outside = narrowed && !address.is_some_and(|address| after.logon_networks.admit(address));
        let expired = class.initial_outlived || (class.outlived && after.password.hard_expire);
        !is_restricted && !class.idle && !expired && !from_outside
    };
    if rows.any(gets_in) { Ok(()) } else { Err(Refusal::NoAdministratorPath.into()) }
}

/// Whether the owner of an account can log on.
pub(crate) async fn owner_gets_in(tx: &mut Tx<'_>, account: &Account) -> Result<bool, Error> {
    let Some(owner) = principals::find_owner_of(tx, &account.id).await? else { return Ok(false) };
    let profile = login_profiles::find(tx, &account.id, &owner.id).await?;
    Ok(profile.is_some_and(|profile| profile.console_logon == ConsoleLogon::Enabled && profile.password_hash.is_some()))
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
