//! Keys that are bound and refused, as the pages tell of them.

use super::{owner, past_password};
use countersign_core::settings::SettingsChange;
use countersign_model::settings::AttestationPolicy;
use countersign_model::webauthn::KeyKind;
use countersign_testkit::people::USER_PASSWORD;
use countersign_testkit::{Kit, SoftKey, both_engines, origin};
use http::header::ACCEPT_LANGUAGE;

both_engines! {
    /// The page that answers to "This was not me" names the keys that it has refused; the lists say what that means.
    async fn attack_056_a_disowned_key_is_named_and_marked(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let visitor = kit.session(&alice).await;
        let mut evil = SoftKey::passkey();
        kit.bind_own_key(&visitor, USER_PASSWORD, KeyKind::Passkey, &mut evil).await.unwrap();
        let step = kit.log_on_with_passkey(&mut evil).await.unwrap();
        let session = kit.opened(step).await;
        let id = kit.core().own_notices(&session.actor).await.unwrap()[0].id.to_string();
        let mut browser = kit.browser();
        let prompt = browser.post("/logon/passkey/begin", &[]).await.body;
        browser.post("/logon/passkey", &[("response", &evil.get(&prompt))]).await;
        let done = browser.post("/me/notices", &[("notice", &id)]).await;
        let told = "These security keys and passkeys are refused from now on";
        assert!(done.text().contains(told) && done.has("<li>Passkey</li>"), "{}", done.text());

        // Neither without a password nor behind it.
        let mut browser = kit.browser();
        let prompt = browser.post("/logon/passkey/begin", &[]).await.body;
        let refused = browser.post("/logon/passkey", &[("response", &evil.get(&prompt))]).await;
        assert!(refused.text().contains("reported as bound by somebody else"), "{}", refused.text());
        let (mut browser, page) = past_password(&kit, &alice).await;
        let page = browser.follow(page).await;
        assert!(page.text().contains("None of your security keys and passkeys is accepted at present"), "{}", page.text());
        assert!(!page.has("data-webauthn-start") && !page.has("name=\"code\"") && page.has("/logon/recovery-code"), "{}", page.body);

        let mut owner = owner(&kit, &acme).await;
        let finding = owner.open("/ram/findings").await;
        assert!(finding.text().contains("Security keys and passkeys refused: Passkey"), "{}", finding.text());
        let list = owner.open("/ram/users/alice?tab=passkeys").await;
        assert!(list.text().contains("Reported as not yours") && list.text().contains("Ask him, and unbind it"), "{}", list.text());
        let mut chinese = owner.with_header(ACCEPT_LANGUAGE, "zh-CN");
        let list = chinese.open("/ram/users/alice?tab=passkeys").await;
        assert!(list.text().contains("已报告为非本人绑定") && list.text().contains("请与用户核实并解绑"), "{}", list.text());
    }

    async fn attack_143_a_restored_passkey_is_told_what_to_do(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut key = SoftKey::passkey();
        let alice = kit.keyed_user(&acme, "alice", KeyKind::Passkey, &mut key).await;
        kit.core().mark_restored().await.unwrap();
        let mut browser = kit.browser();
        let prompt = browser.post("/logon/passkey/begin", &[]).await.body;
        let refused = browser.post("/logon/passkey", &[("response", &key.get(&prompt))]).await;
        assert!(refused.text().contains("Log on with your password once and show the passkey after it"), "{}", refused.text());
        let mut owner = owner(&kit, &acme).await;
        assert!(owner.open("/ram/findings").await.text().contains("Passkeys came back from a backup"));
        assert!(owner.open("/ram/users/alice?tab=passkeys").await.text().contains("From a backup"));
        let (mut browser, _) = past_password(&kit, &alice).await;
        let prompt = browser.post("/logon/second-factor/begin", &[]).await.body;
        browser.post("/logon/second-factor", &[("with", "key"), ("response", &key.get(&prompt))]).await;
        let own = browser.open("/me/security/passkeys").await;
        assert!(own.text().contains("Passkey Device-bound"), "{}", own.text());
        assert!(!own.text().contains("From a backup"), "{}", own.text());
    }

    async fn a_code_is_asked_for_where_the_keys_are_refused(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let visitor = kit.session_with(&alice, &phone).await;
        let code = phone.code(&kit);
        kit.bind_own_key(&visitor, &code, KeyKind::Passkey, &mut SoftKey::synced()).await.unwrap();
        kit.next_step();
        let by = kit.owner_session(&acme).await.actor;
        let change = SettingsChange { attestation: Some(AttestationPolicy::DeviceBound), ..SettingsChange::default() };
        kit.core().change_settings(&by, change, origin()).await.unwrap();
        let (mut browser, page) = past_password(&kit, &alice).await;
        let page = browser.follow(page).await;
        assert!(page.has("name=\"code\"") && page.has("id=\"keys-refused\""), "{}", page.text());
        browser.post("/logon/second-factor", &[("code", &phone.code(&kit))]).await;
        kit.next_step();
        // A proof is by the code as well, and the only factor that can be used cannot go.
        let asked = browser.post("/me/security/passkeys/bind", &[("do", "begin")]).await;
        assert!(asked.has("name=\"verify_proof\"") && !asked.has("data-options"), "{}", asked.text());
        let asked = browser.open("/me/security/virtual-mfa/unbind").await;
        assert!(asked.text().contains("your only way to verify that is accepted"), "{}", asked.text());
    }
}
