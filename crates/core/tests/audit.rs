//! Every change and every refusal leaves its one event: who, what, on whom, how it ended, from where.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on stops")]

use countersign_core::binding::TypedCodes;
use countersign_core::logon::LogonStep;
use countersign_core::settings::SettingsChange;
use countersign_core::users::{LoginChange, MfaFilter, PasswordChange, UsersQuery};
use countersign_core::{Error, Origin};
use countersign_model::audit::{ActorKind, Outcome};
use countersign_model::logon::LogonState;
use countersign_model::principal::SystemPolicy;
use countersign_testkit::people::{facts, login, login_with_mfa, one_code};
use countersign_testkit::{Account, Kit, Phone, both_engines, origin};
use std::time::Duration;

both_engines! {
    /// Nobody fills the disk with refusals of one kind: the first ones stand in the log, the rest are counted.
    async fn repeated_refusals_of_one_actor_are_counted(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, bob) = (kit.ram_user(&acme, "alice").await, kit.ram_user(&acme, "bob").await);
        let (alice, bob) = (kit.session(&alice).await.actor, kit.session(&bob).await.actor);
        let before = (kit.events(&acme.id).await.len(), kit.refusals_of_strangers().await);
        for number in 0..40 {
            kit.core().user(&alice, &format!("user{number}"), origin()).await.unwrap_err();
            kit.core().delete_user(&alice, "bob", "bob", origin()).await.unwrap_err();
        }
        kit.core().user(&bob, "alice", origin()).await.unwrap_err();
        assert_eq!(kit.events(&acme.id).await.len() - before.0, 41, "twenty of each, and that of another");
        assert_eq!(kit.refusals_of_strangers().await - before.1, 40);
        // A minute later they are told one by one again.
        kit.advance(Duration::from_secs(61));
        let (_, told) = kit.told(&acme.id, kit.core().user(&alice, "bob", origin())).await;
        assert_eq!(told, ["alice GetUser bob refused NoPermission"]);
    }

    async fn every_change_of_an_administrator_leaves_one_event(kit: Kit) {
        let acme = kit.account("acme").await;
        let (core, owner) = (kit.core(), kit.owner_session(&acme).await.actor);
        let keep = LoginChange { password: PasswordChange::Keep, ..login() };
        let policy = SystemPolicy::AdministratorAccess;
        let log = Log { kit: &kit, account: &acme, name: "owner@acme.example" };
        log.of("CreateUser alice success", core.create_user(&owner, facts("alice"), Some(login()), origin())).await;
        log.of(
            "CreateUser alice refused EntityAlreadyExists.User",
            core.create_user(&owner, facts("alice"), None, origin()),
        )
        .await;
        log.of(
            "CreateUser bob refused EntityNotExist.User.LoginProfile",
            core.create_user(&owner, facts("bob"), Some(keep.clone()), origin()),
        )
        .await;
        let weak = LoginChange { password: PasswordChange::Custom("weak".into()), ..login() };
        log.of(
            "CreateUser bob refused InvalidParameter.Password.TooWeak",
            core.create_user(&owner, facts("bob"), Some(weak.clone()), origin()),
        )
        .await;
        log.of("CreateUser bob success", core.create_user(&owner, facts("bob"), None, origin())).await;
        log.of("UpdateUser alice success", core.update_user(&owner, "alice", facts("Alice"), origin())).await;
        log.of(
            "UpdateUser alice refused EntityAlreadyExists.User",
            core.update_user(&owner, "alice", facts("bob"), origin()),
        )
        .await;
        log.of(
            "UpdateUser nobody refused EntityNotExist.User",
            core.update_user(&owner, "nobody", facts("x"), origin()),
        )
        .await;
        log.of("UpdateLoginProfile alice success", core.change_login_profile(&owner, "alice", keep.clone(), origin()))
            .await;
        log.of(
            "UpdateLoginProfile bob refused EntityNotExist.User.LoginProfile",
            core.change_login_profile(&owner, "bob", keep.clone(), origin()),
        )
        .await;
        log.of(
            "UpdateLoginProfile bob refused InvalidParameter.Password.TooWeak",
            core.change_login_profile(&owner, "bob", weak, origin()),
        )
        .await;
        log.of("CreateVirtualMFADevice alice success", core.start_binding_for(&owner, "alice", origin())).await;
        let phone = Phone::scan(&core.binding_for(&owner, "alice").await.unwrap());
        let wrong = one_code(phone.wrong_code(&kit));
        log.of(
            "BindMFADevice alice refused code_wrong",
            core.confirm_binding_for(&owner, "alice", wrong.clone(), origin()),
        )
        .await;
        log.of("BindMFADevice bob refused no_pending_device", core.confirm_binding_for(&owner, "bob", wrong, origin()))
            .await;
        let right = one_code(phone.code(&kit));
        log.of("BindMFADevice alice success", core.confirm_binding_for(&owner, "alice", right.clone(), origin())).await;
        log.of(
            "BindMFADevice alice refused EntityAlreadyExists.User.MFADevice",
            core.confirm_binding_for(&owner, "alice", right, origin()),
        )
        .await;
        log.of(
            "CreateVirtualMFADevice alice refused EntityAlreadyExists.User.MFADevice",
            core.start_binding_for(&owner, "alice", origin()),
        )
        .await;
        log.of("UnlockUser alice success", core.unlock_user(&owner, "alice", origin())).await;
        log.of("UnlockUser nobody refused EntityNotExist.User", core.unlock_user(&owner, "nobody", origin())).await;
        log.of("UnbindMFADevice alice success", core.unbind_for(&owner, "alice", origin())).await;
        log.of(
            "UnbindMFADevice alice refused EntityNotExist.User.MFADevice",
            core.unbind_for(&owner, "alice", origin()),
        )
        .await;
        log.of(
            "AttachPolicyToUser alice AdministratorAccess success",
            core.attach_policy(&owner, "alice", policy, origin()),
        )
        .await;
        log.of(
            "DetachPolicyFromUser alice AdministratorAccess success",
            core.detach_policy(&owner, "alice", policy, origin()),
        )
        .await;
        log.of(
            "DetachPolicyFromUser nobody AdministratorAccess refused EntityNotExist.User",
            core.detach_policy(&owner, "nobody", policy, origin()),
        )
        .await;
        log.of("SetSecurityPreference success", core.change_settings(&owner, SettingsChange::default(), origin()))
            .await;
        log.of(
            "DeleteUser alice refused InvalidParameter.Confirmation",
            core.delete_user(&owner, "alice", "bob", origin()),
        )
        .await;
        log.of("DeleteUser alice success", core.delete_user(&owner, "alice", "Alice", origin())).await;
        log.of("DeleteUser alice refused EntityNotExist.User", core.delete_user(&owner, "alice", "Alice", origin()))
            .await;
        // Looks are not written down, unless they are refused.
        log.silent(core.overview(&owner, origin())).await;
        log.silent(core.settings(&owner, origin())).await;
        log.silent(core.user(&owner, "bob", origin())).await;
        log.of("GetUser nobody refused EntityNotExist.User", core.user(&owner, "nobody", origin())).await;
        log.of("ConsoleSignout success", core.log_off(&owner, origin())).await;
        log.of("ConsoleSignout refused NotLoggedOn", core.log_off(&owner, origin())).await;
    }

    async fn every_refusal_to_a_plain_user_leaves_one_event(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let (core, alices) = (kit.core(), kit.session(&alice).await.actor);
        let log = Log { kit: &kit, account: &acme, name: "alice" };
        let (policy, query) = (SystemPolicy::AdministratorAccess, all());
        log.of("ListUsers refused NoPermission", core.list_users(&alices, query, origin())).await;
        log.of("GetAccountSummary refused NoPermission", core.overview(&alices, origin())).await;
        log.of("GetSecurityPreference refused NoPermission", core.settings(&alices, origin())).await;
        log.of("GetUser bob refused NoPermission", core.user(&alices, "bob", origin())).await;
        let weak = LoginChange { password: PasswordChange::Custom("weak".into()), ..login() };
        log.of(
            "CreateUser bob refused NoPermission",
            core.create_user(&alices, facts("bob"), Some(weak.clone()), origin()),
        )
        .await;
        log.of("UpdateUser bob refused NoPermission", core.update_user(&alices, "bob", facts("x"), origin())).await;
        log.of(
            "UpdateLoginProfile bob refused NoPermission",
            core.change_login_profile(&alices, "bob", weak, origin()),
        )
        .await;
        log.of("CreateVirtualMFADevice bob refused NoPermission", core.start_binding_for(&alices, "bob", origin()))
            .await;
        log.of("BindMFADevice bob refused NoPermission", core.binding_for(&alices, "bob")).await;
        log.of(
            "BindMFADevice bob refused NoPermission",
            core.confirm_binding_for(&alices, "bob", TypedCodes::default(), origin()),
        )
        .await;
        log.of("UnbindMFADevice bob refused NoPermission", core.unbind_for(&alices, "bob", origin())).await;
        log.of("UnlockUser bob refused NoPermission", core.unlock_user(&alices, "bob", origin())).await;
        log.of(
            "AttachPolicyToUser bob AdministratorAccess refused NoPermission",
            core.attach_policy(&alices, "bob", policy, origin()),
        )
        .await;
        log.of(
            "DetachPolicyFromUser bob AdministratorAccess refused NoPermission",
            core.detach_policy(&alices, "bob", policy, origin()),
        )
        .await;
        log.of("DeleteUser bob refused NoPermission", core.delete_user(&alices, "bob", "bob", origin())).await;
        log.of(
            "SetSecurityPreference refused NoPermission",
            core.change_settings(&alices, SettingsChange::default(), origin()),
        )
        .await;
    }

    async fn everything_that_a_principal_does_to_himself_leaves_one_event(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let (core, visitor) = (kit.core(), kit.session(&alice).await);
        let log = Log { kit: &kit, account: &acme, name: "alice" };
        let new = || "another long phrase".into();
        let actor = &visitor.actor;
        log.of(
            "ChangePassword refused password_wrong",
            core.change_own_password(actor, "wrong".into(), new(), origin()),
        )
        .await;
        log.of(
            "ChangePassword refused InvalidParameter.Password.TooWeak",
            core.change_own_password(actor, alice.secret(), "weak".into(), origin()),
        )
        .await;
        log.of(
            "ChangePassword refused InvalidParameter.NewPassword.ReusePrevention",
            core.change_own_password(actor, alice.secret(), alice.secret(), origin()),
        )
        .await;
        log.of("BindMFADevice refused password_wrong", core.start_own_binding(actor, "wrong".into(), origin())).await;
        log.of("CreateVirtualMFADevice success", core.start_own_binding(actor, alice.secret(), origin())).await;
        let phone = Phone::scan(&core.own_binding(actor).await.unwrap());
        log.of(
            "BindMFADevice refused code_wrong",
            core.confirm_own_binding(actor, one_code(phone.wrong_code(&kit)), origin()),
        )
        .await;
        let token = log
            .of("BindMFADevice success", core.confirm_own_binding(actor, one_code(phone.code(&kit)), origin()))
            .await
            .unwrap();
        log.of("BindMFADevice refused NotLoggedOn", core.confirm_own_binding(actor, TypedCodes::default(), origin()))
            .await;
        let visitor = kit.visitor(token).await;
        kit.next_step();
        log.of("UnbindMFADevice refused code_wrong", core.unbind_own(&visitor.actor, phone.wrong_code(&kit), origin()))
            .await;
        log.of("UnbindMFADevice refused code_malformed", core.unbind_own(&visitor.actor, String::new(), origin()))
            .await;
        let token = log
            .of("UnbindMFADevice success", core.unbind_own(&visitor.actor, phone.code(&kit), origin()))
            .await
            .unwrap();
        let visitor = kit.visitor(token).await;
        log.of(
            "UnbindMFADevice refused EntityNotExist.User.MFADevice",
            core.unbind_own(&visitor.actor, String::new(), origin()),
        )
        .await;
        log.of("ChangePassword success", core.change_own_password(&visitor.actor, alice.secret(), new(), origin()))
            .await;
    }

    async fn every_step_of_a_logon_that_fails_or_changes_something_leaves_one_event(kit: Kit) {
        let acme = kit.account("acme").await;
        let due = LoginChange { reset_required: true, ..login_with_mfa() };
        let alice = kit.ram_user_with(&acme, "alice", Some(due)).await;
        let core = kit.core();
        let log = Log { kit: &kit, account: &acme, name: "alice@acme" };
        log.of("ConsoleSignin refused password_wrong", kit.log_on_as(&alice.logon_name, "wrong")).await;
        let token = kit.waiting(&alice, LogonState::ChoosePassword).await;
        log.of(
            "ConsoleSignin refused InvalidParameter.Password.TooWeak",
            core.logon_with_new_password(&token, "weak".into(), origin()),
        )
        .await;
        log.of(
            "ConsoleSignin refused InvalidParameter.NewPassword.ReusePrevention",
            core.logon_with_new_password(&token, alice.secret(), origin()),
        )
        .await;
        let step = log
            .of(
                "ChangePassword success at_logon",
                core.logon_with_new_password(&token, "another long phrase".into(), origin()),
            )
            .await;
        let Some(LogonStep::Ask { token, .. }) = step else { panic!("{step:?}") };
        log.of(
            "ConsoleSignin refused no_pending_device",
            core.confirm_logon_binding(&token, TypedCodes::default(), origin()),
        )
        .await;
        log.of("CreateVirtualMFADevice success at_logon", core.start_logon_binding(&token, origin())).await;
        let phone = Phone::scan(&core.logon_binding(&token).await.unwrap());
        log.of(
            "ConsoleSignin refused code_wrong",
            core.confirm_logon_binding(&token, one_code(phone.wrong_code(&kit)), origin()),
        )
        .await;
        let bound = core.confirm_logon_binding(&token, one_code(phone.code(&kit)), origin());
        let (bound, told) = kit.told(&acme.id, bound).await;
        kit.opened(bound.unwrap()).await;
        assert_eq!(
            told,
            ["alice@acme BindMFADevice success at_logon", "alice@acme ConsoleSignin success password+virtual-mfa"]
        );
        kit.next_step();
        let alice = countersign_testkit::Person { password: "another long phrase".to_owned(), ..alice };
        let token = kit.waiting(&alice, LogonState::SecondFactor).await;
        log.of("ConsoleSignin refused code_wrong", core.logon_with_code(&token, phone.wrong_code(&kit), origin()))
            .await;
        log.of("ConsoleSignin success password+virtual-mfa", core.logon_with_code(&token, phone.code(&kit), origin()))
            .await;
    }

    async fn an_event_tells_who_on_whom_when_and_from_where(kit: Kit) {
        let acme = kit.account("acme").await;
        let owner = kit.owner_session(&acme).await.actor;
        let from = Origin::new("2001:db8::7".to_owned(), &format!("Browser\r\n\0 {}", "x".repeat(1_000)));
        kit.core().create_user(&owner, facts("alice"), None, &from).await.unwrap();
        let event = kit.events(&acme.id).await.pop().unwrap();
        assert_eq!((event.actor.kind, event.outcome), (ActorKind::Owner, Outcome::Success));
        assert_eq!(event.actor.id, owner.principal_id().as_str());
        assert_eq!(event.address, "2001:db8::7");
        assert!(event.user_agent.starts_with("Browser xxx") && event.user_agent.len() == 256);
        assert!(event.at > countersign_testkit::ManualClock::START);
        assert_eq!(event.account_id, acme.id);
        let refused = kit.log_on_as(&acme.owner.logon_name, "wrong").await;
        assert!(refused.is_err());
        let event = kit.events(&acme.id).await.pop().unwrap();
        assert_eq!((event.actor.kind, event.outcome), (ActorKind::Logon, Outcome::Refused));
    }

    async fn strangers_are_counted_by_address_and_minute(kit: Kit) {
        let acme = kit.account("acme").await;
        let nobody = countersign_testkit::people::ram_user_name("nobody", "acme");
        let before = kit.events(&acme.id).await.len();
        for _ in 0..30 {
            assert!(kit.log_on_as(&nobody, "wrong").await.is_err());
        }
        assert_eq!(kit.events(&acme.id).await.len(), before);
        assert_eq!(kit.refusals_of_strangers().await, 30);
        assert_eq!(kit.count("anonymous_refusals").await, 1);
        kit.advance(Duration::from_mins(2));
        assert!(kit.log_on_as(&nobody, "wrong").await.is_err());
        assert_eq!(kit.count("anonymous_refusals").await, 2);
        kit.advance(Duration::from_hours(24 * 91));
        kit.core().sweep().await.unwrap();
        assert_eq!(kit.count("anonymous_refusals").await, 0);
    }

    async fn a_fault_leaves_no_event_and_changes_nothing(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let token = kit.waiting(&alice, LogonState::SecondFactor).await;
        kit.sql("UPDATE virtual_mfa SET drift = 99", &[]).await;
        let budget = kit.int("SELECT failures FROM budgets WHERE kind = 'virtual-mfa'", &[]).await;
        let finish = kit.core().logon_with_code(&token, phone.code(&kit), origin());
        let (fault, told) = kit.told(&acme.id, finish).await;
        assert!(matches!(fault, Err(Error::Fault(_))), "{fault:?}");
        assert!(told.is_empty(), "{told:?}");
        assert_eq!(kit.int("SELECT failures FROM budgets WHERE kind = 'virtual-mfa'", &[]).await, budget);
    }
}

/// Checks what an actor's deeds leave in the log of an account.
struct Log<'a> {
    kit: &'a Kit,
    account: &'a Account,
    name: &'a str,
}

impl Log<'_> {
    /// Does something, which leaves this event and no other; what came of it, if it was done.
    #[track_caller]
    fn of<T>(&self, expected: &str, doing: impl Future<Output = Result<T, Error>>) -> impl Future<Output = Option<T>> {
        let caller = std::panic::Location::caller();
        let expected = format!("{} {expected}", self.name);
        async move {
            let (result, told) = self.kit.told(&self.account.id, doing).await;
            assert_eq!(told, [expected], "{caller}");
            result.ok()
        }
    }

    /// Does something which leaves no event.
    async fn silent<T: std::fmt::Debug>(&self, doing: impl Future<Output = Result<T, Error>>) {
        let (result, told) = self.kit.told(&self.account.id, doing).await;
        assert!(result.is_ok() && told.is_empty(), "{result:?} {told:?}");
    }
}

fn all() -> UsersQuery {
    UsersQuery { search: String::new(), mfa: MfaFilter::Any, offset: 0, limit: 10 }
}
