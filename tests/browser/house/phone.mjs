// An authenticator app made of other people's programs: zbarimg reads the QR code, oathtool computes the codes.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const STEP_SECONDS = 30;
/** A code typed this close to the end of its step may be judged in the next one. */
const CLOSING_SECONDS = 8;

/**
 * One entry of the app.
 *
 * The server takes the codes of three steps, each later than the last one taken, and follows the clock of the device. So a
 * test never waits for a new code: it asks oathtool for one of a neighbouring step that is not spent yet.
 */
export class Phone {
  #last = 0;
  #drift = 0;

  /** An entry by its key, as typed from the tab *QR Information*. */
  constructor(key, account = "") {
    this.key = key.replace(/\s/g, "");
    this.account = account;
    assert.match(this.key, /^[A-Z2-7]{32,}$/, "a setup key is base32 of at least 160 bits");
  }

  /** Scans the picture of a QR code off the page, as a camera would. */
  static async scan(element) {
    const folder = await mkdtemp(join(tmpdir(), "countersign-qr-"));
    try {
      const picture = join(folder, "qr.png");
      await element.screenshot({ path: picture });
      const { stdout } = await run("zbarimg", ["--quiet", "--nodbus", "--raw", picture]);
      return Phone.from(stdout.trim());
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** An entry by the URI that a QR code holds. */
  static from(text) {
    const uri = new URL(text);
    assert.equal(uri.protocol, "otpauth:");
    assert.equal(uri.host, "totp");
    const value = (name) => uri.searchParams.get(name);
    // V02, V03: what apps take for granted, so nothing else may stand there.
    assert.equal(value("digits") ?? "6", "6");
    assert.equal(value("period") ?? "30", "30");
    assert.equal(value("algorithm") ?? "SHA1", "SHA1");
    const label = decodeURIComponent(uri.pathname.replace(/^\/+/, ""));
    const phone = new Phone(value("secret"), label.slice(label.indexOf(":") + 1).trim());
    phone.issuer = value("issuer");
    return phone;
  }

  /** A code that is right and not spent. It counts as spent from now on. */
  async code() {
    const now = Date.now() / 1000;
    const present = Math.floor(now / STEP_SECONDS);
    const closing = STEP_SECONDS - (now % STEP_SECONDS) < CLOSING_SECONDS ? 1 : 0;
    const step = Math.max(present + this.#drift - 1 + closing, this.#last + 1);
    assert.ok(step <= present + this.#drift + 1, "this device has no unspent code within the window; use fewer, or bind anew");
    this.#spend(step, present);
    return this.#at(step);
  }

  /** Two codes in a row, the second of the present step or the one after. */
  async twoCodes() {
    const first = Math.max(Math.floor(Date.now() / 1000 / STEP_SECONDS) - 1, this.#last + 1);
    this.#last = first + 1;
    return [await this.#at(first), await this.#at(first + 1)];
  }

  /** Six digits that are right in none of the steps around now. */
  async wrongCode() {
    const present = Math.floor(Date.now() / 1000 / STEP_SECONDS);
    const near = await Promise.all([-3, -2, -1, 0, 1, 2, 3, 4].map((offset) => this.#at(present + offset)));
    return ["000000", "111111", "222222", "333333", "444444", "555555", "666666", "777777", "888888"]
      .find((code) => !near.includes(code));
  }

  #spend(step, present) {
    this.#last = step;
    const towards = this.#drift + Math.sign(step - present - this.#drift);
    if (Math.abs(towards) <= 2) this.#drift = towards;
  }

  async #at(step) {
    const now = `@${step * STEP_SECONDS}`;
    const { stdout } = await run("oathtool", ["--totp", "--base32", `--now=${now}`, this.key]);
    return stdout.trim();
  }
}
