//! `countersign access-key …`: the first key with which a program signs its calls.

use crate::cli::{AccessKeyCommand, Common};
use crate::failure::Failure;
use crate::installation::{IfAbsent, Installation};
use crate::operate::on_core;
use crate::output::{say, say_json};
use countersign_core::operator::Whom;
use secrecy::ExposeSecret as _;
use serde_json::json;

/// Does one of the commands.
pub(crate) fn run(command: AccessKeyCommand) -> Result<(), Failure> {
    match command {
        AccessKeyCommand::Create { account, user, common } => create(&account, user, common),
    }
}

fn create(account: &str, user: Option<String>, common: Common) -> Result<(), Failure> {
    let (json, name) = (common.json, account.to_owned());
    let whom = user.clone().map_or(Whom::Owner, Whom::User);
    let made = on_core(common, IfAbsent::Refuse, async move |open: &Installation| {
        Ok(open.core.create_access_key_by_operator(&name, whom).await?)
    })?;
    if json {
        return say_json(&json!({
            "account": account,
            "user": user,
            "access_key_id": made.id.as_str(),
            "access_key_secret": made.secret.expose_secret(),
            "created_at": made.created_at.to_rfc3339(),
        }));
    }
    let who = user.map_or_else(|| format!("the owner of {account}"), |user| format!("{user} of {account}"));
    say(&format!(
        "A program that signs with this key acts as {who}:\n\n    AccessKey ID      {}\n    AccessKey Secret  {}\n\n\
         The secret is not shown again: keep it where your program's secrets are.",
        made.id,
        made.secret.expose_secret()
    ))
}
