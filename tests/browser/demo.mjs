// `serve --demo`: a newcomer logs on with what is printed and looks around.

import assert from "node:assert/strict";
import { Browser } from "./house/browser.mjs";
import { logOn, provePassword } from "./house/deeds.mjs";
import { Phone } from "./house/phone.mjs";
import { main, step } from "./house/run.mjs";
import { Server } from "./house/server.mjs";

await main(async (open) => {
  const server = open(await Server.start({ demo: true }));
  const browser = open(await Browser.start());
  const at = { url: server.url };
  const house = {};
  const owner = await browser.visitor({ ...at, name: "the owner" });
  const narrow = await browser.visitor({ ...at, name: "the owner with a phone", width: 360 });
  const admin = await browser.visitor({ ...at, name: "the administrator", width: 360 });

  await step("its people are printed with passwords and setup keys", async () => {
    await server.says(/User with a device/);
    await server.says(/have the password/);
    for (const line of server.said.split("\n")) {
      const person = /^\s*(Account owner|Administrator|User[^@]*?)\s{2,}(\S+@\S+)\s+(\S+)\s*((?:[A-Z2-7]{2,4} ?)*)\s*$/.exec(line);
      if (person) house[person[1]] = { name: person[2], password: person[3], key: person[4] };
    }
    assert.deepEqual(Object.keys(house), ["Account owner", "Administrator", "User, no MFA", "User who must bind", "User with a device"]);
  });

  await step("the owner, the administrator with the printed key, and the users log on", async () => {
    for (const person of [owner, narrow]) {
      await logOn(person, house["Account owner"].name, house["Account owner"].password);
      person.at("/account/welcome");
    }
    await logOn(admin, house.Administrator.name, house.Administrator.password, new Phone(house.Administrator.key));
    admin.at("/ram/overview");
    await admin.look("demo-overview-administrator");
    const users = { "User, no MFA": "/me/security", "User who must bind": "/logon/bind", "User with a device": "/logon/second-factor" };
    for (const [what, path] of Object.entries(users)) {
      const person = await browser.visitor({ ...at, name: what });
      await provePassword(person, house[what].name, house[what].password);
      person.at(path);
    }
  });

  await step("C11 C12: the overview, and a list of forty-one users", async () => {
    for (const person of [owner, narrow]) {
      await person.go("/ram/overview");
      await person.look("demo-overview");
      await person.go("/ram/users");
      await person.look("demo-users");
    }
    assert.equal(await rows(owner), 41);
    await owner.reads("1–41");
  });

  await step("K04: the overview leads from the finding to the fix, step by step", async () => {
    await owner.go("/ram/overview");
    await owner.reads("Require MFA from 10 users");
    const steps = owner.page.locator("main details.help");
    await steps.locator("summary").click();
    assert.equal(await steps.locator("ol li").count(), 5);
    for (const words of ["Identities", "Modify Logon Settings", "Required"]) await owner.reads(words, steps);
    await owner.look("demo-overview-steps");
  });

  await step("K01 K02 K03 K11: the check lists every user, tells why, and leads to the fix", async () => {
    for (const person of [owner, narrow, admin]) {
      await person.go("/ram/mfa-check");
      await person.look("demo-mfa-check");
    }
    for (const words of ["Description", "Rationale", "Out of scope", "Failed", "Passed"]) await owner.reads(words);
    assert.equal(await owner.page.locator("main details.help ol li").count(), 7);
    assert.equal(await rows(owner), 41);
    await owner.go("/ram/mfa-check?result=failed");
    await owner.look("demo-mfa-check-failed");
    const fix = owner.page.locator('main table a[href$="/logon-settings"]').first();
    await owner.leave(() => fix.click());
    await owner.reads("Modify Logon Settings");
    await owner.go("/ram/audit");
    await owner.page.locator("main .page-head summary").click();
    await owner.look("demo-audit-download");
    await narrow.go("/ram/audit");
    await narrow.page.locator("main .page-head summary").click();
    await narrow.look("demo-audit-download");
  });

  await step("the tiles of the overview lead to lists that hold at least those they count", async () => {
    await owner.go("/ram/overview");
    const tiles = await owner.page.locator("main .tile").evaluateAll((all) => all.map((tile) => ({
      label: tile.querySelector(".tile-label").textContent.trim(),
      value: Number(tile.querySelector(".tile-value").firstChild.textContent.trim()),
      path: tile.querySelector("a").getAttribute("href"),
    })));
    assert.ok(tiles.length >= 3, "the overview leads to lists");
    for (const tile of tiles) {
      await owner.go(tile.path);
      const listed = await rows(owner);
      assert.ok(tile.value > 0 && listed >= tile.value, `${tile.label}: ${tile.value}, ${tile.path} lists ${listed}`);
    }
  });

  await step("C12: every filter and the search find what they say", async () => {
    const counts = {};
    await owner.go("/ram/users");
    const filters = await owner.page.locator('select[name="mfa"] option').evaluateAll((all) => all.map((option) => option.value));
    for (const filter of filters) {
      await owner.go("/ram/users");
      await owner.pick({ mfa: filter });
      await owner.leave(() => owner.page.locator('main form.filters button').click());
      counts[filter] = await rows(owner);
      assert.ok(counts[filter] > 0, `the filter ${filter} finds somebody`);
      await owner.look(`demo-users-${filter || "any"}`);
    }
    const named = Object.entries(counts);
    const any = Math.max(...Object.values(counts));
    assert.equal(any, 41);
    assert.equal(counts.bound + counts["not-attached"], any, `bound and not attached are everybody: ${JSON.stringify(named)}`);
    for (const [text, expected] of [["silva", 1], ["SILVA", 1], ["王芳", 1], ["张", 0], ["intern-", 2], ["%", 0], ["_", 0], ["Müller", 1], ["no such user", 0]]) {
      await owner.go("/ram/overview");
      await owner.page.locator('.topbar-search [name="q"]').fill(text);
      await owner.leave(() => owner.page.locator('.topbar-search [name="q"]').press("Enter"));
      owner.at("/ram/users");
      assert.equal(await rows(owner), expected, `the search for ${text}`);
    }
  });

  await step("C13: the page of a user in every state", async () => {
    const people = {
      bound: "chen.wei", "must-bind": "bruno.silva", plain: "alice", "by-choice": "li.na", unbound: "somchai", "reset-due": "francois",
      "password-locked": "dana", "device-locked": "eleni", disabled: "ivan.petrov", "no-console": "x.ae-12", administrator: "ram-admin",
      "right-to-left": "mohammed",
    };
    const inFull = ["bound", "must-bind", "device-locked", "administrator"];
    for (const [state, name] of Object.entries(people)) {
      await owner.go(`/ram/users/${name}`);
      await owner.look(`demo-user-${state}`);
      if (!inFull.includes(state)) continue;
      await owner.go(`/ram/users/${name}?tab=virtual-mfa`);
      await owner.look(`demo-user-${state}-device`);
      await narrow.go(`/ram/users/${name}`);
      await narrow.look(`demo-user-${state}`);
    }
  });

  await step("the owner lifts the locks", async () => {
    for (const name of ["dana", "eleni"]) {
      await owner.go(`/ram/users/${name}`);
      await owner.reads("Locked");
      await owner.send(`/ram/users/${name}/unlock`);
      owner.at(`/ram/users/${name}`);
      await owner.readsNot("Locked until");
    }
  });
});

async function rows(visitor) {
  return visitor.page.locator("main table tbody tr").count();
}
