// The two sides of a poor link, for a program that `minato-island run` started: programs that live
// on one side, and words to the link between them.

import { execFile, execFileSync, spawn } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const BUILT = fileURLToPath(new URL("../../../target/debug/minato-island", import.meta.url));
/** The program that makes the link. */
export const ISLAND = process.env.MINATO_ISLAND ?? BUILT;
export const MAINLAND_ADDRESS = "203.0.113.1";

/** Whether this process can enter the two sides. */
export const isBesideTheLink = process.env.MINATO_ISLAND_NET_ISLAND !== undefined;

/** Starts this very script again beside a link, and ends as it ends. */
export function beginBesideALink() {
  const again = [process.execPath, ...process.argv.slice(1)];
  const run = spawn(ISLAND, ["run", "--", ...again], { stdio: ["ignore", "inherit", "inherit"] });
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => run.kill(signal));
  return new Promise((ended) => run.once("close", (code, signal) => ended(signal ? 1 : code)));
}

/** A file that runs a program on one side: what takes only a program's name can be given it. */
export function programOn(side, program, folder) {
  const path = `${folder}/${program.split("/").at(-1)}-on-the-${side}`;
  writeFileSync(path, `#!/bin/sh\nexec '${ISLAND}' in ${side} -- '${program}' "$@"\n`);
  chmodSync(path, 0o755);
  return path;
}

const ASK = `
  const [url, init] = process.argv.slice(1);
  const answer = await fetch(url, JSON.parse(init));
  console.log(JSON.stringify({ ok: answer.ok, status: answer.status, body: await answer.text() }));
`;

/** `fetch` as from one side, for this process, which stands on neither; what it needs of the answer. */
export function fetchOn(side) {
  const run = promisify(execFile);
  return async (url, init = {}) => {
    const words = ["in", side, "--", process.execPath, "--input-type=module", "-e", ASK, url, JSON.stringify(init)];
    const { ok, status, body } = JSON.parse((await run(ISLAND, words)).stdout);
    return { ok, status, text: async () => body, json: async () => JSON.parse(body) };
  };
}

/** A recording of somebody who talks without a stop; a tone would not do, codecs treat it otherwise. */
export function speech(folder, name, words, pitch) {
  const path = `${folder}/${name}.wav`;
  try {
    execFileSync("espeak-ng", ["-v", "en", "-s", "150", "-p", String(pitch), "-w", path, words]);
  } catch (error) {
    throw new Error(`speech is made with espeak-ng (apt-get install espeak-ng): ${error.message}`);
  }
  return path;
}

/** The link's control socket. */
export class Link {
  #socket = createConnection(process.env.MINATO_ISLAND_CONTROL);
  #answers = createInterface({ input: this.#socket })[Symbol.asyncIterator]();

  /** Says one line; gives the answer, or throws what was wrong with the line. */
  async say(line) {
    this.#socket.write(`${line}\n`);
    const { value, done } = await this.#answers.next();
    if (done) throw new Error("the link has ended");
    const answer = JSON.parse(value);
    if (answer.error) throw new Error(`${line}: ${answer.error}`);
    return answer;
  }

  close() {
    this.#socket.end();
  }
}
