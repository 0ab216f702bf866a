// The main path with scripting switched off: every page works by links and forms alone.

import assert from "node:assert/strict";
import { Browser } from "./house/browser.mjs";
import { logOn, provePassword, scan } from "./house/deeds.mjs";
import { Phone } from "./house/phone.mjs";
import { main, step } from "./house/run.mjs";
import { Server } from "./house/server.mjs";

const OWNER = { name: "owner@example.com", password: "correct horse battery" };
const ALICE = { name: "alice@acme.countersign.local", password: "a wall of green ivy" };

await main(async (open) => {
  const server = open(await Server.start());
  const browser = open(await Browser.start());
  const at = { url: server.url, width: 360, script: false };
  const owner = await browser.visitor({ ...at, name: "the owner" });
  const user = await browser.visitor({ ...at, name: "alice" });
  let given;

  await step("set-up and the owner's logon, later", async () => {
    const [, link] = await server.says(/(http:\/\/localhost:\d+\/setup\?token=\S+)/);
    await owner.go(link);
    await owner.fill({ alias: "acme", email: OWNER.name, new_password: OWNER.password, repeat_password: OWNER.password });
    await owner.send("/setup");
    await provePassword(owner, OWNER.name, OWNER.password);
    owner.at("/account/welcome");
    await owner.press(owner.t.later);
    owner.at("/ram/overview");
  });

  await step("C08: a user who must have MFA is created; the password stands on the page", async () => {
    await owner.leave(() => owner.page.locator('main a[href="/ram/create-user"]').first().click());
    await owner.fill({ name: "alice" });
    await owner.pick({ console_logon: "enabled", password_choice: "generate", mfa: "required" });
    await owner.send("/ram/create-user");
    given = (await owner.page.locator("#handed-password").innerText()).trim();
    await owner.picture("no-script-user-created");
  });

  await step("C09: her first logon: choose a password, bind, confirm", async () => {
    await provePassword(user, ALICE.name, given);
    await user.fill({ new_password: ALICE.password, repeat_password: ALICE.password });
    await user.send("/logon/choose-password");
    user.at("/logon/bind");
    await user.press(user.t.next);
    user.at("/logon/bind/virtual-mfa");
    await user.picture("no-script-bind");
  });

  await step("V09 V10: QR code and key stand below each other, and say the same", async () => {
    const scanned = await scan(user);
    const typed = new Phone(await user.page.locator("#setup-key").innerText());
    assert.equal(typed.key, scanned.key);
    assert.ok(await user.page.locator("#setup-key").isVisible());
    assert.equal(await user.page.locator("button.only-script:visible").count(), 0, "no button that does nothing");
    await user.fill({ code: await scanned.code() });
    await user.press(user.t.confirmBind);
    user.at("/me/security/recovery-codes");
    await user.press(user.t.later);
    user.at("/me/security");
    user.phone = scanned;
  });

  await step("menus and the drawer open, log off, log on by code", async () => {
    const menu = await user.openProfile();
    assert.ok(await menu.locator(".menu-panel").isVisible());
    await user.leave(() => menu.locator('form[action="/logoff"] button').click());
    user.at("/");
    await logOn(user, ALICE.name, ALICE.password, user.phone);
    user.at("/me/security");
    await owner.go("/ram/users");
    await (await owner.navigation()).getByRole("link", { name: owner.t.users, exact: true }).waitFor();
    await owner.picture("no-script-drawer");
  });

  await step("the owner unbinds; her session ends; her delete page wants the name", async () => {
    await owner.go("/ram/users/alice/virtual-mfa/unbind");
    await owner.send("/ram/users/alice/virtual-mfa/unbind");
    await user.go("/me/security");
    user.at("/");
    await owner.go("/ram/users/alice/delete");
    await owner.fill({ confirm: "alicia" });
    await owner.send("/ram/users/alice/delete");
    owner.at("/ram/users/alice/delete");
    await owner.picture("no-script-delete-refused");
    await owner.fill({ confirm: "alice" });
    await owner.send("/ram/users/alice/delete");
    owner.at("/ram/users");
  });

  await step("the theme and the language are chosen by buttons", async () => {
    await owner.go("/account/security");
    await owner.choose("zh-CN");
    owner.at("/account/security");
    await owner.leave(() => owner.page.locator('.site-footer button[value="dark"]').click());
    assert.equal(await owner.page.locator("html").getAttribute("data-theme"), "dark");
    assert.equal(await owner.page.locator("html").getAttribute("lang"), "zh-CN");
  });
});
