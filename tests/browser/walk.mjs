// The main job, from an empty folder to everything an account owner and a RAM user do with a virtual MFA device.
//
//   COUNTERSIGN=target/debug/countersign node tests/browser/walk.mjs en 1280
//
// Run in each language and at each width; a third word, `main`, ends it after the main path. Nothing here knows the server from inside: zbarimg reads the QR code off the
// page, oathtool computes the codes, and the words that are looked for stand in house/words.mjs.

import assert from "node:assert/strict";
import { walkAccess } from "./house/access.mjs";
import { readFile } from "node:fs/promises";
import { Browser } from "./house/browser.mjs";
import { copyKey, judgeBindingPage, logOn, noSession, proveCode, provePassword, sayName, scan, verifyIdentity } from "./house/deeds.mjs";
import { judgeCoverage } from "./house/pages.mjs";
import { main, step } from "./house/run.mjs";
import { Server } from "./house/server.mjs";
import { words } from "./house/words.mjs";

const [language = "en", width = "1280", part = "whole"] = process.argv.slice(2);
const t = words(language);
const OWNER = { name: "owner@example.com", password: "correct horse battery" };
const ALIAS = "acme";
const DOMAIN = `${ALIAS}.countersign.local`;

await main(async (open) => {
  const server = open(await Server.start());
  const browser = open(await Browser.start());
  const at = { url: server.url, width: Number(width) };

  // ---- The account and its owner ----

  const owner = await browser.visitor({ ...at, name: "the owner", language, locale: "en" });
  let ownersPhone;

  await step("the set-up link makes the first account, once (attack_134)", async () => {
    const [, link] = await server.says(/(http:\/\/localhost:\d+\/setup\?token=\S+)/);
    assert.equal(new URL(link).origin, server.url, "the link has the public address");
    await owner.go(link);
    // The owner's browser asks for English and the language is chosen on the page; the users' browsers ask for theirs.
    await owner.choose(language);
    await owner.look("set-up");
    await owner.fill({
      alias: "No Alias", email: OWNER.name, new_password: OWNER.password, repeat_password: "another one",
    });
    await owner.send("/setup");
    await owner.look("set-up-refused");
    await owner.choose(language, link);
    await owner.fill({
      alias: ALIAS, email: OWNER.name, new_password: OWNER.password, repeat_password: OWNER.password,
    });
    await owner.send("/setup");
    owner.at("/");
    await owner.look("logon-after-set-up");
    assert.equal(await owner.go(link), 403, "the link works once");
    await owner.reads(t.setUpOver);
    await owner.look("set-up-over");
  });

  await step("A01 A02 A06: the owner logs on with name and password", async () => {
    await owner.go("/");
    await owner.page.keyboard.press("Tab");
    assert.ok(await owner.page.locator(".skip-link").evaluate((link) => link === document.activeElement), "the first stop skips to the content");
    await owner.go("/");
    await owner.look("logon-ram-user");
    await owner.go("/?as=owner");
    await owner.look("logon-owner");
    await owner.go("/");
    await owner.fill({ name: "no logon name" });
    await owner.send("/logon");
    await owner.look("logon-name-refused");
    await owner.choose(language, "/");
    assert.equal(await owner.go("/logon"), 405);
    await owner.look("error-no-page");
    await sayName(owner, OWNER.name);
    await owner.look("logon-password");
    await provePassword(owner, OWNER.name, OWNER.password);
  });

  await step("A05: the owner is urged to bind, and reads why", async () => {
    owner.at("/account/welcome");
    await owner.reads(t.thirtySeconds);
    await owner.look("welcome");
    await owner.press(t.bindNow);
    owner.at("/account/security/bind");
    await owner.look("account-bind-type");
    await owner.go("/account/welcome");
    await owner.press(t.later);
    owner.at("/ram/overview");
  });

  await step("A07 A08: Account Center > Security has the row Virtual MFA, Not Attached, with Bind", async () => {
    await owner.go("/account");
    owner.at("/account/security");
    const row = owner.page.locator("#virtual-mfa");
    await owner.reads(t.notAttached, row);
    await owner.readsNot(t.bound, row.locator(".chip"));
    await owner.look("account-security-not-attached");
    await owner.press(t.bind, row);
  });

  await step("A10 A11: Verify Identity comes first; a wrong password does not pass", async () => {
    owner.at("/account/security/virtual-mfa/verify");
    await owner.reads(t.newestVersion);
    await owner.look("verify-identity");
    await owner.fill({ password: "not the password" });
    await owner.press(t.next);
    owner.at("/account/security/virtual-mfa/verify");
    await owner.look("verify-identity-refused");
    await owner.go("/account/security/virtual-mfa/bind");
    owner.at("/account/security/virtual-mfa/verify");
    await verifyIdentity(owner, OWNER.password);
  });

  await step("A13 A14 A21 V01 V02 V03 V04 V05 V07 V08 V09 V15 V16 C18 C19: the QR code, one code, Confirm Bind", async () => {
    await judgeBindingPage(owner);
    await owner.look("bind-scan");
    ownersPhone = await scan(owner);
    assert.equal(ownersPhone.issuer, "Countersign");
    assert.ok(ownersPhone.account.startsWith(OWNER.name), `the app will show ${ownersPhone.account}`);
    await owner.fill({ code: await ownersPhone.wrongCode() });
    await owner.press(t.confirmBind);
    await owner.reads(t.wrongCode);
    await owner.look("bind-refused");
    await owner.fill({ code: await ownersPhone.code() });
    await owner.press(t.confirmBind);
  });

  await step("X13: recovery codes are offered; later will do", async () => {
    owner.at("/account/security/recovery-codes");
    await owner.look("account-recovery-codes-offered");
    await owner.press(t.later);
  });

  await step("A15 A20: the row reads Bound, also after a reload", async () => {
    owner.at("/account/security");
    const row = owner.page.locator("#virtual-mfa");
    await owner.reads(t.bound, row.locator(".chip"));
    await owner.look("account-security-bound");
    await owner.page.reload();
    await owner.reads(t.bound, row.locator(".chip"));
    assert.equal(await owner.go("/account/security/virtual-mfa/bind"), 200);
    owner.at("/account/security/virtual-mfa/verify");
  });

  await step("A01 A02: the owner logs off, and on again with password and code", async () => {
    await owner.logOff();
    await owner.reads(t.loggedOff);
    await owner.look("logged-off");
    await provePassword(owner, OWNER.name, OWNER.password);
    owner.at("/logon/second-factor");
    await owner.look("second-factor");
    await owner.press(t.useRecoveryCode);
    await owner.look("logon-recovery-code");
    await owner.page.goBack();
    for (const path of ["/account/security", "/ram/overview"]) await noSession(owner, path);
    await proveCode(owner, await ownersPhone.code());
    owner.at("/ram/overview");
  });

  // ---- A user who must have MFA ----

  const alice = `alice@${DOMAIN}`;
  const hers = { password: "a wall of green ivy", next: "the ivy has turned red" };
  let generated;
  await step("C08 C11: the owner creates a user with Enable MFA = Required and a generated password, shown once", async () => {
    await owner.go("/ram/overview");
    await owner.look("ram-overview-empty");
    await owner.leave(async () => (await owner.navigation()).getByRole("link", { name: t.users, exact: true }).click());
    owner.at("/ram/users");
    await owner.look("ram-users-empty");
    await owner.go("/ram/create-user");
    await owner.look("ram-create-user");
    await owner.fill({ name: "not a name" });
    await owner.send("/ram/create-user");
    owner.at("/ram/create-user");
    await owner.look("ram-create-user-refused");
    await owner.fill({ name: "alice", display_name: "Alice 爱丽丝", comments: "First user" });
    await owner.pick({ console_logon: "enabled", password_choice: "generate", mfa: "required" });
    await owner.send("/ram/create-user");
    generated = await owner.page.locator("#handed-password").getAttribute("data-value");
    assert.ok(generated.length >= 12, "a generated password is long");
    await owner.reads(alice);
    await owner.look("ram-user-created");
    await owner.go("/ram/users/alice");
    assert.ok(!(await owner.page.content()).includes(generated), "it is shown once");
  });

  const user = await browser.visitor({ ...at, name: "alice", language });
  let first;
  let device;
  await step("C01 C02 C09 K08 attack_042: she logs on by name@alias, must choose a password and bind, and has no session before", async () => {
    await user.go(`/login/${DOMAIN}`);
    await user.look("logon-of-account");
    await provePassword(user, alice, "not her password");
    user.at("/logon/password");
    await user.reads(t.wrongLogon);
    await user.look("logon-password-refused");
    await user.fill({ password: generated });
    await user.send("/logon/password");
    user.at("/logon/choose-password");
    await user.look("choose-password");
    await user.fill({ new_password: "short", repeat_password: "short" });
    await user.send("/logon/choose-password");
    user.at("/logon/choose-password");
    await user.look("choose-password-refused");
    await user.fill({ new_password: hers.password, repeat_password: hers.password });
    await user.send("/logon/choose-password");
    user.at("/logon/bind");
    for (const path of ["/ram/overview", "/ram/users", "/me/security", "/account/security", "/me/security/virtual-mfa/verify"]) {
      await noSession(user, path);
    }
  });

  await step("C10 C18 A05: the dialog Enable MFA Device offers Virtual MFA Device", async () => {
    user.at("/logon/bind");
    await user.reads(t.enableMfaDevice);
    await user.reads(t.virtualMfaDevice);
    await user.look("enable-mfa-device");
    await user.press(t.next);
    user.at("/logon/bind/virtual-mfa");
    await judgeBindingPage(user);
    await user.look("logon-bind");
  });

  await step("C19 V01 V09: QR code, code, Confirm Bind, and the session is open", async () => {
    device = await scan(user);
    assert.ok(device.account.startsWith("alice@acme"), `the app will show ${device.account}`);
    await user.fill({ code: await device.wrongCode() });
    await user.press(t.confirmBind);
    user.at("/logon/bind/virtual-mfa");
    await user.look("logon-bind-refused");
    await noSession(user, "/me/security");
    first = await device.code();
    await user.fill({ code: first });
    await user.press(t.confirmBind);
    user.at("/me/security/recovery-codes");
    await user.look("my-recovery-codes-offered");
    await user.press(t.later);
    user.at("/me/security");
    await user.reads(t.bound);
    await user.look("my-security-bound");
  });

  await step("attack_036: a logon that is finished does not go on", async () => {
    const visitor = await browser.visitor({ ...at, name: "somebody late", language });
    await visitor.context.addCookies([{ name: "countersign-logon", value: "A".repeat(43), url: server.url }]);
    await visitor.go("/logon/second-factor");
    visitor.at("/");
    await visitor.reads(t.logonOver);
    await visitor.look("logon-over");
  });

  await step("C33 D01 attack_001 attack_016: the code typed at binding is spent; the next one logs her on", async () => {
    await user.logOff();
    await provePassword(user, alice, hers.password);
    await proveCode(user, first);
    user.at("/logon/second-factor");
    await user.reads(t.wrongCode);
    await user.look("second-factor-refused");
    await proveCode(user, await device.code());
    user.at("/me/security");
  });

  await step("C12 C13 C27 C28: the owner finds her, opens Authentication > Virtual MFA Device, and unbinds: her session is dead", async () => {
    await owner.go("/ram/users");
    await owner.look("ram-users");
    await owner.page.locator("main table details.menu summary").first().click();
    await owner.look("ram-users-actions", { within: "main details.menu[open]" });
    await owner.page.keyboard.press("Escape");
    assert.equal(await owner.page.locator("details.menu[open]").count(), 0, "Escape closes a menu");
    await owner.leave(() => owner.page.locator("main").getByRole("link", { name: /^alice/ }).first().click());
    owner.at("/ram/users/alice");
    await owner.look("ram-user-console-logon");
    await owner.press(t.virtualMfaDevice);
    await owner.reads(t.bound);
    await owner.look("ram-user-virtual-mfa-bound");
    await owner.press(t.unbind);
    owner.at("/ram/users/alice/virtual-mfa/unbind");
    await owner.look("ram-user-unbind");
    await owner.send("/ram/users/alice/virtual-mfa/unbind");
    owner.at("/ram/users/alice");
    await owner.reads(t.notAttached);
    await owner.look("ram-user-virtual-mfa-not-attached");
    await user.go("/me/security");
    user.at("/");
    await user.reads(t.sessionOver);
    await user.look("session-over");
  });

  await step("V10 V11 C18 C26: she binds again with the typed key; both copy buttons work; the old device is worth nothing", async () => {
    await provePassword(user, alice, hers.password);
    user.at("/logon/bind");
    await user.press(t.next);
    const old = device;
    device = await copyKey(user);
    await user.look("logon-bind-manual");
    assert.equal(device.account, `alice@${ALIAS}.countersign.local`);
    assert.notEqual(device.key, old.key, "every binding has a key of its own");
    await user.fill({ code: await old.code() });
    await user.press(t.confirmBind);
    await user.reads(t.wrongCode);
    await user.fill({ code: await device.code() });
    await user.press(t.confirmBind);
    await user.press(t.later);
    user.at("/me/security");
  });

  await step("X11: sessions and history, her own and to the owner", async () => {
    await user.go("/me/sessions");
    await user.look("my-sessions");
    await user.go("/me/sessions/log-off-everywhere");
    await user.look("my-log-off-everywhere");
    await owner.go("/account/sessions");
    await owner.look("account-sessions");
    await owner.go("/account/sessions/log-off-everywhere");
    await owner.look("account-log-off-everywhere");
    await user.go("/me/history");
    await user.look("my-history");
    await owner.go("/account/history");
    await owner.look("account-history");
    await owner.go("/ram/audit");
    await owner.look("ram-audit");
    await owner.go("/ram/users/alice?tab=sessions");
    await owner.look("ram-user-sessions");
    await owner.leave(() => owner.page.locator('main a[href*="end=session&"]').first().click());
    await owner.look("ram-user-end-session");
    await user.go("/me/security");
  });

  await step("C16 C17: the profile menu leads to Security Information Management > Console Logon > Virtual MFA Device", async () => {
    await user.page.locator("details.menu:has(.avatar) summary").focus();
    await user.page.keyboard.press("Enter");
    assert.equal(await user.page.locator("details.menu[open]").count(), 1, "Enter opens a menu");
    await user.page.keyboard.press("Escape");
    assert.equal(await user.page.locator("details.menu[open]").count(), 0, "Escape closes it");
    const menu = await user.openProfile();
    await user.look("profile-menu", { within: "details.menu[open]" });
    await user.leave(() => menu.getByRole("link", { name: t.ownSecurity }).click());
    user.at("/me/security");
    await user.reads(t.virtualMfaDevice);
    await user.page.goto("/me/security?tab=password");
    await user.look("my-security-password");
  });

  await step("X8 attack_063: where MFA is required she cannot unbind, but replaces her device by an old code and a new one", async () => {
    await user.go("/me/security");
    assert.equal(await user.page.locator('main a[href$="/virtual-mfa/unbind"]').count(), 0);
    await user.go("/me/security/virtual-mfa/unbind");
    await user.look("unbind-refused");
    await user.go("/me/security");
    await user.press(t.replace);
    await user.look("my-verify-identity");
    await verifyIdentity(user, hers.password);
    await user.look("replace");
    const fresh = await scan(user);
    await user.fill({ old_code: await device.wrongCode(), code: await fresh.code() });
    await user.press(t.confirmBind);
    await user.reads(t.wrongCode);
    await user.fill({ old_code: await device.code(), code: await fresh.code() });
    await user.press(t.confirmBind);
    user.at("/me/security");
    await user.look("my-security-replaced");
    device = fresh;
  });

  if (part === "main") return;

  await step("K05 K06 K07 C38: Modify Logon Settings: MFA is not required any more; her session ends", async () => {
    await owner.go("/ram/users/alice");
    await owner.leave(() => owner.page.locator('main a[href="/ram/users/alice/logon-settings"]').first().click());
    await owner.look("ram-user-logon-settings");
    await owner.pick({ console_logon: "enabled", mfa: "not-required" });
    await owner.send("/ram/users/alice/logon-settings");
    owner.at("/ram/users/alice");
    await user.go("/me/security");
    user.at("/");
  });

  await step("A17 A18 C25: she logs on and unbinds by a current code", async () => {
    await logOn(user, alice, hers.password, device);
    user.at("/me/security");
    await user.press(t.unbind);
    user.at("/me/security/virtual-mfa/unbind");
    await user.look("unbind");
    await user.fill({ code: await device.wrongCode() });
    await user.press(t.verifyNow);
    await user.reads(t.wrongCode);
    await user.look("unbind-wrong-code");
    await user.fill({ code: await device.code() });
    await user.press(t.verifyNow);
    user.at("/me/security");
    await user.look("my-security-not-attached");
  });

  await step("she changes her password: the old one is worth nothing, this session goes on", async () => {
    await user.go("/me/security/password");
    await user.look("password");
    await user.fill({ password: "wrong", new_password: hers.next, repeat_password: hers.next });
    await user.send("/me/security/password");
    await user.look("password-refused");
    await user.fill({ password: hers.password, new_password: hers.next, repeat_password: hers.next });
    await user.send("/me/security/password");
    user.at("/me/security");
    await user.reads(t.passwordChanged);
    await user.logOff();
    await provePassword(user, alice, hers.password);
    await user.reads(t.wrongLogon);
    await provePassword(user, alice, hers.next);
    user.at("/me/security");
  });

  // ---- The settings of the account ----

  await step("C06 X1 V12 V13 K10: two codes at binding: she binds by herself with two consecutive codes of oathtool", async () => {
    await owner.go("/ram/settings");
    await owner.look("ram-settings");
    await owner.pick({ binding_codes: "two" });
    await owner.page.locator('[name="users_manage_access_keys"]').check();
    await owner.send("/ram/settings");
    await owner.look("ram-settings-forecast");
    await owner.send("/ram/settings");
    owner.at("/ram/settings");
    await owner.look("ram-settings-saved");
    await user.go("/me/security");
    await user.press(t.enableVirtualMfa);
    await verifyIdentity(user, hers.next);
    await user.look("bind-two-codes");
    device = await scan(user);
    const [one, two] = await device.twoCodes();
    await user.fill({ code: two, code2: one });
    await user.press(t.confirmBind);
    await user.reads(t.wrongCode);
    await user.look("bind-two-codes-refused");
    await user.fill({ code: one, code2: two });
    await user.press(t.confirmBind);
    await user.press(t.later);
    user.at("/me/security");
    await user.reads(t.bound);
  });

  await step("AccessKeys: made for her and shown once, kept as a file, disabled, enabled, deleted; and the pages for oneself", async () => {
    const keys = "/ram/users/alice/access-keys";
    await owner.go("/ram/users/alice?tab=access-keys");
    await owner.look("ram-user-access-keys-none");
    await owner.send(keys);
    owner.at(keys);
    const [id, secret] = await Promise.all(["#access-key-id", "#access-key-secret"].map((part) => owner.page.locator(part).getAttribute("data-value")));
    assert.match(id, /^LTAI[A-Za-z0-9]{20}$/);
    assert.match(secret, /^[A-Za-z0-9]{30}$/);
    const [file] = await Promise.all([owner.page.waitForEvent("download"), owner.page.locator("main a[download]").click()]);
    assert.equal(file.suggestedFilename(), `AccessKey-${id}.csv`);
    assert.equal(await readFile(await file.path(), "utf8"), `AccessKey ID,AccessKey Secret\r\n${id},${secret}\r\n`);
    await owner.look("ram-user-access-key-made");
    await owner.go("/ram/users/alice?tab=access-keys");
    await owner.reads(id);
    await owner.readsNot(secret);
    await owner.look("ram-user-access-keys");
    await owner.leave(() => owner.page.locator('main a[href*="ask=disable"]').click());
    await owner.look("ram-user-access-key-disable");
    await owner.send(keys);
    owner.at("/ram/users/alice");
    await owner.look("ram-user-access-keys-disabled");
    await owner.leave(() => owner.page.locator("main form:has([value='enable']) button").click());
    await owner.leave(() => owner.page.locator('main a[href*="ask=delete"]').click());
    await owner.look("ram-user-access-key-delete");
    await owner.send(keys);
    await owner.readsNot(id);
    await owner.go("/account/security/access-keys");
    await owner.look("account-access-keys");
    await user.go("/me/security/access-keys");
    await user.look("my-access-keys");
  });

  await step("C07: users who do not manage their own devices see no action, and the server refuses it", async () => {
    await owner.go("/ram/settings");
    await owner.page.locator('[name="users_manage_mfa_devices"]').uncheck();
    await owner.pick({ binding_codes: "one" });
    await owner.send("/ram/settings");
    await owner.send("/ram/settings");
    await owner.go("/ram/settings/password-policy");
    await owner.look("ram-password-policy");
    // What became stricter has ended her session.
    await user.go("/me/security");
    user.at("/");
    await logOn(user, alice, hers.next, device);
    await user.go("/me/security");
    await user.reads(t.managedByAdministrators);
    await user.look("my-security-managed");
    assert.equal(await user.page.locator('main a[href*="virtual-mfa"]').count(), 0);
    for (const page of ["verify", "bind", "unbind"]) {
      const status = await user.go(`/me/security/virtual-mfa/${page}`);
      assert.ok(status === 403 || user.path !== `/me/security/virtual-mfa/${page}`, `${page}: ${status}`);
    }
    await user.go("/me/security/virtual-mfa/verify");
    await user.reads(t.notAllowed);
    await user.look("error-forbidden");
  });

  // ---- Administrators ----

  await step("attack_133: a user who is no administrator sees nothing of RAM", async () => {
    for (const path of ["/ram/overview", "/ram/users", "/ram/create-user", "/ram/users/alice", "/ram/settings"]) {
      assert.equal(await user.go(path), 403, path);
    }
    await user.go("/me/security");
    assert.equal(await user.page.locator('a[href^="/ram/"]').count(), 0);
    await user.go("/me/notices");
    await user.look("my-notices");
  });

  await step("the owner makes her an administrator: she sees RAM at once", async () => {
    await owner.go("/ram/users/alice/policies");
    await owner.look("ram-user-policies");
    await owner.leave(() => owner.page.locator('form:has([name="policy"][value="AdministratorAccess"]) button').first().click());
    owner.at("/ram/users/alice/policies");
    await owner.look("ram-user-policies-administrator");
    await user.go("/");
    user.at("/ram/overview");
    await user.look("ram-overview");
  });

  const bob = `bob@${DOMAIN}`;
  await step("C05 C14 K09 C18: the administrator creates bob and binds a device for him", async () => {
    await user.go("/ram/create-user");
    await user.fill({ name: "bob" });
    await user.pick({ console_logon: "enabled", password_choice: "custom", mfa: "required" });
    await user.look("ram-create-user-custom");
    await user.fill({ new_password: "a wall of green moss" });
    await user.page.locator('[name="reset_required"]').uncheck();
    await user.send("/ram/create-user");
    user.at("/ram/users/bob");
    await user.press(t.virtualMfaDevice);
    await user.press(t.enableVirtualMfa);
    user.at("/ram/users/bob/virtual-mfa/bind");
    await judgeBindingPage(user);
    await user.look("ram-user-bind");
    const bobs = await scan(user);
    await user.fill({ code: await bobs.wrongCode() });
    await user.press(t.confirmBind);
    await user.look("ram-user-bind-refused");
    await user.fill({ code: await bobs.code() });
    await user.press(t.confirmBind);
    user.at("/ram/users/bob");
    await user.reads(t.bound);
    const visitor = await browser.visitor({ ...at, name: "bob", language });
    await logOn(visitor, bob, "a wall of green moss", bobs);
    visitor.at("/me/security");
  });

  await step("C04: the owner binds for a RAM user as well", async () => {
    await owner.go("/ram/users/bob?tab=virtual-mfa");
    await owner.press(t.unbind);
    await owner.send("/ram/users/bob/virtual-mfa/unbind");
    await owner.press(t.enableVirtualMfa);
    const bobs = await scan(owner);
    await owner.fill({ code: await bobs.code() });
    await owner.press(t.confirmBind);
    owner.at("/ram/users/bob");
    await owner.reads(t.bound);
  });

  await step("nobody deletes, disables or demotes himself (attack_133)", async () => {
    for (const page of ["delete", "logon-settings", "reset-password"]) {
      assert.equal(await user.go(`/ram/users/alice/${page}`), 403, page);
    }
    await user.go("/ram/users/alice");
    await user.look("ram-user-oneself");
    await user.go("/ram/users/alice/policies");
    await user.look("ram-user-policies-oneself");
  });

  await step("the owner unmakes the administrator: RAM is closed to her at once", async () => {
    await owner.go("/ram/users/alice/policies");
    await owner.leave(() => owner.page.locator('form:has([name="policy"][value="AdministratorAccess"]) button').first().click());
    assert.equal(await user.go("/ram/users"), 403);
  });

  await walkAccess(owner, "bob", step);

  await step("the owner resets her password: random, shown once, to be changed at logon", async () => {
    await owner.go("/ram/users/alice/reset-password");
    await owner.look("ram-user-reset-password");
    await owner.send("/ram/users/alice/reset-password");
    generated = await owner.page.locator("#handed-password").getAttribute("data-value");
    await owner.look("ram-user-password-shown");
    await user.go("/me/security");
    user.at("/");
  });

  await step("the owner edits her", async () => {
    await owner.go("/ram/users/alice/edit");
    await owner.look("ram-user-edit");
    await owner.fill({ name: "bob" });
    await owner.send("/ram/users/alice/edit");
    await owner.look("ram-user-edit-refused");
    await owner.fill({ name: "alice.b", display_name: "Alice Bell" });
    await owner.send("/ram/users/alice/edit");
    owner.at("/ram/users/alice.b");
  });

  await step("C38: console logon disabled: her password is worth nothing", async () => {
    await owner.go("/ram/users/alice.b/logon-settings");
    await owner.pick({ console_logon: "disabled" });
    await owner.send("/ram/users/alice.b/logon-settings");
    owner.at("/ram/users/alice.b");
    await owner.look("ram-user-disabled");
    await provePassword(user, `alice.b@${DOMAIN}`, generated);
    await user.reads(t.wrongLogon);
  });

  await step("the owner deletes her, her name typed", async () => {
    await owner.go("/ram/users/alice.b/delete");
    await owner.look("ram-user-delete");
    const button = owner.page.locator("[data-confirm-submit]");
    assert.ok(await button.isDisabled(), "the button waits for the name");
    await owner.fill({ confirm: "alice" });
    assert.ok(await button.isDisabled());
    await owner.fill({ confirm: "alice.b" });
    await owner.send("/ram/users/alice.b/delete");
    owner.at("/ram/users");
    await owner.readsNot("alice.b", owner.page.locator("main table"));
    assert.equal(await owner.go("/ram/users/alice.b"), 404);
    await owner.look("error-not-found");
  });

  await step("the users list: search, filter, nothing found", async () => {
    await owner.go("/ram/users?q=nobody-of-this-name");
    await owner.look("ram-users-nothing-found");
  });

  await step("C34 C35 X9: what changes users asks for the factor each time, and a proof is for that change alone", async () => {
    await owner.go("/ram/settings");
    await owner.pick({ "strength-users": "always" });
    await owner.send("/ram/settings");
    await owner.send("/ram/settings");
    owner.at("/ram/settings");
    for (const comments of ["at the front desk", "on the second floor"]) {
      await owner.go("/ram/users/bob/edit");
      await owner.fill({ comments });
      await owner.send("/ram/users/bob/edit");
      await owner.reads(t.verifyIdentity, owner.page.locator("h1"));
      if (comments.includes("front")) {
        await owner.look("ram-user-edit-verify");
        await owner.fill({ verify_proof: await ownersPhone.wrongCode() });
        await owner.send("/ram/users/bob/edit");
        await owner.reads(t.wrongCode);
        await owner.look("ram-user-edit-verify-refused");
      }
      await owner.fill({ verify_proof: await ownersPhone.code() });
      await owner.send("/ram/users/bob/edit");
      owner.at("/ram/users/bob");
      await owner.reads(comments);
    }
    await owner.go("/ram/settings");
    await owner.pick({ "strength-users": "once-in-15-minutes" });
    await owner.send("/ram/settings");
    await owner.send("/ram/settings");
  });

  await step("A16 A17 A18 A19 A20: the owner unbinds by a current code; the row reads Not Attached", async () => {
    await owner.go("/account/security");
    const row = owner.page.locator("#virtual-mfa");
    await owner.press(t.unbind, row);
    await owner.look("account-unbind");
    await owner.fill({ code: await ownersPhone.code() });
    await owner.press(t.verifyNow);
    owner.at("/account/security");
    await owner.reads(t.notAttached, row);
    await owner.look("account-security-unbound");
    await owner.page.reload();
    await owner.reads(t.notAttached, row);
    await owner.go("/account/security/password");
    await owner.look("account-password");
  });

  await step("the owner reads what was told, and says by the link in a mail that it was not he (attack_056)", async () => {
    await owner.go("/account/notices");
    await owner.look("account-notices");
    const [link] = (await server.newestMailTo(OWNER.name)).match(/http:\/\/localhost:\d+\/not-me\?notice=[0-9a-f.]+/);
    assert.equal(new URL(link).origin, server.url, "the link has the public address");
    const reader = await browser.visitor({ ...at, name: "whoever reads the owner's mail", language });
    await reader.go(link);
    await reader.look("not-me");
    await owner.go("/account/security");
    owner.at("/account/security");
    await reader.send("/not-me");
    await reader.look("not-me-done");
    assert.equal(await reader.go(link), 403, "once");
    await reader.look("not-me-over");
    await owner.go("/account/security");
    owner.at("/");
  });

  await step("the finding stands on the overview until it is settled", async () => {
    await logOn(owner, OWNER.name, OWNER.password);
    await owner.go("/account/notices");
    await owner.look("account-notices-answered");
    await owner.go("/ram/overview");
    await owner.look("ram-overview-finding");
    await owner.go("/ram/mfa-check");
    await owner.look("ram-mfa-check");
    await owner.go("/ram/findings");
    await owner.look("ram-findings");
    await owner.send("/ram/findings");
    await owner.look("ram-findings-none");
    await owner.go("/ram/findings?state=settled");
    await owner.look("ram-findings-settled");
  });

  await step("every page was looked at in every state", async () => {
    await judgeCoverage(browser.people);
  });
});
