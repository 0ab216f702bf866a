// Security keys and passkeys in a real Chromium with its virtual authenticators: binding, logging on, and every lie that
// an authenticator can tell.
//
//   COUNTERSIGN=target/debug/countersign node tests/browser/keys.mjs en 1280

import assert from "node:assert/strict";
import { Browser } from "./house/browser.mjs";
import { provePassword } from "./house/deeds.mjs";
import { Key, autofills, impatiently } from "./house/key.mjs";
import { KEY_PAGES, judgeCoverage } from "./house/pages.mjs";
import { main, step } from "./house/run.mjs";
import { Server } from "./house/server.mjs";

const [language = "en", width = "1280"] = process.argv.slice(2);
const OWNER = { name: "owner@example.com", password: "correct horse battery" };
const BOB = { name: "bob@acme.countersign.local" };
const ALICE = { name: "alice@acme.countersign.local", password: "a wall of green ivy" };

/** Presses the button that asks the browser. */
const ask = (visitor) => visitor.page.locator("[data-webauthn-start]").first().click();

/** Has a credential made on the page that asks for it, and confirms it. */
async function obtain(visitor, key, { name, look } = {}) {
  if (look) await visitor.look(look);
  await key.touched(async () => {
    await ask(visitor);
    await visitor.page.locator("[data-webauthn-obtained]").waitFor();
  });
  if (look) await visitor.look(`${look}-obtained`);
  if (name) await visitor.fill({ key_name: name });
  await visitor.press(visitor.t.confirmBind);
}

/** Asks the browser on a page whose form is sent by the answer. */
const show = (visitor, key) => key.touched(() => visitor.leave(() => ask(visitor)));

/** Puts off the recovery codes that are offered after a binding, and opens a list. */
async function codesLater(visitor, list) {
  visitor.at(/\/recovery-codes$/);
  await visitor.press(visitor.t.later);
  await visitor.go(list);
}

/** What the script says below its button. */
async function says(visitor, text) {
  await visitor.page.locator("[data-webauthn-says]").getByText(text, { exact: true }).waitFor();
}

await main(async (open) => {
  const server = open(await Server.start());
  const browser = open(await Browser.start());
  const at = { url: server.url, width: Number(width), language };
  const owner = await browser.visitor({ ...at, name: "the owner" });
  const alice = await browser.visitor({ ...at, name: "alice" });
  const { t } = owner;
  let stick;
  let fido;
  let phone;

  await step("an account, and two users", async () => {
    const [, link] = await server.says(/(http:\/\/localhost:\d+\/setup\?token=\S+)/);
    await owner.go(link);
    await owner.fill({ alias: "acme", email: OWNER.name, new_password: OWNER.password, repeat_password: OWNER.password });
    await owner.send("/setup");
    await provePassword(owner, OWNER.name, OWNER.password);
    for (const [name, mfa] of [["alice", "required"], ["bob", "not-required"]]) {
      await owner.go("/ram/create-user");
      await owner.fill({ name });
      await owner.pick({ console_logon: "enabled", password_choice: "custom", mfa });
      await owner.fill({ new_password: ALICE.password });
      await owner.page.locator('[name="reset_required"]').uncheck();
      await owner.send("/ram/create-user");
      owner.at(`/ram/users/${name}`);
    }
  });

  await step("C10 C20 C21 C22 C23 C24: alice must bind, and binds a U2F key after reading its limits", async () => {
    stick = await Key.u2f(alice);
    await provePassword(alice, ALICE.name, ALICE.password);
    alice.at("/logon/bind");
    await alice.look("bind-types");
    await alice.pick({ type: "security-key" });
    await alice.press(t.next);
    alice.at("/logon/bind/security-keys");
    await alice.reads(t.keyProtocol);
    await alice.look("logon-bind-key-limits");
    await alice.press(t.next);
    assert.ok(await alice.page.getByRole("button", { name: t.confirmBind, exact: true }).isDisabled());
    await obtain(alice, stick, { look: "logon-bind-key" });
    await codesLater(alice, "/me/security/security-keys");
    await alice.reads(t.deviceBound);
    await alice.look("my-security-keys");
  });

  await step("D13: the key is her second factor", async () => {
    await alice.logOff();
    await provePassword(alice, ALICE.name, ALICE.password);
    alice.at("/logon/second-factor");
    await alice.look("second-factor-key");
  });

  await step("a prompt that nobody answers is told, and can be tried again", async () => {
    await impatiently(alice, async () => {
      await ask(alice);
      await says(alice, t.keyLate);
      await alice.look("second-factor-key-late");
    });
  });

  await step("a wrong key is not taken", async () => {
    const other = await Key.u2f(alice);
    const theirs = await stick.credentials();
    await impatiently(alice, () => other.touched(async () => {
      await ask(alice);
      await alice.page.locator("[data-webauthn-says].field-error").waitFor();
    }));
    alice.at("/logon/second-factor");
    assert.equal((await other.credentials()).length, 0);
    assert.equal(theirs.length, 1);
    await other.unplug();
    await show(alice, stick);
    alice.at("/me/security");
  });

  await step("D11 D13: a second key, without a PIN, is bound after the first has proved that it is she", async () => {
    fido = await Key.bare(alice);
    await alice.go("/me/security/security-keys");
    await alice.press(t.bindAnotherKey);
    await alice.press(t.next);
    await show(alice, stick);
    await obtain(alice, fido, { name: "In the drawer" });
    await codesLater(alice, "/me/security/security-keys");
    await alice.reads("In the drawer");
    await alice.look("my-security-keys-two");
  });

  await step("attack_073 attack_075: a bogus signature and a missing touch are refused", async () => {
    await alice.logOff();
    await provePassword(alice, ALICE.name, ALICE.password);
    for (const lie of ["isBogusSignature", "isBadUP"]) {
      await fido.lying(lie, () => alice.leave(() => ask(alice)));
      alice.at("/logon/second-factor");
      await alice.reads(t.keyWrong);
    }
    await alice.look("second-factor-key-refused");
    await show(alice, fido);
    alice.at("/me/security");
  });

  await step("D02 D04 D11 D13: a passkey of her own device is bound after the key has proved that it is she", async () => {
    phone = await Key.device(alice, { synced: true });
    await alice.go("/me/security/passkeys");
    await alice.look("my-passkeys-none");
    await alice.press(t.createPasskey);
    await alice.look("bind-passkey-limits");
    await alice.press(t.next);
    await alice.reads(t.verifyIdentity);
    await alice.look("verify-by-key");
    await show(alice, stick);
    await obtain(alice, phone, { name: "Phone", look: "bind-passkey" });
    await codesLater(alice, "/me/security/passkeys");
    await alice.reads("Phone");
    await alice.reads(t.synced);
    await alice.look("my-passkeys");
  });

  await step("what is bound already is not bound twice", async () => {
    await alice.go("/me/security/passkeys/bind");
    await alice.press(t.next);
    await show(alice, phone);
    await phone.touched(async () => {
      await ask(alice);
      await says(alice, t.keyKnown);
    });
    await alice.look("bind-passkey-known");
  });

  await step("D03: she logs on with the passkey alone, by the button", async () => {
    await autofills(alice, false);
    await alice.logOff();
    await alice.look("logon-passkey");
    await show(alice, phone);
    alice.at("/me/security");
  });

  await step("D03: and by the list of the name field", async () => {
    await autofills(alice, true);
    await alice.logOff();
    await phone.touched(async () => {
      await alice.page.goto("/", { waitUntil: "commit" });
      await alice.page.waitForURL("**/me/security");
    });
    await autofills(alice, false);
    await alice.logOff();
  });

  await step("attack_073 attack_074 attack_075: a passkey that lies logs nobody on", async () => {
    for (const lie of ["isBogusSignature", "isBadUV", "isBadUP"]) {
      await alice.go("/");
      await phone.lying(lie, () => alice.leave(() => ask(alice)));
      alice.at("/logon/passkey");
      await alice.reads(t.passkeyRefused);
    }
    await alice.look("logon-passkey-refused");
  });

  await step("D05 attack_074: whoever is not verified is not logged on", async () => {
    await phone.verifies(false);
    await impatiently(alice, () => phone.touched(async () => {
      await alice.go("/");
      await ask(alice);
      await alice.page.locator("[data-webauthn-says].field-error").waitFor();
    }));
    await phone.verifies(true);
    alice.at("/");
  });

  await step("attack_084: a passkey that could be copied, and now says it cannot, is refused", async () => {
    await phone.mark({ backupEligibility: false, backupState: false });
    await alice.go("/");
    await phone.touched(() => alice.leave(() => ask(alice)));
    await alice.reads(t.passkeyRefused);
    await phone.mark({ backupEligibility: true, backupState: true });
    await alice.go("/");
    await show(alice, phone);
    alice.at("/me/security");
  });

  await step("D13: a copy of the key with a lower counter is refused, and the administrators are told", async () => {
    await alice.logOff();
    await provePassword(alice, ALICE.name, ALICE.password);
    await stick.copy({ signCount: 0 });
    await stick.touched(() => alice.leave(() => ask(alice)));
    await alice.reads(t.keyWrong);
    await owner.go("/ram/findings");
    await owner.reads(t.keyCopied);
    await owner.look("key-finding");
  });

  await step("D02: the second factor may be the passkey as well", async () => {
    await show(alice, phone);
    alice.at("/me/security");
  });

  await step("D02: it is renamed and deleted, after a proof each", async () => {
    await alice.go("/me/security/passkeys");
    await alice.press(new RegExp(`^${t.rename}`));
    await alice.look("rename-passkey");
    await alice.fill({ key_name: " " });
    await alice.send("/me/security/passkeys");
    await alice.look("rename-passkey-refused");
    await alice.fill({ key_name: "Work phone" });
    await alice.send("/me/security/passkeys");
    await show(alice, phone);
    await alice.reads("Work phone");
    await alice.press(new RegExp(`^${t.deleteKey}`));
    await alice.look("delete-passkey");
    const [kept] = await phone.credentials();
    await alice.send("/me/security/passkeys");
    await show(alice, phone);
    alice.at("/me/security/passkeys");
    await alice.reads(t.passkeyDeleted);
    await alice.look("passkey-deleted");
    assert.ok(kept.isResidentCredential);
    await alice.logOff();
    if ((await phone.credentials()).length === 0) return; // The browser was told, and forgot it.
    await phone.touched(() => alice.leave(() => ask(alice)));
    await alice.reads(t.passkeyUnknown);
  });

  await step("D06 D12 D14: methods, device types and limits", async () => {
    await owner.go("/help/keys");
    await owner.reads(t.syncedPasskey);
    await owner.look("help-keys");
  });

  await step("the owner's own keys", async () => {
    const key = await Key.device(owner);
    await owner.go("/account/security/security-keys");
    await owner.look("account-security-keys-none");
    await owner.press(t.enableKey);
    await owner.look("account-bind-key");
    await owner.go("/account/security/passkeys/bind");
    await owner.press(t.next);
    await owner.fill({ verify_proof: OWNER.password });
    await owner.press(t.verifyAndGoOn);
    await obtain(owner, key, { name: "Laptop", look: "account-bind-passkey" });
    await codesLater(owner, "/account/security/passkeys");
    await owner.look("account-passkeys");
    await owner.go("/account/security");
    await owner.look("account-security-keys");
    await owner.go("/account/security/virtual-mfa/verify");
    await owner.look("verify-before-device");
    owner.key = key;
  });

  await step("C15: the owner binds a key for bob, who is there", async () => {
    const bobs = await Key.u2f(owner);
    await owner.go("/ram/users/bob?tab=security-keys");
    await owner.look("user-keys-none");
    await owner.press(t.enableKey);
    await owner.look("user-bind-key-limits");
    await owner.press(t.next);
    if (await owner.page.locator("[data-options] [data-webauthn-asking]").count() === 0) await show(owner, owner.key);
    await obtain(owner, bobs, { name: "Bob's key", look: "user-bind-key" });
    owner.at("/ram/users/bob");
    await owner.reads("Bob's key");
    await owner.look("user-keys");
    await owner.press(new RegExp(`^${t.unbind}`));
    await owner.look("user-unbind-key");
    await owner.send("/ram/users/bob/security-keys");
    if (await owner.page.locator("#verify_response").count()) await show(owner, owner.key);
    owner.at("/ram/users/bob");
    await owner.go("/ram/users/bob?tab=passkeys");
    await owner.look("user-passkeys-none");
    await owner.go("/ram/users/alice?tab=security-keys");
    await owner.look("user-keys-other");
  });

  await step("which keys an account lets in", async () => {
    await owner.go("/ram/settings");
    await owner.pick({ attestation: "allow" });
    await owner.look("settings-attestation");
    await owner.send("/ram/settings");
    await owner.reads(t.tickOne);
    await owner.look("settings-attestation-refused");
    await owner.pick({ attestation: "deny" });
    await owner.page.getByLabel("1Password", { exact: true }).check();
    await owner.fill({ attestation_others: "01010101-0101-0101-0101-010101010101" });
    await owner.send("/ram/settings");
    await owner.reads("1Password");
    await owner.look("settings-attestation-forecast");
    await owner.go("/ram/audit");
    await owner.look("key-audit");
  });

  await step("a browser that speaks no JSON of WebAuthn is helped by hand", async () => {
    const bob = await browser.visitor({ ...at, name: "bob" });
    await bob.context.addInitScript(() => {
      for (const name of ["parseCreationOptionsFromJSON", "parseRequestOptionsFromJSON"]) delete PublicKeyCredential[name];
      delete PublicKeyCredential.prototype.toJSON;
    });
    const key = await Key.device(bob);
    await autofills(bob, false);
    await provePassword(bob, BOB.name, ALICE.password);
    await bob.go("/me/security/passkeys/bind");
    await bob.press(t.next);
    await bob.fill({ verify_proof: ALICE.password });
    await bob.press(t.verifyAndGoOn);
    await obtain(bob, key);
    await codesLater(bob, "/me/security/passkeys");
    await bob.reads(t.deviceBound);
    await bob.logOff();
    await show(bob, key);
    bob.at("/me/security");
  });

  await step("a browser without WebAuthn says so, and the other ways work", async () => {
    const old = await browser.visitor({ ...at, name: "somebody with an old browser" });
    await old.context.addInitScript(() => { delete globalThis.PublicKeyCredential; });
    await old.go("/");
    await says(old, t.keyUnsupported);
    assert.ok(await old.page.locator("[data-webauthn-start]").isDisabled());
    await old.look("logon-without-webauthn");
    await provePassword(old, ALICE.name, ALICE.password);
    old.at("/logon/second-factor");
    await says(old, t.keyUnsupported);
    await old.press(t.useRecoveryCode);
    old.at("/logon/recovery-code");
  });

  await step("every page was looked at", () => judgeCoverage(browser.people, KEY_PAGES));
});
