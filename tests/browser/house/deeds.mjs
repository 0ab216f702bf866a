// What people do on more than one page, done as they do it: by the words and the fields on the pages.

import assert from "node:assert/strict";
import { Phone } from "./phone.mjs";

/** Says who one is, and stands before the question for the password. */
export async function sayName(visitor, name) {
  await visitor.go("/");
  if (!visitor.path.startsWith("/logon")) visitor.at("/");
  const isOwner = !/\.local$|@acme$/.test(name);
  if (isOwner) await visitor.leave(() => visitor.page.locator('a[href="/?as=owner"]').click());
  await visitor.fill({ name });
  await visitor.send("/logon");
  visitor.at("/logon/password");
  assert.equal((await visitor.page.locator(".logon-who-name").innerText()).replace(/^.*[:：]\s*|^Logging on as\s*/, "").trim(), name);
}

/** Name and password: the next page is the one that the policy says. */
export async function provePassword(visitor, name, password) {
  await sayName(visitor, name);
  await visitor.fill({ password });
  // Enter sends it, as on every form.
  await visitor.leave(() => visitor.page.locator('main [name="password"]').press("Enter"));
}

/** Types a code into the present logon. */
export async function proveCode(visitor, code) {
  visitor.at("/logon/second-factor");
  await visitor.fill({ code });
  await visitor.send("/logon/second-factor");
}

/** Name, password and a code. */
export async function logOn(visitor, name, password, phone) {
  await provePassword(visitor, name, password);
  if (phone) await proveCode(visitor, await phone.code());
}

/** Reads the QR code off the page. */
export async function scan(visitor) {
  return Phone.scan(visitor.page.locator(".qr"));
}

/** Reads the key off the tab *QR Information* with its copy buttons. */
export async function copyKey(visitor) {
  const { page, t } = visitor;
  await page.getByRole("tab", { name: t.qrInformation, exact: true }).click();
  const panel = page.getByRole("tabpanel", { name: t.qrInformation, exact: true });
  assert.ok(await panel.isVisible(), "the tab shows its panel");
  assert.ok(!(await page.locator(".qr").isVisible()), "the other tab is hidden");
  const copies = panel.getByRole("button", { name: t.copy, exact: true });
  assert.equal(await copies.count(), 2, "account and key each have a copy button");
  const copied = [];
  for (const nth of [0, 1]) {
    await copies.nth(0).click();
    // The button that was pressed says so, so the other one is the first of this name now.
    await panel.getByRole("button", { name: t.copied, exact: true }).nth(nth).waitFor();
    copied.push(await page.evaluate(() => navigator.clipboard.readText()));
  }
  const shown = (await panel.locator("#setup-key").innerText()).replace(/\s/g, "");
  assert.equal(copied[1], shown, "what is copied is what is shown");
  return new Phone(copied[1], copied[0]);
}

/** What every binding page must show, whoever came by whichever way (A05, A10, A13, C18, V03 to V09, V15, V16). */
export async function judgeBindingPage(visitor) {
  const { page, t } = visitor;
  for (const text of [t.whatIsMfa, t.thirtySeconds, t.newestVersion, t.uninstall]) await visitor.reads(text);
  for (const app of ["Google Authenticator", "Microsoft Authenticator"]) await visitor.reads(app);
  for (const store of ["apps.apple.com", "play.google.com"]) {
    assert.ok(await page.locator(`a[href^="https://${store}/"]`).count() >= 2, `links to ${store}`);
  }
  const [scanTab, typeTab] = [t.scanTheCode, t.qrInformation].map((name) => page.getByRole("tab", { name, exact: true }));
  await scanTab.focus();
  for (const [key, tab] of [["ArrowRight", typeTab], ["ArrowLeft", scanTab]]) {
    await page.keyboard.press(key);
    assert.equal(await tab.getAttribute("aria-selected"), "true", `${key} goes to the other tab`);
  }
  assert.ok(await page.getByRole("button", { name: t.confirmBind, exact: true }).isVisible());
  const field = page.locator('main [name="code"]');
  assert.equal(await field.getAttribute("autocomplete"), "one-time-code");
  assert.equal(await field.getAttribute("inputmode"), "numeric");
}

/** Passes Verify Identity with the password, and stands before the QR code. */
export async function verifyIdentity(visitor, password) {
  visitor.at(/\/virtual-mfa\/verify$/);
  await visitor.reads(visitor.t.verifyIdentity);
  await visitor.fill({ password });
  await visitor.press(visitor.t.next);
  visitor.at(/\/virtual-mfa\/bind$/);
}

/** Whatever this browser holds, it opens nothing: the page asks who one is. Asked without the browser, which would take
 * the removal of its cookies to heart. */
export async function noSession(visitor, path) {
  const cookie = (await visitor.context.cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
  const response = await fetch(visitor.url + path, { headers: { cookie }, redirect: "manual" });
  const to = response.headers.get("location") ?? "";
  assert.ok(response.status === 303 && /^\/(\?notice=session-over)?$/.test(to), `${path} was answered ${response.status} ${to}`);
}
