// Steps with names, and an account of them that a person can read.

import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";

const WALL_MS = Number(process.env.WALL_SECONDS ?? 280) * 1000;
export const SCREENS = resolve(process.env.SCREENS_DIR ?? new URL("../../../.ci/out/screens", import.meta.url).pathname);

/** What was found wrong without ending the run, each with the places where it was found. */
const findings = new Map();
let present = "start";

/** Notes a finding: the run goes on, and fails at its end. */
export function finding(text, where = `in the step "${present}"`) {
  findings.set(text, (findings.get(text) ?? new Set()).add(where));
}

/** One step. Its name carries the ids of the features and attacks that it shows. */
export async function step(name, act) {
  present = name;
  const begun = Date.now();
  await act();
  console.log(`ok ${((Date.now() - begun) / 1000).toFixed(1).padStart(6)} s  ${name}`);
}

/** Runs a whole script; what it opened is closed in any case. Ends the process, with 1 when anything was wrong. */
export async function main(script) {
  const begun = Date.now();
  const opened = [];
  const wall = setTimeout(() => {
    console.error(`TOO SLOW after ${WALL_MS / 1000} s in the step: ${present}`);
    process.exit(1);
  }, WALL_MS);
  let failed = false;
  await mkdir(SCREENS, { recursive: true });
  try {
    await script((thing) => { opened.push(thing); return thing; });
  } catch (error) {
    failed = true;
    console.error(`FAILED in the step: ${present}\n${error.stack ?? error}`);
    for (const thing of opened) console.error(await thing.confess?.().catch((why) => `(${why})`) ?? "");
  }
  for (const thing of opened.reverse()) await thing.stop().catch((why) => console.error(`at the end: ${why}`));
  clearTimeout(wall);
  if (findings.size) {
    const lines = [...findings].map(([text, places]) => `- ${text}\n  ${[...places].join("; ")}`);
    console.error(`\n${findings.size} FINDINGS\n${lines.join("\n")}`);
  }
  failed ||= findings.size > 0;
  console.log(`${failed ? "FAILED" : "passed"} in ${((Date.now() - begun) / 1000).toFixed(1)} s`);
  process.exit(failed ? 1 : 0);
}
