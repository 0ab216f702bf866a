// The real binary on a data folder of its own, and how it ends.

import { spawn } from "node:child_process";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const START_MS = 20_000;

/** A running `countersign serve`. */
export class Server {
  #process;
  #folder;
  #said = "";
  #waiting = [];

  /** Starts it on a free port of loopback and waits until it answers. `demo` starts the furnished house instead. */
  static async start({ demo = false } = {}) {
    const server = new Server();
    const [port, apiPort, opsPort] = await Promise.all([freePort(), freePort(), freePort()]);
    server.url = `http://localhost:${port}`;
    server.opsUrl = `http://127.0.0.1:${opsPort}`;
    const flags = [
      "--listen", `127.0.0.1:${port}`, "--api-listen", `127.0.0.1:${apiPort}`, "--ops-listen", `127.0.0.1:${opsPort}`,
      "--public-url", server.url,
    ];
    if (demo) {
      flags.push("--demo");
    } else {
      server.#folder = await mkdtemp(join(tmpdir(), "countersign-browser-"));
      flags.push("--data", server.#folder);
    }
    server.#run(["serve", ...flags]);
    await server.#answers();
    return server;
  }

  /** The first match of a pattern in what it has printed so far or prints soon. */
  async says(pattern) {
    const deadline = Date.now() + START_MS;
    for (;;) {
      const match = pattern.exec(this.#said);
      if (match) return match;
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`the server never said ${pattern}; it said:\n${this.#said}`);
      await Promise.race([new Promise((wake) => this.#waiting.push(wake)), pause(left)]);
    }
  }

  /** The newest mail to somebody, which became a file because no mail server is configured: its plain text. */
  async newestMailTo(address) {
    const folder = join(this.#folder, "outbox");
    const deadline = Date.now() + START_MS;
    while (Date.now() < deadline) {
      const names = (await readdir(folder).catch(() => [])).filter((name) => name.includes(`_${address}_`) && name.endsWith(".eml"));
      if (names.length) return plainText(await readFile(join(folder, names.sort().at(-1)), "utf8"));
      await pause(100);
    }
    throw new Error(`no mail to ${address}`);
  }

  /** All that it has printed so far. */
  get said() {
    return this.#said;
  }

  /** Asks it to stop, waits for that, and removes its folder. */
  async stop() {
    if (this.#process && this.#process.exitCode === null) {
      const gone = new Promise((done) => this.#process.once("exit", done));
      this.#process.kill("SIGTERM");
      await Promise.race([gone, pause(15_000).then(() => this.#process.kill("SIGKILL"))]);
    }
    if (this.#folder) await rm(this.#folder, { recursive: true, force: true });
  }

  #run(args) {
    const binary = process.env.COUNTERSIGN;
    if (!binary) throw new Error("COUNTERSIGN must name the binary (cargo build -p countersign)");
    this.#process = spawn(binary, args, { stdio: ["ignore", "pipe", "pipe"], env: cleanEnvironment() });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        this.#said += text;
        for (const wake of this.#waiting.splice(0)) wake();
      });
    }
  }

  async #answers() {
    const deadline = Date.now() + START_MS;
    while (Date.now() < deadline) {
      if (this.#process.exitCode !== null) break;
      try {
        if ((await fetch(`${this.opsUrl}/readyz`)).ok) return;
      } catch {
        // Not yet.
      }
      await pause(25);
    }
    const said = this.#said;
    await this.stop();
    throw new Error(`the server did not start; it said:\n${said}`);
  }
}

/** The first part of a message, decoded. */
function plainText(message) {
  const part = message.split(/^Content-Type: text\/plain/m)[1];
  const [head, body] = [part.slice(0, part.indexOf("\r\n\r\n")), part.slice(part.indexOf("\r\n\r\n") + 4).split("\r\n--")[0]];
  if (/base64/.test(head)) return Buffer.from(body, "base64").toString("utf8");
  if (!/quoted-printable/.test(head)) return body;
  const bytes = body.replace(/=\r\n/g, "").replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, "latin1").toString("utf8");
}

/** Nothing of the machine's own configuration of the server. */
function cleanEnvironment() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("COUNTERSIGN")));
}

function freePort() {
  return new Promise((found, failed) => {
    const probe = createServer().on("error", failed);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => found(port));
    });
  });
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms).unref());
