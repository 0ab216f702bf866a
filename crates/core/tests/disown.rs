//! "This was not me": who may say it, how often, and what it ends; and the findings that come of it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use countersign_core::findings::Which;
use countersign_core::logon::LogonStep;
use countersign_core::{Countersign, Refusal};
use countersign_model::logon::LogonState;
use countersign_model::notice::FindingKind;
use countersign_model::notice::NoticeKind;
use countersign_store::params;
use countersign_testkit::people::expose;
use countersign_testkit::{Account, Kit, Visitor, both_engines, origin, reason, refusal};
use std::time::Duration;

both_engines! {
    async fn the_link_ends_all_that_was_opened_and_tells_the_administrators(kit: Kit) {
        let acme = kit.account("acme").await;
        let bystander = kit.ram_user(&acme, "bob").await;
        let bystander = kit.session(&bystander).await;
        let (here, phone) = kit.bound_owner(&acme).await;
        let there = kit.session_with(&acme.owner, &phone).await;
        let waiting = kit.waiting(&acme.owner, LogonState::SecondFactor).await;
        remember(&kit).await;
        let link = link(&kit).await;
        let (notice, told) = kit.told(&acme.id, kit.core().disown_by_link(&link, origin())).await;
        notice.unwrap();
        assert_eq!(told, ["owner@acme.example DisownNotice success by_link"]);
        for Visitor { token, .. } in [&here, &there] {
            assert_eq!(refusal(kit.core().session(token).await), Refusal::NotLoggedOn);
        }
        assert_eq!(refusal(kit.core().logon(&waiting).await), Refusal::LogonOver);
        for table in ["remembered_machines", "machine_secrets", "known_networks", "proofs"] {
            assert_eq!(kit.count(table).await, 0, "{table}");
        }
        assert_eq!(kit.count("known_browsers").await, 1, "the bystander's");
        kit.core().session(&bystander.token).await.unwrap();
        let owner = kit.session_with(&acme.owner, &phone).await.actor;
        let found = kit.core().findings(&owner, Which::Open, (0, 10), origin()).await.unwrap();
        let [line] = found.lines.try_into().unwrap();
        assert_eq!((line.finding.kind, line.finding.principal_name.as_str()), (FindingKind::Disowned, "owner@acme.example"));
        assert!(line.finding.details.contains("kind=mfa-bound;from=192.0.2.7;"), "{}", line.finding.details);
    }

    /// Whoever got hold of a session shall not hold back keys that served for months.
    async fn a_notice_is_answered_within_seven_days_from_a_session_too(kit: Kit) {
        let acme = kit.account("acme").await;
        let (_, phone) = kit.bound_owner(&acme).await;
        kit.advance(Duration::from_hours(24 * 7));
        let actor = kit.session_with(&acme.owner, &phone).await.actor;
        let id = told(kit.core(), &actor, NoticeKind::MfaBound).await;
        assert_eq!(refusal(kit.core().disown(&actor, &id, origin()).await), Refusal::NoticeOver);
        let (notices, now) = (kit.core().own_notices(&actor).await.unwrap(), kit.core().now());
        let old = notices.iter().find(|notice| notice.kind == NoticeKind::MfaBound).unwrap();
        assert!(!old.may_be_disowned(now) && old.disowned_at.is_none());
    }

    /// What an intruder can have made goes: recovery codes, and the password that he chose.
    async fn what_can_be_taken_back_is_taken_back(kit: Kit) {
        let acme = kit.account("acme").await;
        let (visitor, phone) = kit.bound_owner(&acme).await;
        kit.sql(
            "INSERT INTO recovery_codes (account_id, principal_id, code_hash, created_at) \
             SELECT account_id, principal_id, $1, 1 FROM principals WHERE kind = 'owner'",
            params![[7_u8; 32]],
        )
        .await;
        let core = kit.core();
        let actor = visitor.actor;
        let since = "INSERT INTO recovery_codes (account_id, principal_id, code_hash, created_at) \
                     SELECT account_id, principal_id, $1, $2 FROM principals WHERE kind = 'owner'";
        kit.sql(since, params![[8_u8; 32], kit.core().now()]).await;
        kit.sql("UPDATE notices SET kind = 'password-changed' WHERE kind = 'mfa-bound'", &[]).await;
        let id = told(core, &actor, NoticeKind::PasswordChanged).await;
        core.disown(&actor, &id, origin()).await.unwrap();
        assert_eq!(kit.count("recovery_codes").await, 1, "those from before are not what this notice told of");
        kit.next_step();
        let token = kit.waiting(&acme.owner, LogonState::SecondFactor).await;
        let step = core.logon_with_code(&token, phone.code(&kit), origin()).await.unwrap();
        assert!(matches!(step, LogonStep::Ask { state: LogonState::ChoosePassword, .. }), "{step:?}");

        kit.sql("UPDATE notices SET kind = 'recovery-codes-made', disowned_at = NULL WHERE kind = 'password-changed'", &[]).await;
        kit.sql("UPDATE login_profiles SET password_reset_required = $1", params![false]).await;
        kit.next_step();
        let actor = kit.session_with(&acme.owner, &phone).await.actor;
        let id = told(core, &actor, NoticeKind::RecoveryCodesMade).await;
        core.disown(&actor, &id, origin()).await.unwrap();
        assert_eq!(kit.count("recovery_codes").await, 0);
        let details = kit.events(&acme.id).await.pop().unwrap().details;
        assert!(details.contains("kind=recovery-codes-made;"), "{details}");
    }

    async fn looking_at_the_link_changes_nothing(kit: Kit) {
        let acme = kit.account("acme").await;
        let (visitor, _) = kit.bound_owner(&acme).await;
        let link = link(&kit).await;
        let before = kit.dump_of("notices").await;
        for _ in 0..3 {
            kit.core().notice_of_link(&link).await.unwrap();
        }
        assert_eq!(kit.dump_of("notices").await, before);
        kit.core().session(&visitor.token).await.unwrap();
        assert_eq!(kit.count("findings").await, 0);
    }

    async fn attack_056_a_link_is_good_once(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.bound_owner(&acme).await;
        let link = link(&kit).await;
        let tasks: Vec<_> = (0..16)
            .map(|_| {
                let (core, link) = (kit.core().clone(), link.clone());
                tokio::spawn(async move { core.disown_by_link(&link, origin()).await.is_ok() })
            })
            .collect();
        let mut done = 0;
        for task in tasks {
            done += usize::from(task.await.unwrap());
        }
        assert_eq!((done, kit.count("findings").await), (1, 1));
        assert_eq!(reason(kit.core().disown_by_link(&link, origin()).await), "link_used");
        assert_eq!(reason(kit.core().notice_of_link(&link).await), "link_used");
    }

    async fn attack_056_a_link_is_good_for_seven_days(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.bound_owner(&acme).await;
        let link = link(&kit).await;
        kit.advance(Duration::from_hours(24 * 7 - 1));
        kit.core().notice_of_link(&link).await.unwrap();
        kit.advance(Duration::from_hours(1));
        assert_eq!(reason(kit.core().disown_by_link(&link, origin()).await), "link_expired");
        assert_eq!(kit.count("findings").await, 0);
    }

    async fn attack_056_forged_and_edited_links_do_nothing(kit: Kit) {
        let acme = kit.account("acme").await;
        let (visitor, phone) = kit.bound_owner(&acme).await;
        kit.core().unbind_own(&visitor.actor, phone.code(&kit), origin()).await.unwrap();
        let mails = kit.core().claim_notices(10).await.unwrap();
        let [one, other] = mails.try_into().unwrap();
        let (one, other) = (expose(&one.notice.disown_token), expose(&other.notice.disown_token));
        let (id, mac) = one.split_once('.').unwrap();
        let (other_id, other_mac) = other.split_once('.').unwrap();
        let last = if mac.ends_with('0') { "1" } else { "0" };
        let forged = [
            String::new(),
            ".".to_owned(),
            id.to_owned(),
            format!("{id}."),
            format!("{id}.{}", "0".repeat(64)),
            format!("{id}.{}", mac.get(..63).unwrap()),
            format!("{id}.{}{last}", mac.get(..63).unwrap()),
            format!("{id}.{mac}00"),
            format!("{id}.{}", mac.to_uppercase()),
            format!("{id}.{mac} "),
            format!("{id}.{other_mac}"),
            format!("{other_id}.{mac}"),
            format!("{}.{mac}", "0".repeat(32)),
            format!("' OR 1=1.{mac}"),
        ];
        let strangers = kit.refusals_of_strangers().await;
        for link in &forged {
            assert_eq!(refusal(kit.core().notice_of_link(link).await), Refusal::NoticeOver, "{link}");
            assert_eq!(refusal(kit.core().disown_by_link(link, origin()).await), Refusal::NoticeOver, "{link}");
        }
        assert_eq!(kit.refusals_of_strangers().await - strangers, i64::try_from(forged.len()).unwrap());
        assert_eq!(kit.count("findings").await, 0);
        kit.core().disown_by_link(&one, origin()).await.unwrap();
    }

    async fn attack_056_a_row_moved_to_another_principal_has_another_link(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.ram_user(&acme, "alice").await;
        kit.bound_owner(&acme).await;
        let link = link(&kit).await;
        kit.sql("UPDATE notices SET principal_id = (SELECT principal_id FROM principals WHERE name = 'alice')", &[]).await;
        assert_eq!(reason(kit.core().disown_by_link(&link, origin()).await), "link_forged");
    }

    async fn a_session_disowns_its_own_notices_only_and_ends(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let (owner, _) = kit.bound_owner(&acme).await;
        let visitor = kit.session_with(&alice, &phone).await;
        let foreign = kit.core().own_notices(&owner.actor).await.unwrap().remove(0);
        let disown = async |id: &str| kit.core().disown(&visitor.actor, id, origin()).await;
        assert_eq!(refusal(disown(foreign.id.as_str()).await), Refusal::NoticeOver);
        assert_eq!(refusal(disown("nothing").await), Refusal::NoticeOver);
        assert_eq!(kit.count("findings").await, 0);
        let own = kit.core().own_notices(&visitor.actor).await.unwrap().remove(0);
        let (done, told) = kit.told(&acme.id, disown(own.id.as_str())).await;
        done.unwrap();
        assert_eq!(told, ["alice DisownNotice success"]);
        assert_eq!(refusal(kit.core().session(&visitor.token).await), Refusal::NotLoggedOn);
        assert_eq!(refusal(disown(own.id.as_str()).await), Refusal::NotLoggedOn);
        kit.core().session(&owner.token).await.unwrap();
        assert_eq!(kit.count("findings").await, 1);
    }

    async fn findings_are_settled_once_by_administrators(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.bound_owner(&acme).await;
        let link = link(&kit).await;
        kit.core().disown_by_link(&link, origin()).await.unwrap();
        kit.sql("DELETE FROM virtual_mfa", &[]).await;
        let owner = kit.owner_session(&acme).await.actor;
        let plain = kit.ram_user(&acme, "alice").await;
        let alice = kit.session(&plain).await.actor;
        let other = other_owner(&kit).await;
        let core = kit.core();
        let id = core.findings(&owner, Which::Open, (0, 10), origin()).await.unwrap().lines.remove(0).finding.id;

        assert_eq!(refusal(core.findings(&alice, Which::Open, (0, 10), origin()).await), Refusal::NoPermission);
        assert_eq!(refusal(settle(core, &alice, id.as_str()).await), Refusal::NoPermission);
        assert_eq!(refusal(settle(core, &other, id.as_str()).await), Refusal::FindingNotFound);
        assert_eq!(core.findings(&other, Which::Open, (0, 10), origin()).await.unwrap().total, 0);
        assert_eq!(refusal(settle(core, &owner, "x").await), Refusal::FindingNotFound);
        let (settled, told) = kit.told(&acme.id, settle(core, &owner, id.as_str())).await;
        settled.unwrap();
        assert_eq!(told, ["owner@acme.example SettleFinding success"]);
        assert_eq!(refusal(settle(core, &owner, id.as_str()).await), Refusal::FindingNotFound);
        let page = core.findings(&owner, Which::Settled, (0, 10), origin()).await.unwrap();
        assert_eq!((page.total, page.open), (1, 0));
        let event = kit.events(&acme.id).await.into_iter().rev().find(|event| event.action == "SettleFinding" && event.reason.is_empty());
        assert!(event.unwrap().details.contains("kind=disowned;about=owner@acme.example;"));
    }
}

/// The id of the latest notice of a kind.
async fn told(core: &Countersign, actor: &countersign_core::SessionActor, kind: NoticeKind) -> String {
    let notices = core.own_notices(actor).await.unwrap();
    notices.into_iter().find(|notice| notice.kind == kind).unwrap().id.to_string()
}

async fn settle(
    core: &Countersign,
    actor: &countersign_core::SessionActor,
    id: &str,
) -> Result<(), countersign_core::Error> {
    core.settle_finding(actor, id, origin()).await
}

async fn other_owner(kit: &Kit) -> countersign_core::SessionActor {
    let other: Account = kit.account("other").await;
    kit.owner_session(&other).await.actor
}

/// The link in the only mail that waits, but for those of logons from new machines.
async fn link(kit: &Kit) -> String {
    let mut mails = kit.core().claim_notices(10).await.unwrap();
    mails.retain(|mail| mail.notice.kind != NoticeKind::NewMachine);
    let [mail] = mails.try_into().unwrap();
    expose(&mail.notice.disown_token)
}

/// What logons leave behind in browsers, for the owner.
async fn remember(kit: &Kit) {
    let who = "SELECT account_id, principal_id FROM principals WHERE kind = 'owner'";
    let of_owner = |sql: String| -> &'static str { Box::leak(sql.into_boxed_str()) };
    let blob = match kit.engine() {
        countersign_testkit::Engine::Sqlite => "x'0102'",
        countersign_testkit::Engine::Postgres => "'\\x0102'::bytea",
    };
    for sql in [
        format!(
            "INSERT INTO remembered_machines (account_id, machine_id, principal_id, principal_epoch, account_epoch, \
             created_at, expires_at, last_used_at, address, user_agent) \
             SELECT account_id, 'm', principal_id, 1, 1, 1, 2, 1, '', '' FROM ({who}) who"
        ),
        format!(
            "INSERT INTO machine_secrets (token_hash, account_id, machine_id) \
             SELECT {blob}, account_id, 'm' FROM ({who}) who"
        ),
        format!(
            "INSERT INTO known_browsers (token_hash, account_id, principal_id, browser_id, created_at, expires_at) \
             SELECT {blob}, account_id, principal_id, 'b', 1, 2 FROM ({who}) who"
        ),
        format!(
            "INSERT INTO known_networks (account_id, principal_id, network, last_mfa_at) \
             SELECT account_id, principal_id, '198.51.100.0/24', 1 FROM ({who}) who"
        ),
        format!(
            "INSERT INTO proofs (token_hash, account_id, principal_id, session_id, operation, arguments, expires_at) \
             SELECT {blob}, account_id, principal_id, 's', 'o', {blob}, 2 FROM ({who}) who"
        ),
    ] {
        assert_eq!(kit.sql(of_owner(sql), &[]).await, 1);
    }
}
