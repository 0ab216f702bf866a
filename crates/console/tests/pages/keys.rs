//! Security keys and passkeys: binding in two steps, logging on, proving oneself, managing, as a browser does it. What core
//! decides is tested there.

use super::{logged_on, owner, past_password};
use countersign_core::settings::SettingsChange;
use countersign_model::settings::{MfaDeviceTypes, MfaForLogon};
use countersign_model::webauthn::KeyKind;
use countersign_testkit::http::{Browser, Page};
use countersign_testkit::people::{OWNER_PASSWORD, USER_PASSWORD, login_with_mfa};
use countersign_testkit::{Account, Kit, Person, SoftKey, both_engines, origin};
use http::StatusCode;

const OWN_KEYS: &str = "/me/security/security-keys";
const OWN_PASSKEYS: &str = "/me/security/passkeys";

/// What a page or an answer for its script asks the browser.
fn options(page: &Page) -> String {
    if page.header("content-type") == Some("application/json") {
        return page.body.clone();
    }
    let after = page.body.split("data-options=\"").nth(1).unwrap_or_else(|| panic!("{}", page.text()));
    after.split('"').next().unwrap().replace("&#34;", "\"").replace("&quot;", "\"").replace("&#38;", "&")
}

/// Gives the proof that a page asks for, in a field or by a key.
async fn verify(browser: &mut Browser, asked: &Page, proof: (&str, &str)) -> Page {
    assert_eq!(asked.status, StatusCode::UNAUTHORIZED, "{}", asked.text());
    let (request, form) = (asked.value_of("verify_request").unwrap(), asked.value_of("verify_form").unwrap());
    let path = asked.path.clone();
    browser.post(&path, &[("verify_request", &request), ("verify_form", &form), proof]).await
}

/// Binds a key on the pages at `list`, proved by a password; the page that comes then.
async fn bind(browser: &mut Browser, list: &str, key: &mut SoftKey, name: &str) -> Page {
    let at = format!("{list}/bind");
    let asked = browser.post(&at, &[("do", "begin")]).await;
    let password = if list.starts_with("/me") { USER_PASSWORD } else { OWNER_PASSWORD };
    let prompt = verify(browser, &asked, ("verify_proof", password)).await;
    let response = key.create(&options(&prompt));
    browser.submit(&at, &[("do", "finish"), ("response", &response), ("key_name", name)]).await
}

/// A RAM user who has bound a key on his own pages; logged off again.
async fn keyed(kit: &Kit, acme: &Account, name: &str, list: &str, key: &mut SoftKey) -> Person {
    let person = kit.ram_user(acme, name).await;
    let mut browser = logged_on(kit, &person).await;
    let done = bind(&mut browser, list, key, "").await;
    assert!(done.text().contains("is bound"), "{}", done.text());
    person
}

/// Shows a key to a logon that waits for its second factor.
async fn show_key(browser: &mut Browser, key: &mut SoftKey) -> Page {
    let prompt = browser.post("/logon/second-factor/begin", &[]).await;
    key.count();
    let response = key.get(&options(&prompt));
    browser.post("/logon/second-factor", &[("with", "key"), ("response", &response)]).await
}

/// Logs on with a passkey and nothing else.
async fn show_passkey(browser: &mut Browser, key: &mut SoftKey) -> Page {
    let prompt = browser.post("/logon/passkey/begin", &[]).await;
    key.count();
    let response = key.get(&options(&prompt));
    browser.post("/logon/passkey", &[("response", &response)]).await
}

fn has_session(browser: &Browser) -> bool {
    browser.cookie("countersign-session").is_some()
}

/// The id of the only key on a page.
fn key_on(page: &Page) -> String {
    let after = page.body.split("ask=rename&amp;key=").nth(1).unwrap_or_else(|| panic!("{}", page.text()));
    after.split('"').next().unwrap().to_owned()
}

both_engines! {
    async fn c20_to_c24_a_security_key_is_bound_after_its_limits_and_confirmed(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let mut browser = logged_on(&kit, &alice).await;
        let none = browser.open(OWN_KEYS).await;
        assert!(none.text().contains("No security key") && none.text().contains("Enable U2F Security Key"));
        let limits = browser.open(&format!("{OWN_KEYS}/bind")).await;
        for limit in ["Chrome, Edge, Firefox or Safari", "FIDO U2F", "http://localhost:8080", "https", "one type of MFA"] {
            assert!(limits.text().contains(limit), "{limit}: {}", limits.text());
        }
        assert!(!limits.has("data-options"), "nothing is asked before");

        let asked = browser.post(&format!("{OWN_KEYS}/bind"), &[("do", "begin")]).await;
        let prompt = verify(&mut browser, &asked, ("verify_proof", USER_PASSWORD)).await;
        let text = prompt.text();
        for step in ["Plug the key into a USB port", "Touch the key", "The security key was obtained", "Confirm Bind"] {
            assert!(text.contains(step), "{step}: {text}");
        }
        assert!(prompt.has("need JavaScript"), "without script the page says what is missing");
        let mut key = SoftKey::u2f();
        let response = key.create(&options(&prompt));
        assert_eq!(kit.count("webauthn_credentials").await, 0, "it waits for Confirm Bind");
        let fields = [("do", "finish"), ("response", response.as_str()), ("key_name", "Blue key")];
        let done = browser.submit(&format!("{OWN_KEYS}/bind"), &fields).await;
        assert!(done.text().contains("The security key is bound") && done.text().contains("Make recovery codes"));
        let listed = browser.open(OWN_KEYS).await;
        assert!(listed.text().contains("Blue key") && listed.text().contains("Device-bound"), "{}", listed.text());
        assert!(listed.text().contains("Never"));
        // What was answered is used up.
        let again = browser.post(&format!("{OWN_KEYS}/bind"), &fields).await;
        assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(kit.count("webauthn_credentials").await, 1);
    }

    async fn d11_a_key_proves_and_a_name_that_is_taken_is_typed_again_for_the_same_key(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut first = SoftKey::passkey();
        let alice = kit.ram_user(&acme, "alice").await;
        let mut browser = logged_on(&kit, &alice).await;
        bind(&mut browser, OWN_PASSKEYS, &mut first, "Phone").await;
        // From now on the passkey proves that it is she, and nothing else does.
        let at = format!("{OWN_PASSKEYS}/bind");
        let asked = browser.post(&at, &[("do", "begin")]).await;
        assert!(asked.text().contains("Show one of the security keys or passkeys") && asked.value_of("verify_proof").is_none());
        first.bogus_signature = true;
        let wrong = first.get(&options(&asked));
        let refused = verify(&mut browser, &asked, ("response", &wrong)).await;
        assert!(refused.text().contains("This was not accepted"), "{}", refused.text());
        first.bogus_signature = false;
        assert_ne!(options(&refused), options(&asked), "another challenge for another try");
        let right = first.get(&options(&refused));
        let prompt = verify(&mut browser, &refused, ("response", &right)).await;
        let response = SoftKey::synced().create(&options(&prompt));
        let taken = browser.post(&at, &[("do", "finish"), ("response", &response), ("key_name", "phone")]).await;
        assert_eq!(taken.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(taken.text().contains("Another of the keys has this name"), "{}", taken.text());
        let kept = taken.value_of("response").unwrap();
        assert_eq!(kept, response);
        let done = browser.submit(&at, &[("do", "finish"), ("response", &kept), ("key_name", "Laptop")]).await;
        assert!(done.text().contains("The passkey is bound"), "{}", done.text());
        let listed = browser.open(OWN_PASSKEYS).await;
        assert!(listed.text().contains("Laptop Synced") && listed.text().contains("Phone Device-bound"), "{}", listed.text());
    }

    async fn d13_attack_073_078_089_a_security_key_is_the_second_factor_and_no_more(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut key = SoftKey::u2f();
        let alice = keyed(&kit, &acme, "alice", OWN_KEYS, &mut key).await;
        let (mut browser, page) = past_password(&kit, &alice).await;
        let page = browser.follow(page).await;
        assert!(page.text().contains("Security key Plug in your security key"), "{}", page.text());
        assert!(page.text().contains("Use a recovery code") && !page.has("?with=code"), "only what is bound is offered");
        key.bogus_signature = true;
        let refused = show_key(&mut browser, &mut key).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text().contains("This was not accepted") && !has_session(&browser), "{}", refused.text());
        key.bogus_signature = false;
        key.user_present = false;
        show_key(&mut browser, &mut key).await;
        assert!(!has_session(&browser), "nobody has touched it");
        key.user_present = true;
        // An answer serves once, and for this logon.
        let prompt = browser.post("/logon/second-factor/begin", &[]).await;
        key.count();
        let response = key.get(&options(&prompt));
        let fields = [("with", "key"), ("response", response.as_str())];
        let (mut other, _) = past_password(&kit, &alice).await;
        let elsewhere = other.post("/logon/second-factor", &fields).await;
        assert!(elsewhere.text().contains("Begin again") && !has_session(&other), "{}", elsewhere.text());
        let open = browser.submit("/logon/second-factor", &fields).await;
        assert!(has_session(&browser), "{}", open.text());
        browser.post("/logoff", &[]).await;
        assert_eq!(past_password(&kit, &alice).await.1.location.as_deref(), Some("/logon/second-factor"));
        // In the place of name and password it logs nobody on.
        let mut stranger = kit.browser();
        let prompt = stranger.post("/logon/passkey/begin", &[]).await;
        key.count();
        let response = key.get_unasked(&options(&prompt));
        let refused = stranger.post("/logon/passkey", &[("response", &response)]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(!has_session(&stranger), "{}", refused.text());
    }

    async fn d03_attack_074_079_084_086_a_passkey_logs_on_without_a_password(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut key = SoftKey::passkey();
        keyed(&kit, &acme, "alice", OWN_PASSKEYS, &mut key).await;
        let first = kit.browser().open("/").await;
        assert!(first.has("autocomplete=\"username webauthn\"") && first.text().contains("Log on with a passkey"));
        let lies: [fn(&mut SoftKey); 7] = [
            |key| key.user_verified = false,
            |key| key.backed_up = true,
            |key| (key.backup_eligible, key.backed_up) = (true, true),
            |key| key.cross_origin = true,
            |key| "http://localhost:8081".clone_into(&mut key.origin),
            |key| key.user_handle = Some(vec![1; 64]),
            |key| key.bogus_signature = true,
        ];
        for lie in lies {
            let mut browser = kit.browser();
            lie(&mut key);
            let refused = show_passkey(&mut browser, &mut key).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text());
            assert!(refused.text().contains("does not log you on") && !has_session(&browser), "{}", refused.text());
            (key.user_verified, key.cross_origin, key.bogus_signature) = (true, false, false);
            (key.backup_eligible, key.backed_up, key.user_handle) = (false, false, None);
            "http://localhost:8080".clone_into(&mut key.origin);
        }
        let mut browser = kit.browser();
        let open = show_passkey(&mut browser, &mut key).await;
        assert!(open.status.is_redirection() && has_session(&browser), "{}", open.text());
        assert!(browser.cookie("countersign-passkey").is_none(), "its secret is used up");
        let who = browser.open("/me/security").await;
        assert!(who.text().contains("alice@acme"), "{}", who.text());
    }

    async fn attack_078_only_the_browser_that_was_asked_answers_and_only_once(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut key = SoftKey::passkey();
        keyed(&kit, &acme, "alice", OWN_PASSKEYS, &mut key).await;
        let (mut asked, mut thief) = (kit.browser(), kit.browser());
        let prompt = asked.post("/logon/passkey/begin", &[]).await;
        let response = key.get(&options(&prompt));
        thief.post("/logon/passkey/begin", &[]).await;
        for mut other in [thief, kit.browser()] {
            let refused = other.post("/logon/passkey", &[("response", &response)]).await;
            assert!(refused.text().contains("Begin again") && !has_session(&other), "{}", refused.text());
        }
        let again = asked.clone();
        asked.post("/logon/passkey", &[("response", &response)]).await;
        assert!(has_session(&asked));
        let mut again = again;
        again.post("/logon/passkey", &[("response", &response)]).await;
        assert!(!has_session(&again), "an answer serves once");
    }

    async fn attack_088_a_passkey_that_was_deleted_is_told_to_the_browser(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut key = SoftKey::passkey();
        let alice = kit.ram_user(&acme, "alice").await;
        let mut browser = logged_on(&kit, &alice).await;
        bind(&mut browser, OWN_PASSKEYS, &mut key, "Phone").await;
        let id = key_on(&browser.open(OWN_PASSKEYS).await);
        let asked = browser.open(&format!("{OWN_PASSKEYS}?ask=unbind&key={id}")).await;
        assert!(asked.text().contains("Delete this passkey?") && asked.text().contains("recovery codes are deleted"));
        let proof = browser.post(OWN_PASSKEYS, &[("do", "unbind"), ("key", &id)]).await;
        let response = key.get(&options(&proof));
        let done = verify(&mut browser, &proof, ("response", &response)).await;
        let done = browser.follow(done).await;
        assert!(done.text().contains("The passkey is deleted") && done.has("data-webauthn-gone=\""), "{}", done.text());
        assert!(!browser.open(OWN_PASSKEYS).await.has("data-webauthn-gone"), "it is told once");
        let mut stranger = kit.browser();
        let unknown = show_passkey(&mut stranger, &mut key).await;
        assert!(unknown.text().contains("not known here") && unknown.has("data-webauthn-unknown"), "{}", unknown.text());
    }

    async fn c10_binding_that_is_required_offers_three_types(kit: Kit) {
        let acme = kit.account("acme").await;
        for (name, kind, list) in [("alice", "security-key", "security-keys"), ("bob", "passkey", "passkeys")] {
            let person = kit.ram_user_with(&acme, name, Some(login_with_mfa())).await;
            let (mut browser, page) = past_password(&kit, &person).await;
            let types = browser.follow(page).await;
            for offered in ["Virtual MFA Device", "U2F Security Key", "Passkey"] {
                assert!(types.text().contains(offered), "{}", types.text());
            }
            let limits = browser.submit("/logon/bind", &[("type", kind)]).await;
            assert_eq!(limits.path, format!("/logon/bind/{list}"));
            assert!(limits.text().contains("At most 20"), "{}", limits.text());
            let at = limits.path.clone();
            let prompt = browser.post(&at, &[("do", "begin")]).await;
            let mut key = if kind == "passkey" { SoftKey::passkey() } else { SoftKey::u2f() };
            let wrong = browser.post(&at, &[("do", "finish"), ("response", "{}")]).await;
            assert!(wrong.text().contains("could not be accepted") && !has_session(&browser), "{}", wrong.text());
            let response = key.create(&options(&prompt));
            let done = browser.submit(&at, &[("do", "finish"), ("response", &response)]).await;
            assert!(has_session(&browser) && done.text().contains("recovery codes"), "{}", done.text());
        }
    }

    async fn c03_c25_one_type_at_a_time_is_refused_with_the_reason_and_can_be_replaced(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let (mut browser, _) = past_password(&kit, &alice).await;
        browser.post("/logon/second-factor", &[("code", &phone.code(&kit))]).await;
        kit.next_step();
        let at = format!("{OWN_KEYS}/bind");
        let asked = browser.post(&at, &[("do", "begin")]).await;
        let told = verify(&mut browser, &asked, ("verify_proof", &phone.code(&kit))).await;
        kit.next_step();
        assert!(told.text().contains("You have a virtual MFA device") && told.has("name=\"replace\""), "{}", told.text());
        let asked = browser.post(&at, &[("do", "begin"), ("replace", "1")]).await;
        let prompt = verify(&mut browser, &asked, ("verify_proof", &phone.code(&kit))).await;
        let response = SoftKey::u2f().create(&options(&prompt));
        assert!(browser.open("/me/security").await.text().contains("Serial number"), "it goes only when the key is bound");
        browser.submit(&at, &[("do", "finish"), ("response", &response)]).await;
        assert!(browser.open("/me/security").await.text().contains("No virtual MFA device"));
        // The other way round it is refused, too.
        let bound = browser.open("/me/security/virtual-mfa/verify").await;
        assert!(bound.text().contains("The next page asks for it"), "{}", bound.text());
    }

    async fn d11_at_the_second_factor_one_chooses_among_what_is_bound(kit: Kit) {
        let acme = kit.account("acme").await;
        let several = SettingsChange { mfa_device_types: Some(MfaDeviceTypes::Several), ..SettingsChange::default() };
        let by = kit.owner_session(&acme).await.actor;
        kit.core().change_settings(&by, several, origin()).await.unwrap();
        let mut key = SoftKey::u2f();
        let alice = keyed(&kit, &acme, "alice", OWN_KEYS, &mut key).await;
        let phone = kit.bind_for(&acme, "alice").await;
        let (mut browser, page) = past_password(&kit, &alice).await;
        let page = browser.follow(page).await;
        assert!(page.has("data-webauthn") && page.has("/logon/second-factor?with=code"), "{}", page.text());
        let by_code = browser.open("/logon/second-factor?with=code").await;
        assert!(by_code.has("name=\"code\"") && by_code.text().contains("Use my security key"), "{}", by_code.text());
        let wrong = browser.post("/logon/second-factor", &[("code", "000000")]).await;
        assert!(wrong.has("name=\"code\"") && wrong.text().contains("The code is not right"), "{}", wrong.text());
        browser.post("/logon/second-factor", &[("code", &phone.code(&kit))]).await;
        assert!(has_session(&browser));
        let asked = browser.post(&format!("{OWN_PASSKEYS}/bind"), &[("do", "begin")]).await;
        assert!(asked.has("data-options") && asked.has("name=\"verify_proof\""), "both ways: {}", asked.text());
    }

    async fn the_pages_say_that_a_factor_is_required_where_the_account_says_it_of_all(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.bound_user(&acme, "alice").await;
        kit.keyed_user(&acme, "bob", KeyKind::SecurityKey, &mut SoftKey::u2f()).await;
        let (mut browser, optional, required) = (owner(&kit, &acme).await, "the password alone protects him", "must bind a new device");
        for mandatory in [false, true] {
            if mandatory {
                let mfa_for_logon = Some(MfaForLogon::Mandatory);
                let actor = kit.owner_session(&acme).await.actor;
                let change = SettingsChange { mfa_for_logon, ..SettingsChange::default() };
                kit.core().change_settings(&actor, change, origin()).await.unwrap();
                browser = owner(&kit, &acme).await;
            }
            let device = browser.open("/ram/users/alice/virtual-mfa/unbind").await;
            let tab = browser.open("/ram/users/bob?tab=security-keys").await;
            let id = key_on(&tab);
            let key = browser.open(&format!("/ram/users/bob/security-keys?ask=unbind&key={id}")).await;
            for page in [device, key] {
                let text = page.text();
                assert_eq!((text.contains(optional), text.contains(required)), (!mandatory, mandatory), "{text}");
            }
        }
    }

    async fn x4_a_logon_that_must_bind_tells_that_one_type_is_allowed(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user_with(&acme, "alice", Some(login_with_mfa())).await;
        let (mut browser, _) = past_password(&kit, &alice).await;
        let limits = browser.open("/logon/bind/security-keys").await;
        assert!(limits.text().contains("one type of MFA"), "{}", limits.text());
        assert!(!browser.open("/logon/bind/passkeys").await.text().contains("one type of MFA"));
        let actor = kit.owner_session(&acme).await.actor;
        let mfa_device_types = Some(MfaDeviceTypes::Several);
        let change = SettingsChange { mfa_device_types, ..SettingsChange::default() };
        kit.core().change_settings(&actor, change, origin()).await.unwrap();
        let (mut browser, _) = past_password(&kit, &alice).await;
        let limits = browser.open("/logon/bind/security-keys").await;
        assert!(!limits.text().contains("one type of MFA"), "{}", limits.text());
    }

    async fn two_tabs_of_a_browser_ask_for_a_passkey_and_either_is_answered(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut key = SoftKey::passkey();
        keyed(&kit, &acme, "alice", OWN_PASSKEYS, &mut key).await;
        let mut browser = kit.browser();
        let first = browser.post("/logon/passkey/begin", &[]).await;
        let second = browser.post("/logon/passkey/begin", &[]).await;
        assert_ne!(options(&first), options(&second));
        key.count();
        key.user_verified = false;
        let refused = browser.post("/logon/passkey", &[("response", &key.get(&options(&second)))]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text());
        key.user_verified = true;
        key.count();
        let answer = key.get(&options(&first));
        // Somebody else's browser was not asked.
        let mut stranger = kit.browser();
        stranger.post("/logon/passkey/begin", &[]).await;
        stranger.post("/logon/passkey", &[("response", &answer)]).await;
        assert!(!has_session(&stranger));
        browser.submit("/logon/passkey", &[("response", &answer)]).await;
        assert!(has_session(&browser) && browser.cookie("countersign-passkey").is_none());
    }

    async fn d02_keys_are_renamed_and_the_last_one_stays_where_one_is_required(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user_with(&acme, "alice", Some(login_with_mfa())).await;
        let (mut browser, _) = past_password(&kit, &alice).await;
        let prompt = browser.post("/logon/bind/passkeys", &[("do", "begin")]).await;
        let mut key = SoftKey::synced();
        let response = key.create(&options(&prompt));
        browser.submit("/logon/bind/passkeys", &[("do", "finish"), ("response", &response)]).await;
        let listed = browser.open(OWN_PASSKEYS).await;
        let id = key_on(&listed);
        let form = browser.open(&format!("{OWN_PASSKEYS}?ask=rename&key={id}")).await;
        assert_eq!(form.value_of("key_name").as_deref(), Some("Passkey"));
        let empty = browser.post(OWN_PASSKEYS, &[("do", "rename"), ("key", &id), ("key_name", " ")]).await;
        assert!(empty.text().contains("1 to 64 characters"), "{}", empty.text());
        let asked = browser.post(OWN_PASSKEYS, &[("do", "rename"), ("key", &id), ("key_name", "Mine <b>")]).await;
        key.count();
        let response = key.get(&options(&asked));
        let done = verify(&mut browser, &asked, ("response", &response)).await;
        let done = browser.follow(done).await;
        assert!(done.text().contains("Mine <b> Synced") && done.text().contains("new name is saved"), "{}", done.text());
        let last = browser.open(&format!("{OWN_PASSKEYS}?ask=unbind&key={id}")).await;
        assert!(last.text().contains("You must have an MFA device"), "{}", last.text());
        for gone in ["x", "00000000000000000000000000000000"] {
            let page = browser.get(&format!("{OWN_PASSKEYS}?ask=unbind&key={gone}")).await;
            assert!(page.text().contains("no such security key or passkey"), "{}", page.text());
        }
    }

    async fn c15_an_administrator_binds_renames_and_unbinds_on_the_users_page(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.ram_user(&acme, "alice").await;
        let mut browser = owner(&kit, &acme).await;
        let tab = "/ram/users/alice?tab=security-keys";
        assert!(browser.open(tab).await.text().contains("Enable U2F Security Key"));
        let at = "/ram/users/alice/security-keys/bind";
        assert!(browser.open(at).await.text().contains("alice must be here with the key"));
        let prompt = browser.post(at, &[("do", "begin")]).await;
        let prompt = if prompt.status == StatusCode::UNAUTHORIZED {
            verify(&mut browser, &prompt, ("verify_proof", OWNER_PASSWORD)).await
        } else {
            prompt
        };
        let mut key = SoftKey::u2f();
        let response = key.create(&options(&prompt));
        let done = browser.submit(at, &[("do", "finish"), ("response", &response)]).await;
        assert!(done.text().contains("Security key Device-bound") && done.text().contains("Bound"), "{}", done.text());
        let id = key_on(&done);
        let keys = "/ram/users/alice/security-keys";
        let renamed = browser.submit(keys, &[("do", "rename"), ("key", &id), ("key_name", "Spare")]).await;
        assert!(renamed.text().contains("Spare"), "{}", renamed.text());
        let asked = browser.open(&format!("{keys}?ask=unbind&key={id}")).await;
        assert!(asked.text().contains("Unbind this security key?") && asked.text().contains("password alone"));
        // A key is of one kind only.
        let wrong_tab = browser.post("/ram/users/alice/passkeys", &[("do", "unbind"), ("key", &id)]).await;
        assert!(wrong_tab.text().contains("no such security key or passkey"), "{}", wrong_tab.text());
        let gone = browser.submit(keys, &[("do", "unbind"), ("key", &id)]).await;
        assert!(gone.text().contains("No security key") && gone.text().contains("is unbound"), "{}", gone.text());
        let passkeys = browser.open("/ram/users/alice?tab=passkeys").await;
        assert!(passkeys.text().contains("Only the user can make one") && !passkeys.has("/passkeys/bind"));
    }

    async fn attack_083_the_policy_of_attestation_is_chosen_by_product_and_by_number(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut browser = owner(&kit, &acme).await;
        let page = browser.open("/ram/settings").await;
        assert!(page.text().contains("Only those that stay on their device") && page.text().contains("Windows Hello"));
        let seen = page.value_of("seen").unwrap();
        let hello = "08987058-cadc-4b81-b6e1-30de50dcbe96";
        let other = "01010101-0101-0101-0101-010101010101";
        let asks = async |browser: &mut Browser, seen: &str, fields: &[(&str, &str)]| {
            let common = [("seen", seen), ("session_hours", "6"), ("audit_retention_days", "365")];
            browser.post("/ram/settings", &[&common[..], fields].concat()).await
        };
        for wrong in [&[("attestation", "allow")][..], &[("attestation", "deny"), ("attestation_others", "yubikey")]] {
            let refused = asks(&mut browser, &seen, wrong).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
            assert!(refused.text().contains("Tick at least one product"), "{}", refused.text());
        }
        let fields = [("attestation", "allow"), ("attestation_products", hello), ("attestation_others", other)];
        let forecast = asks(&mut browser, &seen, &fields).await;
        assert!(forecast.text().contains("Only these products") && forecast.text().contains("Windows Hello"));
        let carried = forecast.value_of("attestation").unwrap();
        assert_eq!(carried, format!("allow:{hello},{other}"));
        let saving = [("attestation", carried.as_str()), ("step", "save")];
        let saved = asks(&mut browser, &forecast.value_of("seen").unwrap(), &saving).await;
        let saved = if saved.status == StatusCode::UNAUTHORIZED {
            verify(&mut browser, &saved, ("verify_proof", OWNER_PASSWORD)).await
        } else {
            saved
        };
        let saved = browser.follow(saved).await;
        assert!(saved.text().contains("The settings are saved") && saved.has(other), "{}", saved.text());
        let at = "/account/security/passkeys/bind";
        let asked = browser.post(at, &[("do", "begin")]).await;
        let prompt = verify(&mut browser, &asked, ("verify_proof", OWNER_PASSWORD)).await;
        let response = SoftKey::passkey().create(&options(&prompt));
        let refused = browser.post(at, &[("do", "finish"), ("response", &response)]).await;
        assert!(refused.text().contains("The account does not allow this"), "{}", refused.text());
    }

    async fn d06_d12_d14_a_page_tells_methods_types_of_devices_and_limits(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut browser = owner(&kit, &acme).await;
        let page = browser.open("/help/keys").await;
        for told in ["U2F key", "FIDO2 key", "Synced passkey", "fingerprint, face or PIN", "At most 20", "localhost:8080", "At sensitive operations",
            "The account owner binds it under", "A RAM user binds it under", "Both steps at once"] {
            assert!(page.text().contains(told), "{told}: {}", page.text());
        }
        let own = browser.open("/account/security").await;
        assert!(own.has("/account/security/security-keys/bind") && own.has("/account/security/passkeys/bind"));
        // Each has pages at his own place only.
        assert_eq!(browser.get(OWN_KEYS).await.location.as_deref(), Some("/account/security/security-keys"));
        let at = browser.get(&format!("{OWN_PASSKEYS}/bind")).await;
        assert_eq!(at.location.as_deref(), Some("/account/security/passkeys/bind"));
    }
}
