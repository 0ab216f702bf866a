// Attacks that take a browser. Their numbers are those of docs/attacks.md.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { Browser } from "./house/browser.mjs";
import { noSession, proveCode, provePassword, sayName, scan, verifyIdentity } from "./house/deeds.mjs";
import { SCREENS, finding, main, step } from "./house/run.mjs";
import { Server } from "./house/server.mjs";

const OWNER = { name: "owner@example.com", password: "correct horse battery" };
const DOMAIN = "acme.countersign.local";
const SESSION = "countersign-session";
const LOGON = "countersign-logon";

/** What goes off when it is taken for anything but text. Every one would leave its mark or open a dialog. */
const CORPUS = [
  `<script>window.struck=1</script>`,
  `"><img src=x onerror="window.struck=1">`,
  `'><svg/onload=window.struck=1>`,
  `</title><script>window.struck=1</script>`,
  `</textarea><script>window.struck=1</script>`,
  `javascript:window.struck=1`,
  `{{constructor.constructor('window.struck=1')()}}`,
  `<a href="javascript:window.struck=1" autofocus onfocus=window.struck=1>x</a>`,
  `\u202Egnirts desrever <b>bold</b>`,
  `<iframe srcdoc="<script>parent.struck=1</script>">`,
  `--><!--<img src=x onerror=window.struck=1>`,
  `&lt;script&gt;window.struck=1&lt;/script&gt;`,
];

await main(async (open) => {
  const server = open(await Server.start());
  const browser = open(await Browser.start());
  const at = { url: server.url };
  const owner = await browser.visitor({ ...at, name: "the owner" });
  let phone;
  let admin;

  await step("an account whose owner has a device", async () => {
    const [, link] = await server.says(/(http:\/\/localhost:\d+\/setup\?token=\S+)/);
    await owner.go(link);
    await owner.fill({ alias: "acme", email: OWNER.name, new_password: OWNER.password, repeat_password: OWNER.password });
    await owner.send("/setup");
    await provePassword(owner, OWNER.name, OWNER.password);
    await owner.go("/account/security/virtual-mfa/verify");
    await verifyIdentity(owner, OWNER.password);
    phone = await scan(owner);
    await owner.fill({ code: await phone.code() });
    await owner.press(owner.t.confirmBind);
  });

  await step("attack_070: a stranger's page cannot frame ours", async () => {
    const frames = ["/", "/account/security", "/account/security/virtual-mfa/unbind"]
      .map((path) => `<iframe src="${server.url}${path}" width=600 height=400></iframe>`).join("");
    const evil = open(await strangersPage(`<!doctype html><title>Win a prize</title>${frames}`));
    const page = await owner.context.newPage();
    const refused = [];
    page.on("console", (message) => refused.push(message.text()));
    await page.goto(evil.url);
    await page.waitForLoadState("networkidle");
    for (const frame of page.frames().filter((frame) => frame !== page.mainFrame())) {
      const text = await frame.locator("body").innerText().catch(() => "");
      assert.ok(!/Countersign|Unbind|Log on/.test(text), `a frame shows our page: ${text.slice(0, 100)}`);
    }
    assert.ok(refused.some((text) => /frame-ancestors|X-Frame-Options/i.test(text)), `the browser refused: ${refused.join("; ")}`);
    const { headers } = await fetch(`${server.url}/`);
    assert.match(headers.get("content-security-policy"), /frame-ancestors 'none'/);
    assert.equal(headers.get("x-frame-options"), "DENY");
    await page.close();
  });

  await step("attack_064 attack_125: a stranger's page cannot send our forms", async () => {
    const forms = ["/account/security/virtual-mfa/unbind", "/logoff", "/logon", "/preferences", "/ram/create-user"]
      .map((path, n) => `<form id=f${n} method=post action="${server.url}${path}"><input name=name value="evil@acme"></form>`).join("");
    const evil = open(await strangersPage(`<!doctype html><title>x</title>${forms}<img src="${server.url}/logoff">`));
    for (const n of [0, 1, 2, 3, 4]) {
      const page = await owner.context.newPage();
      await page.goto(evil.url);
      const answered = page.waitForResponse((response) => response.request().method() === "POST");
      const loaded = page.waitForURL((url) => url.origin === server.url);
      await page.evaluate((id) => document.getElementById(id).submit(), `f${n}`);
      assert.equal((await answered).status(), 403, `form ${n}`);
      await loaded;
      if (n === 0) await page.screenshot({ path: `${SCREENS}/error-foreign-form-1280-light-en.png` });
      await page.close();
    }
    assert.equal(await owner.go("/account/security"), 200);
    owner.at("/account/security");
    await owner.reads(owner.t.bound);
  });

  await step("attack_091 attack_092: cookies fixed before the logon are worth nothing after it", async () => {
    const thief = await browser.visitor({ ...at, name: "the thief" });
    await sayName(thief, OWNER.name);
    const fixed = await thief.cookie(LOGON);
    const invented = "A".repeat(43);
    const victim = await browser.visitor({ ...at, name: "the victim" });
    await victim.context.addCookies([
      { name: LOGON, value: fixed, url: server.url },
      { name: SESSION, value: invented, url: server.url },
    ]);
    await victim.go("/logon/password");
    if (victim.path === "/logon/password") {
      await victim.fill({ password: OWNER.password });
      await victim.send("/logon/password");
    } else {
      await provePassword(victim, OWNER.name, OWNER.password);
    }
    const afterPassword = await victim.cookie(LOGON);
    assert.notEqual(afterPassword, fixed, "each step has a new secret");
    await thief.go("/logon/second-factor");
    thief.at("/");
    await proveCode(victim, await phone.code());
    victim.at("/ram/overview");
    assert.notEqual(await victim.cookie(SESSION), invented);
    for (const [logon, session] of [[fixed, invented], [afterPassword, fixed], [fixed, afterPassword]]) {
      await thief.context.clearCookies();
      await thief.context.addCookies([
        { name: LOGON, value: logon, url: server.url },
        { name: SESSION, value: session, url: server.url },
      ]);
      await noSession(thief, "/ram/overview");
      await noSession(thief, "/account/security");
    }
  });

  await step("attack_094: after logging off the cookie is worth nothing, and the back button shows nothing", async () => {
    await owner.go("/account/security");
    await owner.go("/ram/overview");
    const cookies = await owner.context.cookies();
    await owner.logOff();
    assert.equal(await owner.cookie(SESSION), undefined);
    for (let back = 0; back < 3; back += 1) {
      await owner.page.goBack({ waitUntil: "load" });
      assert.ok(!/^\/(ram|account)/.test(owner.path), `back button: ${owner.path}`);
      await owner.readsNot("Account Center", owner.page.locator("body"));
    }
    const replay = await browser.visitor({ ...at, name: "the replay" });
    await replay.context.addCookies(cookies);
    for (const path of ["/account/security", "/ram/overview", "/ram/users", "/me/security"]) await noSession(replay, path);
    await replay.go("/account/security");
    replay.at("/");
  });

  await step("attack_039: a logon that was called off cannot be finished", async () => {
    await provePassword(owner, OWNER.name, OWNER.password);
    owner.at("/logon/second-factor");
    const pending = await owner.cookie(LOGON);
    await owner.press("Not you?");
    owner.at("/");
    await owner.context.addCookies([{ name: LOGON, value: pending, url: server.url }]);
    await owner.go("/logon/second-factor");
    owner.at("/");
    await owner.reads(owner.t.logonOver);
  });

  await step("attack_128: script in names, remarks, addresses, searches and the user agent is text", async () => {
    admin = await browser.visitor({ ...at, name: "the administrator", userAgent: CORPUS[1] });
    await provePassword(admin, OWNER.name, OWNER.password);
    await proveCode(admin, await phone.code());
    for (const [number, text] of CORPUS.entries()) {
      await admin.go("/ram/create-user");
      await admin.fill({ name: `user-${number}`, display_name: text, comments: text });
      await admin.pick({ console_logon: "enabled", password_choice: "custom", mfa: "required" });
      await admin.fill({ new_password: "a wall of green ivy" });
      await admin.send("/ram/create-user");
      admin.at(`/ram/users/user-${number}`);
      assert.ok((await admin.page.locator("main").innerText()).includes(text.trim()), `it is shown as typed: ${text}`);
      await unharmed(admin);
    }
    const pages = [
      "/ram/users", "/ram/overview", "/ram/users/user-0/edit", "/ram/users/user-0/delete", "/ram/users/user-0/policies",
      ...CORPUS.map((text) => `/ram/users?q=${encodeURIComponent(text)}`),
      ...CORPUS.map((text) => `/ram/users/${encodeURIComponent(text)}`),
      ...CORPUS.slice(0, 4).flatMap((text) => [
        `/ram/users/user-1?tab=${encodeURIComponent(text)}&done=${encodeURIComponent(text)}`,
        `/${encodeURIComponent(text)}`,
      ]),
    ];
    for (const path of pages) {
      await admin.go(path);
      await unharmed(admin);
    }
    await admin.go("/ram/users");
    await admin.look("ram-users-corpus");
    await admin.go("/ram/users/user-1");
    await admin.look("ram-user-corpus");
    const stranger = await browser.visitor({ ...at, name: "a stranger", userAgent: CORPUS[0] });
    for (const text of CORPUS) {
      for (const path of [`/?name=${encodeURIComponent(text)}&notice=${encodeURIComponent(text)}`, `/login/${encodeURIComponent(text)}`, `/setup?token=${encodeURIComponent(text)}`]) {
        await stranger.go(path);
        await unharmed(stranger);
      }
      await stranger.go("/");
      await stranger.page.locator('main [name="name"]').fill(text);
      await stranger.send("/logon");
      await unharmed(stranger);
    }
  });

  await step("attack_128: a name that browsers take for a way is none: its page could never be opened", async () => {
    for (const name of [".", ".."]) {
      await admin.go("/ram/create-user");
      await admin.fill({ name });
      await admin.send("/ram/create-user");
      await admin.reads("A user name has only the letters");
    }
  });

  await step("the headers of pages", async () => {
    const { headers } = await fetch(`${server.url}/`);
    assert.match(headers.get("content-security-policy"), /default-src 'none'/);
    assert.ok(!/unsafe/.test(headers.get("content-security-policy")));
    assert.equal(headers.get("cache-control"), "no-store");
    assert.equal(headers.get("x-content-type-options"), "nosniff");
  });
});

/** Nothing that was meant as text has been run. */
async function unharmed(visitor) {
  if (await visitor.page.evaluate(() => "struck" in globalThis)) finding(`${visitor.page.url()}: a script ran that came as text`);
}

/** A site of somebody else. */
function strangersPage(html) {
  return new Promise((ready) => {
    const site = createServer((_, response) => response.setHeader("content-type", "text/html").end(html));
    site.listen(0, "127.0.0.1", () => ready({
      url: `http://127.0.0.1:${site.address().port}/`,
      stop: () => new Promise((done) => { site.closeAllConnections(); site.close(done); }),
    }));
  });
}
