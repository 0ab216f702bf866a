//! Lists of RAM users.

use countersign_model::budget::BudgetKind;
use countersign_model::principal::{Account, ConsoleLogon, LoginProfile, Principal, SystemPolicy};
use countersign_store::mfa_check::{self, CheckQuery, CheckResult, CheckSummary};
use countersign_store::users::{self, MfaFilter, Posture, UserLine, UserQuery};
use countersign_store::{Store, attachments, login_profiles, principals};

use crate::of_budgets::book;
use crate::of_login_profiles::new_profile;
use crate::of_virtual_mfa::bind;
use crate::{NOON, account, new_owner, new_user, second, user};

pub(crate) async fn cases(store: &Store) {
    let house = account(store, "users-1").await;
    let empty = account(store, "users-2").await;
    user(store, &account(store, "users-3").await, "stranger").await;
    let owner = new_owner(&house, "owner@users-1.example");
    assert!(change!(store, |tx, owner| principals::insert(tx, &owner)));
    fill(store, &house).await;
    lists_are_searched_filtered_and_paged(store, &house, &empty).await;
    a_line_tells_all_of_a_user(store, &house).await;
    posture_and_administrators_are_counted(store, &house, &empty).await;
    everybody_with_a_console_password_is_checked(store, &house, &empty).await;
}

/// Six users: bound; required; without profile; an administrator of both kinds; one whose names are awkward; a locked one.
async fn fill(store: &Store, house: &Account) {
    let enabled = LoginProfile { console_logon: ConsoleLogon::Enabled, ..new_profile(Some("x")) };
    let required = LoginProfile { mfa_bind_required: true, ..enabled.clone() };
    let off = LoginProfile { mfa_bind_required: true, ..new_profile(None) };
    let profiles = [
        ("alice", Some(enabled.clone())),
        ("bob", Some(required)),
        ("carol", None),
        ("Dave_1", Some(enabled)),
        ("eve", Some(off)),
    ];
    for (name, profile) in profiles {
        let stored = user(store, house, name).await;
        let (account_id, id) = (house.id.clone(), stored.id.clone());
        if let Some(profile) = profile {
            change!(store, |tx, account_id, id, profile| login_profiles::put(tx, &account_id, &id, &profile));
        }
        match name {
            "alice" => {
                let device = bind(store, &stored, 1).await;
                for _ in 0..5 {
                    book(store, &account_id, id.as_str(), BudgetKind::Password).await.unwrap();
                }
                book(store, &account_id, device.as_str(), BudgetKind::VirtualMfa).await.unwrap();
                change!(store, |tx, account_id, id| principals::mark_logon(
                    tx,
                    &account_id,
                    &id,
                    ("", "en"),
                    NOON.plus(second(3))
                ));
            }
            "Dave_1" => {
                for policy in [SystemPolicy::AliyunRamFullAccess, SystemPolicy::AdministratorAccess] {
                    change!(store, |tx, account_id, id| attachments::attach_to_user(
                        tx,
                        &account_id,
                        &id,
                        &policy.into(),
                        NOON
                    ));
                }
            }
            _ => {}
        }
    }
    let awkward = Principal { display_name: "Zoë 100% !_\\ ÄÖ 双".parse().unwrap(), ..new_user(house, "zz-top") };
    assert!(change!(store, |tx, awkward| principals::insert(tx, &awkward)));
}

async fn lists_are_searched_filtered_and_paged(store: &Store, house: &Account, empty: &Account) {
    let all = ["alice", "bob", "carol", "Dave_1", "eve", "zz-top"];
    let cases: &[(&str, MfaFilter, &[&str])] = &[
        ("", MfaFilter::Any, &all),
        ("  ", MfaFilter::Any, &all),
        ("A", MfaFilter::Any, &["alice", "carol", "Dave_1"]),
        ("zoë", MfaFilter::Any, &["zz-top"]),
        ("äö", MfaFilter::Any, &["zz-top"]),
        ("双", MfaFilter::Any, &["zz-top"]),
        ("%", MfaFilter::Any, &["zz-top"]),
        ("_", MfaFilter::Any, &["Dave_1", "zz-top"]),
        ("!", MfaFilter::Any, &["zz-top"]),
        ("\\", MfaFilter::Any, &["zz-top"]),
        ("stranger", MfaFilter::Any, &[]),
        ("owner", MfaFilter::Any, &[]),
        ("' OR 1=1 --", MfaFilter::Any, &[]),
        ("", MfaFilter::Bound, &["alice"]),
        ("", MfaFilter::NotAttached, &["bob", "carol", "Dave_1", "eve", "zz-top"]),
        ("", MfaFilter::RequiredUnbound, &["bob", "eve"]),
        ("o", MfaFilter::NotAttached, &["bob", "carol", "zz-top"]),
        ("o", MfaFilter::Bound, &[]),
        ("b", MfaFilter::RequiredUnbound, &["bob"]),
    ];
    for (search, mfa, expected) in cases {
        let (lines, total) = list(store, house, search, *mfa, (0, 100)).await;
        assert_eq!(names(&lines), *expected, "{search:?} {mfa:?}");
        assert_eq!(total, i64::try_from(expected.len()).unwrap(), "{search:?} {mfa:?}");
    }
    let (lines, total) = list(store, house, "", MfaFilter::Any, (4, 3)).await;
    assert_eq!((names(&lines), total), (vec!["eve", "zz-top"], 6));
    let (lines, total) = list(store, house, "", MfaFilter::NotAttached, (1, 1)).await;
    assert_eq!((names(&lines), total), (vec!["carol"], 5));
    let (lines, total) = list(store, empty, "", MfaFilter::Any, (0, 10)).await;
    assert!(lines.is_empty() && total == 0);
}

async fn a_line_tells_all_of_a_user(store: &Store, house: &Account) {
    let (lines, _) = list(store, house, "", MfaFilter::Any, (0, 100)).await;
    let line = |name: &str| lines.iter().find(|line| line.name == name).unwrap();
    let alice = line("alice");
    assert_eq!((alice.console_logon, alice.mfa_bound, alice.mfa_required), (Some(ConsoleLogon::Enabled), true, false));
    assert_eq!((alice.password_budget.failures, alice.device_budget.failures), (5, 1));
    assert_eq!(alice.password_budget.blocked_until, NOON.plus(second(30)));
    assert_eq!((alice.created_at, alice.last_logon_at), (NOON, Some(NOON.plus(second(3)))));
    let carol = line("carol");
    assert_eq!((carol.console_logon, carol.mfa_required, carol.last_logon_at), (None, false, None));
    assert_eq!((carol.administrator_by, carol.password_budget.failures), (None, 0));
    assert_eq!(line("Dave_1").administrator_by, Some(SystemPolicy::AdministratorAccess));
    assert_eq!((line("eve").console_logon, line("eve").mfa_required), (Some(ConsoleLogon::Disabled), true));
    assert_eq!(line("zz-top").display_name, "Zoë 100% !_\\ ÄÖ 双");
}

async fn posture_and_administrators_are_counted(store: &Store, house: &Account, empty: &Account) {
    let (account_id, other) = (house.id.clone(), empty.id.clone());
    let posture = look!(store, |tx, account_id| users::posture(tx, &account_id));
    let expected = Posture { users: 6, console_users: 3, protected: 1, required_unbound: 1, never_logged_on: 2 };
    assert_eq!(posture, expected);
    let none = Posture { users: 0, console_users: 0, protected: 0, required_unbound: 0, never_logged_on: 0 };
    assert_eq!(look!(store, |tx, other| users::posture(tx, &other)), none);
    let administrators = look!(store, |tx, account_id| users::administrators(tx, &account_id, 10));
    let administrators: Vec<_> = administrators.iter().map(|line| (line.name.as_str(), line.mfa_bound)).collect();
    assert_eq!(administrators, [("Dave_1", false)]);
    assert!(look!(store, |tx, other| users::administrators(tx, &other, 10)).is_empty());
}

async fn list(
    store: &Store,
    account: &Account,
    search: &str,
    mfa: MfaFilter,
    (offset, limit): (i64, i64),
) -> (Vec<UserLine>, i64) {
    let query = UserQuery { search: search.to_owned(), mfa, offset, limit };
    let account_id = account.id.clone();
    look!(store, |tx, account_id, query| users::list(tx, &account_id, &query))
}

fn names(lines: &[UserLine]) -> Vec<&str> {
    lines.iter().map(|line| line.name.as_str()).collect()
}

async fn everybody_with_a_console_password_is_checked(store: &Store, house: &Account, empty: &Account) {
    let account_id = house.id.clone();
    let list = async |search: &str, result: Option<CheckResult>, (offset, limit): (i64, i64)| {
        let query = CheckQuery { search: search.to_owned(), result, offset, limit };
        let account_id = account_id.clone();
        let (users, total) = look!(store, |tx, account_id, query| mfa_check::list(tx, &account_id, &query));
        (users.iter().map(|user| user.name.clone()).collect::<Vec<_>>(), total)
    };
    let all = list("", None, (0, 10)).await;
    let (mut sum, by_result) = (0, [CheckResult::Passed, CheckResult::Failed, CheckResult::OutOfScope]);
    for result in by_result {
        sum += list("", Some(result), (0, 10)).await.1;
    }
    assert_eq!(sum, all.1, "each has one result");
    assert_eq!(list("", Some(CheckResult::Passed), (0, 10)).await, (vec!["alice".to_owned()], 1));
    let failed = list("", Some(CheckResult::Failed), (0, 10)).await;
    assert_eq!(failed, (vec!["bob".to_owned(), "Dave_1".to_owned()], 2));
    assert_eq!(list("", Some(CheckResult::Failed), (1, 1)).await, (vec!["Dave_1".to_owned()], 2));
    assert_eq!(list("_1", Some(CheckResult::Failed), (0, 10)).await, (vec!["Dave_1".to_owned()], 1));
    let out = list("", Some(CheckResult::OutOfScope), (0, 10)).await.0;
    assert!(out.contains(&"carol".to_owned()) && out.contains(&"eve".to_owned()), "{out:?}");
    let summary = look!(store, |tx, account_id| mfa_check::summary(tx, &account_id));
    assert_eq!(summary, CheckSummary { users: all.1, in_scope: 3, passed: 1 });
    let other = empty.id.clone();
    let none = CheckSummary { users: 0, in_scope: 0, passed: 0 };
    assert_eq!(look!(store, |tx, other| mfa_check::summary(tx, &other)), none);
}
