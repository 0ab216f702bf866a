//! Making and unmaking administrators: attaching and detaching the two system policies.

use crate::Countersign;
use crate::act::{Admitted, Deed};
use crate::actor::{Actor, Origin, SessionActor};
use crate::authorise::Action;
use crate::error::Error;
use countersign_model::principal::SystemPolicy;
use countersign_store::{Tx, policies};

impl Countersign {
    /// Attaches a system policy to a RAM user. Attaching it again changes nothing.
    pub async fn attach_policy(
        &self,
        actor: &SessionActor,
        name: &str,
        policy: SystemPolicy,
        origin: &Origin,
    ) -> Result<(), Error> {
        self.change_policy(actor, name, policy, Action::AttachPolicy, origin).await
    }

    /// Detaches a system policy from a RAM user; what he was allowed by it he is refused from the next request on.
    pub async fn detach_policy(
        &self,
        actor: &SessionActor,
        name: &str,
        policy: SystemPolicy,
        origin: &Origin,
    ) -> Result<(), Error> {
        self.change_policy(actor, name, policy, Action::DetachPolicy, origin).await
    }

    async fn change_policy(
        &self,
        actor: &SessionActor,
        name: &str,
        policy: SystemPolicy,
        action: Action,
        origin: &Origin,
    ) -> Result<(), Error> {
        let deed = Deed::on(actor, action.code(), &format!("{name} {policy}")).asking(action, &[]);
        let (this, name) = (self.clone(), name.to_owned());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            let admitted = this.guard_administrators(tx, admitted, action).await?;
            let user = admitted.find_user(tx, &name, action).await?;
            if action == Action::AttachPolicy {
                policies::attach(tx, &user.account_id, &user.id, policy, admitted.now).await?;
            } else {
                policies::detach(tx, &user.account_id, &user.id, policy).await?;
            }
            Ok(())
        };
        self.act(&Actor::Session(Box::new(actor.clone())), origin, deed, work).await
    }
}
