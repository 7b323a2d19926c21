// The two sides of a poor link, for a program that `minato-island run` started: programs that live
// on one side, and words to the link between them.

import { execFileSync, spawn } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

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

/** Asks on its side what it is told, a line each, as long as somebody tells it anything. */
const ASK = `
  import { createInterface } from "node:readline";
  for await (const line of createInterface({ input: process.stdin })) {
    const { url, init } = JSON.parse(line);
    const got = await fetch(url, init).then(
      async (answer) => ({ ok: answer.ok, status: answer.status, body: await answer.text() }),
      (error) => ({ error: String(error.cause ?? error) }),
    );
    console.log(JSON.stringify(got));
  }
`;

/** `fetch` as from one side, for this process, which stands on neither; what it needs of the answer. */
export function fetchOn(side) {
  const node = spawn(ISLAND, ["in", side, "--", process.execPath, "--input-type=module", "-e", ASK], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  // It ends with this process, and keeps it from nothing.
  for (const one of [node, node.stdin, node.stdout]) one.unref();
  const answers = createInterface({ input: node.stdout })[Symbol.asyncIterator]();
  let turn = Promise.resolve();
  const ask = async (url, init) => {
    node.stdout.ref();
    node.stdin.write(`${JSON.stringify({ url, init })}\n`);
    const { value, done } = await answers.next();
    node.stdout.unref();
    if (done) throw new Error(`nobody asks on the ${side} any more`);
    const { error, ok, status, body } = JSON.parse(value);
    if (error) throw new Error(error);
    return { ok, status, text: async () => body, json: async () => JSON.parse(body) };
  };
  return (url, init = {}) => {
    const answered = turn.then(() => ask(url, init));
    turn = answered.catch(() => undefined);
    return answered;
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
