//! `countersign account …`: what the operator does on the host, whether the server runs or not.

use crate::cli::{AccountCommand, Common};
use crate::config::{Settings, Sources};
use crate::failure::Failure;
use crate::installation::{IfAbsent, Installation, Opening};
use crate::logs;
use crate::output::{say, say_json, table};
use countersign_core::metrics::Metrics;
use countersign_core::operator::OwnerPassword;
use countersign_core::setup::NewAccount;
use countersign_model::Timestamp;
use countersign_model::clock::SystemClock;
use countersign_model::names::{AccountAlias, EmailAddress};
use countersign_model::principal::{Account, Principal};
use countersign_store::Access;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use std::io::{IsTerminal as _, Read as _};
use std::sync::Arc;

/// More than the longest password has.
const MAX_INPUT_BYTES: u64 = 8 * 1024;

/// Does one of the commands.
pub(crate) fn run(command: AccountCommand) -> Result<(), Failure> {
    match command {
        AccountCommand::Create { alias, owner, password_stdin, common } => create(alias, owner, password_stdin, common),
        AccountCommand::List { common } => list(common),
        AccountCommand::ResetMfa { account, common } => reset_mfa(&account, common),
        AccountCommand::ResetPassword { account, password_stdin, common } => {
            reset_password(&account, password_stdin, common)
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

/// Opens core beside a server that may run, does the work, and closes it again.
pub(crate) fn on_core<T>(
    common: Common,
    absent: IfAbsent,
    work: impl AsyncFnOnce(&Installation) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let config = common.place.config.clone();
    let settings = Settings::load(Sources::of_this_process(config, common.place.layer()))?;
    logs::begin(settings.log.as_deref().unwrap_or("warn"), settings.log_format)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(format!("the runtime does not start: {error}")))?;
    runtime.block_on(async {
        let clock = Arc::new(SystemClock);
        let opening = Opening { access: Access::Operate, absent, clock, metrics: Metrics::default() };
        let installation = Installation::open(&settings, opening).await?;
        let done = work(&installation).await;
        installation.close().await;
        done
    })
}

fn password_asked_twice() -> Result<SecretString, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::new("there is no terminal to ask for the password: pass it with --password-stdin"));
    }
    let ask = |prompt: &str| {
        let typed = rpassword::prompt_password(prompt);
        let typed = typed.map_err(|error| Failure::new(format!("the password cannot be read: {error}")))?;
        Ok::<_, Failure>(SecretString::from(typed))
    };
    let (first, second) = (ask("Password: ")?, ask("Password again: ")?);
    if first.expose_secret() == second.expose_secret() {
        Ok(first)
    } else {
        Err(Failure::new("the two passwords differ: nothing was done, try again"))
    }
}

/// One line; what ends it is not part of the password.
fn password_from_stdin() -> Result<SecretString, Failure> {
    let mut text = Zeroizing::new(String::with_capacity(256));
    let read = std::io::stdin().lock().take(MAX_INPUT_BYTES).read_to_string(&mut text);
    read.map_err(|error| Failure::new(format!("the password cannot be read from standard input: {error}")))?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() || line.contains(['\n', '\r']) {
        return Err(Failure::new("standard input has to hold the password and nothing else, on one line"));
    }
    Ok(SecretString::from(line))
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
