//! `countersign user …`: who is locked, and lifting the locks.

use crate::cli::{Common, UserCommand};
use crate::failure::Failure;
use crate::installation::{IfAbsent, Installation};
use crate::operate::on_core;
use crate::output::{say, say_json, table};
use countersign_core::operator::{Locked, Whom};
use serde_json::json;

/// Does one of the commands.
pub(crate) fn run(command: UserCommand) -> Result<(), Failure> {
    match command {
        UserCommand::Unlock { account, user, owner: _, common } => unlock(&account, user, common),
        UserCommand::ListLocked { common } => list_locked(common),
    }
}

fn unlock(account: &str, user: Option<String>, common: Common) -> Result<(), Failure> {
    let json = common.json;
    let whom = user.clone().map_or(Whom::Owner, Whom::User);
    let name = account.to_owned();
    let cleared = on_core(common, IfAbsent::Refuse, async move |open: &Installation| {
        Ok(open.core.unlock_by_operator(&name, whom).await?)
    })?;
    if json {
        return say_json(
            &json!({ "account": account, "user": user, "owner": user.is_none(), "counts_cleared": cleared }),
        );
    }
    let who = user.map_or_else(|| format!("the owner of {account}"), |user| format!("{user} of {account}"));
    if cleared == 0 {
        return say(&format!("Nothing of {who} was locked, and no failed try was counted."));
    }
    say(&format!("Every lock on {who} is lifted: password, device, recovery codes. Tries are counted anew."))
}

fn list_locked(common: Common) -> Result<(), Failure> {
    let json = common.json;
    let locked = on_core(common, IfAbsent::Refuse, async |open: &Installation| Ok(open.core.list_locked().await?))?;
    if json {
        return say_json(&locked.iter().map(line_json).collect());
    }
    if locked.is_empty() {
        return say("Nobody is locked.");
    }
    let rows = locked.iter().map(|line| {
        let until = until(line).unwrap_or_else(|| "somebody unlocks it".to_owned());
        let (kind, factor) = (line.principal.as_str().to_owned(), line.factor.as_str().to_owned());
        [line.alias.clone(), line.name.clone(), kind, factor, line.budget.failures.to_string(), until]
    });
    let head = ["ACCOUNT", "NAME", "KIND", "FACTOR", "FAILURES", "LOCKED UNTIL"].map(str::to_owned);
    say(&table(&std::iter::once(head).chain(rows).collect::<Vec<_>>()))
}

fn line_json(line: &Locked) -> serde_json::Value {
    json!({
        "account": line.alias,
        "name": line.name,
        "kind": line.principal.as_str(),
        "factor": line.factor.as_str(),
        "failures": line.budget.failures,
        "disabled": line.budget.is_disabled(),
        "locked_until": until(line),
    })
}

/// Until when a pause runs; a disabled factor waits for somebody to unlock it.
fn until(line: &Locked) -> Option<String> {
    (!line.budget.is_disabled()).then(|| line.budget.blocked_until.to_rfc3339())
}
