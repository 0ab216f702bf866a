use super::*;
use serde_json::{Value, json};

/// What RAM 2015-05-01 and IMS 2019-08-15 have of what Countersign writes into its log, as far as it has the action.
const OF_RAM: &[&str] = &[
    "AddUserToGroup",
    "AttachPolicyToGroup",
    "AttachPolicyToUser",
    "BindMFADevice",
    "ChangePassword",
    "ClearAccountAlias",
    "CreateAccessKey",
    "CreateGroup",
    "CreateLoginProfile",
    "CreatePolicy",
    "CreatePolicyVersion",
    "CreateUser",
    "CreateVirtualMFADevice",
    "DeleteAccessKey",
    "DeleteGroup",
    "DeleteLoginProfile",
    "DeletePasskey",
    "DeletePolicy",
    "DeletePolicyVersion",
    "DeleteUser",
    "DeleteVirtualMFADevice",
    "DetachPolicyFromGroup",
    "DetachPolicyFromUser",
    "DisableVirtualMFA",
    "GenerateCredentialReport",
    "GetAccessKeyLastUsed",
    "GetAccountAlias",
    "GetAccountMFAInfo",
    "GetAccountSecurityPracticeReport",
    "GetAccountSummary",
    "GetCredentialReport",
    "GetDefaultDomain",
    "GetGroup",
    "GetLoginProfile",
    "GetPasswordPolicy",
    "GetPolicy",
    "GetPolicyVersion",
    "GetSecurityPreference",
    "GetUser",
    "GetUserMFAInfo",
    "GetVerificationInfo",
    "ListAccessKeys",
    "ListEntitiesForPolicy",
    "ListGroups",
    "ListGroupsForUser",
    "ListPasskeys",
    "ListPolicies",
    "ListPoliciesForGroup",
    "ListPoliciesForUser",
    "ListPolicyVersions",
    "ListUserBasicInfos",
    "ListUsers",
    "ListUsersForGroup",
    "ListVirtualMFADevices",
    "RemoveUserFromGroup",
    "SetAccountAlias",
    "SetDefaultDomain",
    "SetDefaultPolicyVersion",
    "SetPasswordPolicy",
    "SetSecurityPreference",
    "SetVerificationInfo",
    "UnbindMFADevice",
    "UnbindVerification",
    "UpdateAccessKey",
    "UpdateGroup",
    "UpdateLoginProfile",
    "UpdatePasskey",
    "UpdatePolicyDescription",
    "UpdateUser",
];

/// What the cloud's log has of logons and of the Account Center.
const OF_THE_TRAIL: &[&str] = &["ConsoleSignin", "ConsoleSignout", "MFABind", "MFAUnbind", "PasswordModify"];

/// What is done in the console here and has no name in the cloud.
const OURS: &[Action] = &[
    Action::ViewOwnSecurity,
    Action::MakeOwnRecoveryCodes,
    Action::VerifyIdentity,
    Action::DisownNotice,
    Action::EndOwnSessions,
    Action::ViewAccount,
    Action::UnlockUser,
    Action::EndUserSessions,
    Action::ListFindings,
    Action::SettleFinding,
    Action::ListAudit,
    Action::ExportAudit,
    Action::ViewOwnHistory,
];

fn entry(actor_kind: ActorKind, action: &str) -> StoredEntry {
    StoredEntry {
        account_id: "1234567890123456".to_owned(),
        event_id: "an-event".to_owned(),
        at: 1_767_323_045_000_006,
        actor_kind: actor_kind.as_str().to_owned(),
        actor_id: "200000000000000001".to_owned(),
        actor_name: "alice".to_owned(),
        action: action.to_owned(),
        outcome: "success".to_owned(),
        address: "192.0.2.7".to_owned(),
        user_agent: "a program".to_owned(),
        ..StoredEntry::default()
    }
}

fn event(entry: &StoredEntry) -> Value {
    serde_json::to_value(TrailEvent::of(entry).unwrap()).unwrap()
}

#[test]
fn every_action_has_a_name() {
    for action in Action::ALL {
        // What the operator does is not in the export.
        if action.rule() == crate::authorise::Rule::Operator {
            continue;
        }
        for actor in [ActorKind::Owner, ActorKind::RamUser] {
            let name = event(&entry(actor, action.code()))["eventName"].as_str().unwrap().to_owned();
            let known = OF_RAM.contains(&name.as_str()) || OF_THE_TRAIL.contains(&name.as_str());
            assert_eq!(known, !OURS.contains(action), "{actor:?} {action:?} {name}");
            assert!(known || name == action.code());
        }
    }
}

#[test]
fn a_signed_call_is_an_event_of_the_product_that_was_called() {
    let details = "access_key=LTAI1;request=A-B;api=Ims;api_version=2019-08-15;parameter.UserPrincipalName=bob@acme;";
    let called = StoredEntry {
        target: "bob".to_owned(),
        details: details.to_owned(),
        ..entry(ActorKind::RamUser, "UpdateUser")
    };
    let expected = json!({
        "eventId": "an-event",
        "eventVersion": 1,
        "eventType": "ApiCall",
        "eventName": "UpdateUser",
        "eventSource": "ims.aliyuncs.com",
        "serviceName": "Ims",
        "apiVersion": "2019-08-15",
        "eventTime": "2026-01-02T03:04:05Z",
        "sourceIpAddress": "192.0.2.7",
        "userAgent": "a program",
        "userIdentity": {
            "type": "ram-user",
            "principalId": "200000000000000001",
            "accountId": "1234567890123456",
            "userName": "alice",
            "accessKeyId": "LTAI1",
        },
        "requestId": "A-B",
        "requestParameters": { "UserPrincipalName": "bob@acme" },
        "resourceName": "bob",
    });
    assert_eq!(event(&called), expected);
    let refused = StoredEntry {
        outcome: "refused".to_owned(),
        reason: "outranked".to_owned(),
        details: format!("{details}refusal=NoPermission;call=SetSomething;"),
        ..called
    };
    let told = event(&refused);
    assert_eq!(told["errorCode"], "NoPermission");
    assert_eq!(told["errorMessage"], "You are not authorized to do this action.");
    assert_eq!(told["eventName"], "SetSomething", "as it was asked for");
}

#[test]
fn logons_of_owners_and_users_tell_whether_a_factor_was_shown() {
    let owner = StoredEntry {
        actor_name: "owner@acme.example".to_owned(),
        reason: "password+virtual-mfa".to_owned(),
        ..entry(ActorKind::Owner, SIGN_IN)
    };
    let told = event(&owner);
    assert_eq!((&told["eventType"], &told["serviceName"]), (&"ConsoleSignin".into(), &"AasCustomer".into()));
    let identity = json!({
        "type": "root-account",
        "principalId": "1234567890123456",
        "accountId": "1234567890123456",
        "userName": "root",
    });
    assert_eq!(told["userIdentity"], identity);
    let data = json!({ "loginAccount": "owner@acme.example", "isMFAChecked": "true" });
    assert_eq!(told["additionalEventData"], data);
    for (reason, checked) in [
        ("password", "false"),
        ("password+virtual-mfa", "true"),
        ("password+recovery-code", "true"),
        ("password+remembered-machine", "false"),
    ] {
        let user = StoredEntry {
            actor_name: "alice@acme".to_owned(),
            reason: reason.to_owned(),
            ..entry(ActorKind::RamUser, SIGN_IN)
        };
        let told = event(&user);
        assert_eq!(told["additionalEventData"], json!({ "mfaChecked": checked }));
        assert_eq!((&told["serviceName"], &told["eventSource"]), (&"AasSub".into(), &"signin.aliyun.com".into()));
        assert_eq!(told["userIdentity"]["userName"], "alice");
        assert_eq!(told.get("requestId"), None);
    }
    let refused = StoredEntry {
        actor_name: "alice@acme".to_owned(),
        outcome: "refused".to_owned(),
        reason: "code_wrong".to_owned(),
        details: "as=ram-user;refusal=CheckAuthenticationCodeFail;".to_owned(),
        ..entry(ActorKind::Logon, SIGN_IN)
    };
    let told = event(&refused);
    assert_eq!(
        (&told["errorCode"], &told["errorMessage"]),
        (&"CheckAuthenticationCodeFail".into(), &"code_wrong".into())
    );
    assert_eq!(told["additionalEventData"], json!({ "mfaChecked": "false" }));
    assert_eq!(told["userIdentity"]["type"], "ram-user");
}

#[test]
fn what_is_done_by_the_pages_tells_what_its_session_is_worth() {
    let details = "mfa=yes;".to_owned();
    let own = StoredEntry { details, ..entry(ActorKind::Owner, "UnbindMFADevice") };
    let told = event(&own);
    assert_eq!((&told["eventType"], &told["eventName"]), (&"ConsoleOperation".into(), &"MFAUnbind".into()));
    assert_eq!(told["userIdentity"]["sessionContext"], json!({ "attributes": { "mfaAuthenticated": "true" } }));
    let of_user = StoredEntry { target: "alice".to_owned(), ..own };
    let told = event(&of_user);
    assert_eq!((&told["eventName"], &told["serviceName"]), (&"UnbindMFADevice".into(), &"Ram".into()));
    assert_eq!(event(&entry(ActorKind::RamUser, "ConsoleSignout"))["eventType"], "ConsoleSignout");
}

#[test]
fn what_nobody_of_the_account_did_is_no_event() {
    for actor in [ActorKind::Operator, ActorKind::System, ActorKind::Anonymous] {
        assert_eq!(TrailEvent::of(&entry(actor, "UnlockUser")), None, "{actor:?}");
    }
    assert_eq!(TrailEvent::of(&StoredEntry::default()), None, "nor what is no entry at all");
}

#[test]
fn no_text_ends_where_it_should_not() {
    let strange = "x\u{7}=1;access_key=LTAI2;refusal=OK";
    let call = crate::SignedCall {
        request_id: "A-B".to_owned(),
        service: ApiService::Ram,
        version: "2015-05-01",
        action: "GetUser".to_owned(),
        parameters: vec![("UserName", strange.to_owned())],
    };
    let origin = crate::Origin { call: Some(Box::new(call)), ..crate::Origin::default() };
    let details = origin.details("GetUser");
    assert_eq!(Told(&details).value("access_key"), None);
    assert_eq!(Told(&details).parameters(), BTreeMap::from([("UserName", "x=1,access_key=LTAI2,refusal=OK")]));
    assert_eq!(Told(&origin.details("ListUsers")).value("call"), Some("GetUser"));
}
