// A machine that is remembered, a phone that is lost, and sessions that are ended.
//
//   COUNTERSIGN=target/debug/countersign node tests/browser/recovery.mjs en 1280

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { Browser } from "./house/browser.mjs";
import { noSession, proveCode, provePassword, scan, verifyIdentity } from "./house/deeds.mjs";
import { main, step } from "./house/run.mjs";
import { Server } from "./house/server.mjs";

const [language = "en", width = "1280"] = process.argv.slice(2);
const OWNER = { name: "owner@example.com", password: "correct horse battery" };
const ALICE = { name: "alice@acme.countersign.local", password: "a wall of green ivy" };
const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0";

await main(async (open) => {
  const server = open(await Server.start());
  const browser = open(await Browser.start());
  const at = { url: server.url, width: Number(width), language };
  const owner = await browser.visitor({ ...at, name: "the owner" });
  const hers = await browser.visitor({ ...at, name: "alice at her desk" });
  const away = await browser.visitor({ ...at, name: "alice elsewhere", userAgent: FIREFOX });
  const { t } = owner;
  let codes;
  let phone;

  await step("an account, and a user who must have a device", async () => {
    const [, link] = await server.says(/(http:\/\/localhost:\d+\/setup\?token=\S+)/);
    await owner.go(link);
    await owner.fill({ alias: "acme", email: OWNER.name, new_password: OWNER.password, repeat_password: OWNER.password });
    await owner.send("/setup");
    await provePassword(owner, OWNER.name, OWNER.password);
    await owner.go("/ram/create-user");
    await owner.fill({ name: "alice" });
    await owner.pick({ console_logon: "enabled", password_choice: "custom", mfa: "required" });
    await owner.fill({ new_password: ALICE.password });
    await owner.page.locator('[name="reset_required"]').uncheck();
    await owner.send("/ram/create-user");
    owner.at("/ram/users/alice");
  });

  await step("C29: the owner allows machines to be remembered", async () => {
    await owner.go("/ram/settings");
    await owner.page.locator('[name="remember_machines"]').check();
    await owner.send("/ram/settings");
    await owner.send("/ram/settings");
    owner.at("/ram/settings");
    assert.ok(await owner.page.locator('[name="remember_machines"]').isChecked());
  });

  await step("X13: after her first device she is offered recovery codes: shown once, copied, kept in a file", async () => {
    await provePassword(hers, ALICE.name, ALICE.password);
    hers.at("/logon/bind");
    await hers.press(t.next);
    phone = await scan(hers);
    await hers.fill({ code: await phone.code() });
    await hers.press(t.confirmBind);
    hers.at("/me/security/recovery-codes");
    await hers.look("recovery-offered");
    await hers.press(t.makeRecoveryCodes);
    await hers.reads(t.verifyIdentity);
    await hers.fill({ verify_proof: await phone.code() });
    await hers.send("/me/security/recovery-codes");
    codes = (await hers.page.locator("#codes li").allInnerTexts()).map((code) => code.trim());
    assert.equal(codes.length, 10);
    for (const code of codes) assert.match(code, /^[A-Z2-7]{4}(-[A-Z2-7]{4}){3}$/);
    await hers.look("recovery-made");
    await hers.page.getByRole("button", { name: t.copyAll, exact: true }).click();
    await hers.page.getByRole("button", { name: t.copied, exact: true }).waitFor();
    assert.deepEqual((await hers.page.evaluate(() => navigator.clipboard.readText())).split(/\r?\n/), codes);
    const downloading = hers.page.waitForEvent("download");
    await hers.page.locator("[data-download]").click();
    const download = await downloading;
    assert.equal(download.suggestedFilename(), "countersign-recovery-codes.txt");
    const kept = (await readFile(await download.path(), "utf8")).trim().split(/\r?\n/);
    assert.ok(kept[0].includes(ALICE.name), kept[0]);
    assert.deepEqual(kept.slice(1), codes);
    await hers.press(t.keptCodes);
    hers.at("/me/security");
    await hers.reads(t.tenLeft);
    assert.ok(!(await hers.page.content()).includes(codes[0]), "they are shown once");
    await hers.look("recovery-row");
    await hers.go("/me/security/recovery-codes");
    await hers.look("recovery-state");
    await hers.press(t.makeNewCodes);
    await hers.look("recovery-replace");
  });

  await step("C30 C31 X11: she has her machine remembered, and logs on without a code", async () => {
    await hers.logOff();
    await provePassword(hers, ALICE.name, ALICE.password);
    hers.at("/logon/second-factor");
    await hers.reads(t.rememberMachine);
    await hers.look("remember-offered");
    await hers.page.getByLabel(t.rememberMachine).check();
    await proveCode(hers, await phone.code());
    hers.at("/me/security");
    await hers.logOff();
    await provePassword(hers, ALICE.name, ALICE.password);
    hers.at("/me/security");
    await hers.go("/me/sessions");
    await hers.reads(t.rememberedMachines);
    assert.equal(await hers.page.locator('main button[name="end"][value="machine"]').count(), 1);
    await hers.look("sessions-own");
    const machine = (await hers.context.cookies()).find(({ name }) => name === "countersign-machine");
    const days = (machine.expires - Date.now() / 1000) / 86_400;
    assert.ok(machine.httpOnly && machine.sameSite === "Lax" && days > 6.9 && days < 7.1, `${days} days`);
    await provePassword(away, ALICE.name, ALICE.password);
    away.at("/logon/second-factor");
  });

  await step("X13 attack_053: her phone is lost: a recovery code leads to a new device before anything else", async () => {
    await away.press(t.useRecoveryCode);
    away.at("/logon/recovery-code");
    await away.look("recovery-code");
    await away.fill({ recovery_code: "ABCD-EFGH-IJKL-MNOP" });
    await away.send("/logon/recovery-code");
    await away.reads(t.wrongRecoveryCode);
    await away.look("recovery-code-refused");
    await away.fill({ recovery_code: codes[0].toLowerCase().replaceAll("-", " ") });
    await away.send("/logon/recovery-code");
    away.at("/logon/bind");
    await away.reads(t.oldStopsWorking);
    await away.look("recovery-bind-types");
    for (const path of ["/me/security", "/me/sessions", "/me/security/recovery-codes"]) await noSession(away, path);
    await away.press(t.next);
    await away.reads(t.oldStopsWorking);
    await away.look("recovery-bind");
    phone = await scan(away);
    await away.fill({ code: await phone.code() });
    await away.press(t.confirmBind);
    away.at("/me/security");
    await hers.go("/me/sessions");
    hers.at("/");
    await hers.reads(t.sessionOver);
    await provePassword(hers, ALICE.name, ALICE.password);
    hers.at("/logon/second-factor");
  });

  await step("X11: she ends another session", async () => {
    await proveCode(hers, await phone.code());
    hers.at("/me/security");
    await away.go("/me/sessions");
    await away.reads(t.thisSession);
    await away.reads(t.onLinux);
    await away.look("sessions-two");
    await away.leave(() => away.page.locator('main button[name="end"][value="session"]').click());
    away.at("/me/sessions");
    await away.look("sessions-ended");
    await hers.go("/me/security");
    hers.at("/");
  });

  await step("X11: the owner ends a session of hers, asked before", async () => {
    await owner.go("/ram/users/alice?tab=sessions");
    await owner.look("user-sessions");
    await owner.leave(() => owner.page.locator('main a[href*="end=session&"]').click());
    owner.at("/ram/users/alice/sessions");
    await owner.look("user-sessions-end");
    assert.equal(await away.go("/me/sessions"), 200);
    await owner.send("/ram/users/alice/sessions");
    owner.at("/ram/users/alice");
    await owner.look("user-sessions-none");
    await away.go("/me/sessions");
    away.at("/");
    await owner.go("/ram/users/alice");
    await owner.look("user-with-codes");
  });

  await step("attack_094: the owner logs off everywhere", async () => {
    await owner.go("/account/security");
    await owner.press(t.bind, owner.page.locator("#virtual-mfa"));
    await verifyIdentity(owner, OWNER.password);
    const owners = await scan(owner);
    await owner.fill({ code: await owners.code() });
    await owner.press(t.confirmBind);
    owner.at("/account/security/recovery-codes");
    await owner.press(t.later);
    owner.at("/account/security");
    await owner.look("recovery-row-none");
    await owner.go("/account/sessions");
    await owner.look("sessions-account");
    await owner.press(t.logOffEverywhere);
    await owner.look("log-off-everywhere");
    await owner.send("/account/sessions/log-off-everywhere");
    owner.at("/");
    await owner.reads(t.loggedOffEverywhere);
    await owner.go("/account/sessions");
    owner.at("/");
  });
});
