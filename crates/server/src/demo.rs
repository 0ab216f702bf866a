//! `serve --demo`: a furnished house to look around in, an owner, an administrator and forty users in every state.
//!
//! Nothing is written behind core's back. The house was lived in: while it is furnished the clock walks from six weeks ago
//! to now, and everybody in it was made, logged on, bound a device or typed a wrong password through the use-cases. So
//! what the pages show is what they show of real people, audit events included.

mod clock;
mod house;
mod people;

pub(crate) use clock::DemoClock;

use crate::failure::Failure;
use crate::output::table;
use countersign_core::Countersign;
use countersign_model::Timestamp;
use house::{ADMINISTRATOR, House, OWNER};
use people::{PEOPLE, Person, State};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// The days, counted back from now, on which something happened. Every day of [`PEOPLE`] is among them.
const DAYS: [u8; 10] = [45, 44, 30, 20, 19, 12, 7, 3, 2, 1];

/// Twelve failures in a row and the pauses that they brought.
const PAUSES: [u64; 12] = [0, 0, 0, 0, 30, 60, 120, 240, 480, 960, 1_920, 0];

/// Furnishes the house and says who lives there.
pub(crate) async fn furnish(core: &Countersign, clock: &DemoClock) -> Result<String, Failure> {
    let now = core.now();
    let house = Arc::new(House::new(core.clone()));
    for (number, day) in DAYS.into_iter().enumerate() {
        clock.stand_at(now.minus(Duration::from_hours(24 * u64::from(day))));
        if number == 0 {
            house.found().await?;
        }
        live_one_day(&house, day).await?;
    }
    clock.stand_at(now.minus(PAUSES.iter().copied().map(Duration::from_secs).sum()));
    lock_out(&house, clock).await?;
    settle(&house).await?;
    clock.run();
    Ok(describe(&house, now))
}

async fn live_one_day(house: &Arc<House>, day: u8) -> Result<(), Failure> {
    let joining = || PEOPLE.iter().filter(|person| person.joined == day);
    if joining().next().is_some() {
        let owner = house.log_on_owner().await?;
        let create = |person| Arc::clone(house).create(owner.clone(), person);
        together(joining().map(create)).await?;
        let bind = |person: &'static Person| Arc::clone(house).bind(owner.clone(), person.name);
        together(joining().filter(|person| person.state.was_bound()).map(bind)).await?;
    }
    let visiting = PEOPLE.iter().filter(|person| person.seen == Some(day));
    together(visiting.map(|person| Arc::clone(house).log_on(person))).await
}

/// One user forgot his password, another's phone shows wrong codes, and neither gives up.
async fn lock_out(house: &Arc<House>, clock: &DemoClock) -> Result<(), Failure> {
    for pause in PAUSES {
        let locked = PEOPLE.iter().filter(|person| person.state.is_locked());
        together(locked.map(|person| Arc::clone(house).fail(person))).await?;
        clock.advance(Duration::from_secs(pause));
    }
    Ok(())
}

/// Does things at once, as far as passwords can be hashed at once, and with few commits.
async fn together<D>(deeds: impl Iterator<Item = D>) -> Result<(), Failure>
where
    D: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let mut all: JoinSet<_> = deeds.collect();
    while let Some(done) = all.join_next().await {
        done.map_err(|error| Failure::new(format!("the demo could not be furnished: {error}")))??;
    }
    Ok(())
}

/// What the owner has changed since.
async fn settle(house: &House) -> Result<(), Failure> {
    let owner = house.log_on_owner().await?;
    for person in PEOPLE {
        match person.state {
            State::Required if person.seen.is_some() => house.require_mfa(&owner, person.name).await?,
            State::ResetDue if person.seen.is_some() => house.require_reset(&owner, person.name).await?,
            State::Disabled => house.disable(&owner, person.name).await?,
            State::Unbound => house.unbind(&owner, person.name).await?,
            State::NoConsole
            | State::Plain
            | State::Required
            | State::ResetDue
            | State::Bound
            | State::BoundByChoice
            | State::PasswordLocked
            | State::DeviceLocked => {}
        }
    }
    Ok(())
}

fn describe(house: &House, now: Timestamp) -> String {
    let example = |state: State, seen: bool| {
        PEOPLE.iter().find(|person| person.state == state && person.seen.is_some() == seen).map(|person| person.name)
    };
    let mut rows = vec![["", "Log on as", "Password", "Setup key for an authenticator app"].map(str::to_owned)];
    rows.push(["Account owner".into(), OWNER.into(), house.owner_password(), String::new()]);
    let users = [
        ("Administrator", Some(ADMINISTRATOR)),
        ("User, no MFA", example(State::Plain, true)),
        ("User who must bind", example(State::Required, false)),
        ("User with a device", example(State::Bound, true)),
    ];
    for (what, name) in users {
        let Some(name) = name else { continue };
        let password = if name == ADMINISTRATOR { house.administrator_password() } else { house.common_password() };
        rows.push([what.into(), house.logon_name(name), password, house.setup_key(name)]);
    }
    let table = table(&rows).replace('\n', "\n    ");
    let common = house.common_password();
    format!(
        "This is a demo, made at {}. Everything in it goes away when it stops:\n\
         do not put anything real into it.\n\n    {table}\n\n\
         Add a setup key to your app (\"enter a setup key\", time-based) to log on with its codes. All other\n\
         users have the password {common} too.\n\n",
        now.to_rfc3339()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn there_are_forty_people_in_every_state() {
        assert_eq!(PEOPLE.len(), 40);
        let names: BTreeSet<&str> = PEOPLE.iter().map(|person| person.name).collect();
        assert_eq!(names.len(), 40, "a name is taken twice");
        for person in PEOPLE {
            assert!(DAYS.contains(&person.joined), "{}", person.name);
            assert!(person.seen.is_none_or(|day| DAYS.contains(&day) && day < person.joined), "{}", person.name);
        }
        for state in State::ALL {
            assert!(PEOPLE.iter().any(|person| person.state == *state), "{state:?}");
        }
    }

    #[test]
    fn the_pauses_are_those_of_the_budget() {
        let mut budget = countersign_model::budget::Budget::UNUSED;
        let mut now = Timestamp::from_seconds(0);
        for pause in PAUSES {
            budget = budget.book(None, now).unwrap();
            now = now.plus(Duration::from_secs(pause));
        }
        assert!(budget.is_locked(now.plus(Duration::from_mins(59))));
    }
}
