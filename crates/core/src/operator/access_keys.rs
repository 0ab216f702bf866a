//! The first AccessKey of an account, by the command line.

use super::Whom;
use crate::Countersign;
use crate::access_keys::MadeAccessKey;
use crate::act::{Admitted, Deed};
use crate::actor::{Actor, Origin};
use crate::authorise::{Action, Resource};
use crate::error::{Error, Refusal};
use countersign_model::names::UserName;
use countersign_store::{Tx, principals};

impl Countersign {
    /// Makes an AccessKey for the owner or a RAM user of an account (by alias or id), who is told of it.
    pub async fn create_access_key_by_operator(&self, account: &str, who: Whom) -> Result<MadeAccessKey, Error> {
        let (account, owner) = self.account_and_owner(account).await?;
        let target = match &who {
            Whom::Owner => owner.name.clone(),
            Whom::User(name) => name.chars().filter(|c| !c.is_control()).take(128).collect(),
        };
        let deed = Deed::in_account(account.id.clone(), Action::CreateAccessKeyByOperator.code(), target);
        let this = self.clone();
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<MadeAccessKey, Error> {
            let principal = match &who {
                Whom::Owner => owner.id.clone(),
                Whom::User(name) => {
                    let name = UserName::parse(name).map_err(|_| Refusal::UserNotFound)?.canonical();
                    principals::find_ram_user(tx, &account.id, &name).await?.ok_or(Refusal::UserNotFound)?.id
                }
            };
            let whose = Resource::Principal(account.id.clone(), principal.clone());
            admitted.may(Action::CreateAccessKeyByOperator, &whose)?;
            principals::guard(tx, &account.id, &principal).await?.ok_or(Refusal::UserNotFound)?;
            this.make_access_key(tx, admitted, (&account.id, &principal), &Origin::command_line()).await
        };
        self.act(&Actor::Operator, &Origin::command_line(), deed, work).await
    }
}
