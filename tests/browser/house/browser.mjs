// Chromium, the people who sit before it, and what is looked at on every page they see.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { SCREENS, finding } from "./run.mjs";
import { words } from "./words.mjs";

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];
const AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"];
const PATIENCE_MS = 15_000;

/** A Chromium with an empty profile. */
export class Browser {
  static async start() {
    const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
    return new Browser(await chromium.launch({ executablePath, args: FLAGS }));
  }

  constructor(inner) {
    this.inner = inner;
    this.people = [];
  }

  /** Somebody at a machine of his own: no cookie is shared with anybody. */
  async visitor(options) {
    const person = await Visitor.at(this.inner, options);
    this.people.push(person);
    return person;
  }

  async stop() {
    await this.inner.close();
  }

  /** What everybody saw last, for the account of a failure. */
  async confess() {
    const lines = [];
    for (const [number, person] of this.people.entries()) {
      if (person.page.isClosed()) continue;
      const path = join(SCREENS, `failed-${number + 1}.png`);
      await person.page.screenshot({ path, fullPage: true }).catch(() => {});
      const text = await person.page.locator("main").innerText({ timeout: 1000 }).catch(() => "");
      lines.push(`visitor ${number + 1} (${person.name}) at ${person.page.url()}, picture in ${path}:\n${text.slice(0, 1200)}`);
    }
    return lines.join("\n\n");
  }
}

/** Somebody before a page. */
export class Visitor {
  static async at(browser, { url, name, language = "en", locale = language, width = 1280, script = true, userAgent } = {}) {
    const visitor = new Visitor();
    Object.assign(visitor, { url, name, width, language, t: words(language), looked: new Map() });
    visitor.context = await browser.newContext({
      baseURL: url,
      viewport: { width, height: width < 600 ? 720 : 800 },
      locale,
      timezoneId: "Asia/Shanghai",
      reducedMotion: "reduce",
      colorScheme: "light",
      javaScriptEnabled: script,
      permissions: ["clipboard-read", "clipboard-write"],
      userAgent,
    });
    visitor.context.setDefaultTimeout(PATIENCE_MS);
    visitor.script = script;
    visitor.page = await visitor.context.newPage();
    visitor.#listen();
    return visitor;
  }

  /** Opens an address, and tells the status it was answered with. */
  async go(path) {
    const response = await this.page.goto(path);
    return response.status();
  }

  get path() {
    return new URL(this.page.url()).pathname;
  }

  /** The page is the one at `path`, a string or a pattern. */
  at(path) {
    if (path instanceof RegExp) assert.match(this.path, path, `${this.name} is elsewhere`);
    else assert.equal(this.path, path, `${this.name} is elsewhere`);
  }

  /** Types into the fields of the present form, by their names. */
  async fill(fields) {
    for (const [name, value] of Object.entries(fields)) {
      await this.page.locator(`main [name="${name}"]:not([type="hidden"]):not([aria-hidden="true"])`).fill(value);
    }
  }

  /** Presses the button or follows the link of this name, and waits for the page it leads to. */
  async press(name, within = this.page.locator("main")) {
    const named = { name, exact: typeof name === "string" };
    const target = within.getByRole("button", named).or(within.getByRole("link", named)).first();
    await this.leave(() => target.click());
  }

  /** Chooses among radio buttons and in lists, by the names and values of the fields. */
  async pick(choices) {
    for (const [name, value] of Object.entries(choices)) {
      const radio = this.page.locator(`main input[type="radio"][name="${name}"][value="${value}"]`);
      if (await radio.count()) await radio.check();
      else await this.page.locator(`main select[name="${name}"]`).selectOption(value);
    }
  }

  /** The console's navigation; on a narrow screen the drawer is opened first. */
  async navigation() {
    const opener = this.page.locator(".nav-open");
    if (await opener.isVisible()) await opener.click();
    return this.page.locator("#nav");
  }

  /** Sends the form that goes to `action`. */
  async send(action) {
    await this.leave(() => this.page.locator(`main form[action="${action}"] button:not([type="button"])`).first().click());
  }

  /** Does what loads another page, and waits for that page. */
  async leave(act) {
    const loaded = this.page.waitForEvent("domcontentloaded");
    loaded.catch(() => {});
    await act();
    await loaded;
    await this.page.waitForLoadState("load");
  }

  /** Somewhere on the page stands this text. */
  async reads(text, within = this.page.locator("body")) {
    const found = (await within.first().innerText()).replace(/\s+/g, " ");
    const there = text instanceof RegExp ? text.test(found) : found.includes(text);
    assert.ok(there, `${this.name} at ${this.path} should read ${text}, but reads: ${found.slice(0, 800)}`);
  }

  /** Nowhere on the page stands this text. */
  async readsNot(text, within = this.page.locator("body")) {
    const found = (await within.first().innerText()).replace(/\s+/g, " ");
    const there = text instanceof RegExp ? text.test(found) : found.includes(text);
    assert.ok(!there, `${this.name} at ${this.path} should not read ${text}`);
  }

  /** Chooses the language by its button in the page's foot, and stays on the page, or on that of the form just refused. */
  async choose(language, at = this.page.url()) {
    await this.leave(() => this.page.locator(`.site-footer button[value="${language}"]`).click());
    assert.equal(await this.page.locator("html").getAttribute("lang"), language);
    assert.equal(this.page.url(), new URL(at, this.url).href, "a change of language stays on the page");
    Object.assign(this, { language, t: words(language) });
  }

  /** Opens the menu at the profile picture. */
  async openProfile() {
    const menu = this.page.locator("details.menu", { has: this.page.locator(".avatar") });
    await menu.locator("summary").click();
    return menu;
  }

  /** Logs off by the profile menu. */
  async logOff() {
    const menu = await this.openProfile();
    await this.leave(() => menu.getByRole("button", { name: this.t.logOff, exact: true }).click());
    this.at("/");
  }

  /** The value of a cookie of this browser, or undefined. */
  async cookie(name) {
    return (await this.context.cookies()).find((cookie) => cookie.name === name)?.value;
  }

  /**
   * Looks at the page, in English in both themes: nothing for axe to find, nothing beyond the edge, the language
   * declared, no key of a text left over. Leaves pictures. `within` names the part that lies above the rest, as an open
   * menu: what it covers is not judged then.
   */
  async look(page, { within } = {}) {
    this.looked.set(page, this.path);
    const where = `${page} at ${this.width} px in ${this.language}`;
    const declared = await this.page.locator("html").getAttribute("lang");
    if (declared !== this.language) finding(`the page says that it is in ${declared}`, where);
    await this.page.evaluate(AXE);
    for (const theme of this.language === "en" ? ["light", "dark"] : ["light"]) {
      await this.page.emulateMedia({ colorScheme: theme });
      const picture = `${page}-${this.width}-${theme}-${this.language}.png`;
      await this.#photograph(join(SCREENS, picture));
      // Only colours differ between the themes.
      const rules = theme === "light" ? { type: "tag", values: AXE_TAGS } : { type: "rule", values: ["color-contrast"] };
      for (const violation of await this.#axe(rules, within)) finding(`axe ${violation}`, `${where}, ${theme}`);
    }
    await this.page.emulateMedia({ colorScheme: "light" });
    for (const part of await this.#beyond()) finding(`beyond the edge of the page: ${part}`, where);
    const text = await this.page.locator("body").innerText();
    const leftOver = /\{ ?\$|\b(?:refusal|error|done|notice|chip|bind|nav|setup|ram|user|setting|logon|webauthn|attestation)-(?!admin)[a-z]+(?:-[a-z]+)*\b/.exec(text);
    if (leftOver) finding(`it reads like a key without a text: ${leftOver[0]}`, where);
  }

  /** Only a picture: without scripting axe cannot look. */
  async picture(page) {
    await this.#photograph(join(SCREENS, `${page}-${this.width}-light-${this.language}.png`));
  }

  #axe(rules, within) {
    return this.page.evaluate(async ([runOnly, part]) => {
      const result = await globalThis.axe.run(part ?? document, { runOnly, resultTypes: ["violations"] });
      return result.violations.flatMap((rule) => rule.nodes.map((node) =>
        `${rule.id}: ${node.target.join(" ")}: ${node.failureSummary.replace(/\s+/g, " ")}`));
    }, [rules, within]);
  }

  /** The whole page in a window that is high enough for it, so that what sticks to the window stands where it belongs. */
  async #photograph(path) {
    const { width, height } = this.page.viewportSize();
    const whole = await this.page.evaluate(() => document.documentElement.scrollHeight);
    if (whole > height) await this.page.setViewportSize({ width, height: whole });
    await this.page.screenshot({ path, animations: "disabled" });
    if (whole > height) await this.page.setViewportSize({ width, height });
  }

  /** What has text or can be used and lies beyond the left or right edge, and the page itself where it scrolls sideways. */
  #beyond() {
    return this.page.evaluate(() => {
      const { scrollWidth, clientWidth } = document.documentElement;
      const speaks = (el) => el.matches("input, button, select, textarea, svg, img")
        || [...el.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
      const beyond = [...document.body.querySelectorAll("*")].filter((el) => {
        const { left, right, width } = el.getBoundingClientRect();
        return width > 1 && (left < -0.5 || right > clientWidth + 0.5) && speaks(el)
          && el.checkVisibility({ visibilityProperty: true }) && !el.closest(".visually-hidden, .skip-link, .nav, .tabs");
      }).map((el) => `${el.tagName.toLowerCase()}.${el.className} "${el.textContent.trim().slice(0, 40)}"`);
      if (scrollWidth > clientWidth) beyond.unshift(`the page: ${scrollWidth} px where there is room for ${clientWidth}`);
      return beyond;
    });
  }

  /** Whatever the browser complains about is a finding: scripts, the content security policy, things that do not load. */
  #listen() {
    const { page } = this;
    page.on("console", (message) => {
      if (!["error", "warning"].includes(message.type())) return;
      // Chromium also complains of pages that are answered with 403, 404 or 422 on purpose; `response` below judges those.
      if (message.text().startsWith("Failed to load resource")) return;
      finding(`${this.name} at ${this.path}: the console says: ${message.text()}`);
    });
    page.on("pageerror", (error) => finding(`${this.name} at ${this.path}: a script failed: ${error}`));
    page.on("dialog", async (dialog) => {
      finding(`${this.name} at ${this.path}: a dialog opened: ${dialog.message()}`);
      await dialog.dismiss();
    });
    page.on("response", (response) => {
      const [status, request] = [response.status(), response.request()];
      const isPage = request.isNavigationRequest();
      if (status >= 500 || (status >= 400 && !isPage)) finding(`${this.name}: ${request.method()} ${response.url()} was answered ${status}`);
      if (new URL(response.url()).origin !== this.url) finding(`${this.name}: a page asked ${response.url()}`);
    });
  }
}
