//! `countersign account …`: what the operator does on the host, whether the server runs or not.

use crate::asking::{password_asked_twice, password_from_stdin};
use crate::cli::{AccountCommand, Common};
use crate::failure::Failure;
use crate::installation::{IfAbsent, Installation};
use crate::operate::on_core;
use crate::output::{say, say_json, table};
use countersign_core::operator::{OwnerPassword, Stuck};
use countersign_core::setup::NewAccount;
use countersign_model::Timestamp;
use countersign_model::names::{AccountAlias, EmailAddress};
use countersign_model::principal::{Account, Principal};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

/// Does one of the commands.
pub(crate) fn run(command: AccountCommand) -> Result<(), Failure> {
    match command {
        AccountCommand::Create { alias, owner, password_stdin, common } => create(alias, owner, password_stdin, common),
        AccountCommand::List { common } => list(common),
        AccountCommand::ResetMfa { account, common } => reset_mfa(&account, common),
        AccountCommand::ResetPassword { account, password_stdin, common } => {
            reset_password(&account, password_stdin, common)
        }
        AccountCommand::ClockReset { yes, unbind_stuck, common } => {
            reset_clock(yes, if unbind_stuck { Stuck::Unbind } else { Stuck::Keep }, common)
        }
    }
}

fn create(alias: AccountAlias, owner: EmailAddress, from_stdin: bool, common: Common) -> Result<(), Failure> {
    let password = if from_stdin { password_from_stdin()? } else { password_asked_twice()? };
    let json = common.json;
    let email = owner.clone();
    let created = on_core(common, IfAbsent::Make, async move |open: &Installation| {
        Ok(open.core.create_account(NewAccount { alias, owner, password }).await?)
    })?;
    if json {
        return say_json(&account_json(&created, &email));
    }
    say(&format!("The account {} ({}) is made. Its owner logs on as {email}.", created.alias, created.id))
}

fn list(common: Common) -> Result<(), Failure> {
    let json = common.json;
    let listed = on_core(common, IfAbsent::Refuse, async |open: &Installation| Ok(open.core.list_accounts().await?))?;
    if json {
        return say_json(&listed.iter().map(listed_json).collect());
    }
    if listed.is_empty() {
        return say("There is no account yet. `countersign account create` makes one.");
    }
    let rows = listed.iter().map(|(account, owner)| {
        let last = owner.last_logon_at.map_or_else(|| "never".to_owned(), Timestamp::to_rfc3339);
        [account.alias.to_string(), account.id.to_string(), owner.name.clone(), account.created_at.to_rfc3339(), last]
    });
    let head = ["ALIAS", "ID", "OWNER", "MADE", "OWNER'S LAST LOGON"].map(str::to_owned);
    say(&table(&std::iter::once(head).chain(rows).collect::<Vec<_>>()))
}

fn reset_mfa(account: &str, common: Common) -> Result<(), Failure> {
    let (json, name) = (common.json, account.to_owned());
    on_core(common, IfAbsent::Refuse, async move |open: &Installation| Ok(open.core.reset_owner_mfa(&name).await?))?;
    if json {
        return say_json(&json!({ "account": account, "mfa": "unbound" }));
    }
    say(&format!(
        "The MFA device of the owner of {account} is unbound, and his sessions have ended. He logs on with the password \
         now, and should bind a new device before anything else."
    ))
}

fn reset_password(account: &str, from_stdin: bool, common: Common) -> Result<(), Failure> {
    let password = if from_stdin { OwnerPassword::Chosen(password_from_stdin()?) } else { OwnerPassword::Generate };
    let (json, name) = (common.json, account.to_owned());
    let generated = on_core(common, IfAbsent::Refuse, async move |open: &Installation| {
        Ok(open.core.reset_owner_password(&name, password).await?)
    })?;
    let generated = generated.as_ref().map(SecretString::expose_secret);
    if json {
        let answer = json!({ "account": account, "password": generated, "must_change": generated.is_some() });
        return say_json(&answer);
    }
    match generated {
        Some(password) => say(&format!(
            "The owner of {account} logs on with this password next, and has to change it then:\n\n    {password}\n\n\
             It is not shown again. His sessions have ended."
        )),
        None => say(&format!("The owner of {account} has the new password. His sessions have ended.")),
    }
}

fn reset_clock(yes: bool, stuck: Stuck, common: Common) -> Result<(), Failure> {
    let json = common.json;
    let reset = on_core(common, IfAbsent::Refuse, async move |open: &Installation| {
        let (mark, now) = open.core.clock_mark().await?;
        if mark > now && !yes {
            return Err(Failure::new(format!(
                "this machine's clock says {}, and {} was seen already. If the clock is right now, say --yes: the later \
                 time is forgotten. If it is not, set it right first",
                now.to_rfc3339(),
                mark.to_rfc3339()
            )));
        }
        Ok(open.core.reset_clock(stuck).await?)
    })?;
    let Some(reset) = reset else {
        if json {
            return say_json(&json!({ "reset": false }));
        }
        return say("The clock does not lie behind a time already seen: there is nothing to mend.");
    };
    let unbound = stuck == Stuck::Unbind;
    if json {
        let devices = reset.stuck.iter().map(|device| {
            json!({ "account": device.alias, "name": device.name, "until": device.until.to_rfc3339(), "unbound": unbound })
        });
        return say_json(&json!({
            "reset": true, "mark_before": reset.mark.to_rfc3339(), "mark": reset.now.to_rfc3339(),
            "pauses_cut": reset.pauses, "sessions_ended": reset.sessions, "pending_ended": reset.pending,
            "access_keys_disabled": reset.keys_disabled, "calls_from": reset.calls_from.to_rfc3339(),
            "locked_devices": devices.collect::<Vec<_>>(),
        }));
    }
    say(&format!(
        "The highest time seen was {} and is {} now. Ended: {} sessions, {} logons and bindings; {} pauses were cut to an \
         hour; {} AccessKeys that were used while the clock ran ahead are disabled. A server that runs serves logons \
         again within ten seconds, and signed calls from {} on.",
        reset.mark.to_rfc3339(),
        reset.now.to_rfc3339(),
        reset.sessions,
        reset.pending,
        reset.pauses,
        reset.keys_disabled,
        reset.calls_from.to_rfc3339()
    ))?;
    if reset.stuck.is_empty() {
        return Ok(());
    }
    let rows = reset.stuck.iter().map(|device| [device.alias.clone(), device.name.clone(), device.until.to_rfc3339()]);
    let head = ["ACCOUNT", "NAME", "LOCKED UNTIL"].map(str::to_owned);
    let told = if unbound {
        "These devices were locked, and are unbound now:"
    } else {
        "These devices used codes of that later time. Those come again, so the devices stay locked until then; unbind them \
         (an administrator, or this command with --unbind-stuck after the next time), or wait:"
    };
    say(&format!("\n{told}\n\n{}", table(&std::iter::once(head).chain(rows).collect::<Vec<_>>())))
}

fn account_json(account: &Account, owner: &EmailAddress) -> serde_json::Value {
    json!({
        "account_id": account.id.as_str(),
        "alias": account.alias.as_str(),
        "owner": owner.as_str(),
        "created_at": account.created_at.to_rfc3339(),
    })
}

fn listed_json((account, owner): &(Account, Principal)) -> serde_json::Value {
    json!({
        "account_id": account.id.as_str(),
        "alias": account.alias.as_str(),
        "owner": owner.name,
        "created_at": account.created_at.to_rfc3339(),
        "owner_last_logon_at": owner.last_logon_at.map(Timestamp::to_rfc3339),
    })
}
