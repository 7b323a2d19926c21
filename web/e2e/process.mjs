// A program that this test started, ends by its own id, and whose words it can wait for.

import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { createWriteStream } from "node:fs";

/** Whatever still runs when the test itself ends, however it ends. */
const running = new Set();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

export class Program {
  #child;
  #said = "";
  #waiting = new Set();
  #ended;

  constructor(path, options, { logTo, env = {} } = {}) {
    const log = logTo && createWriteStream(logTo, { flags: "a" });
    this.#child = spawn(path, options, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NO_COLOR: "1", ...env },
    });
    running.add(this.#child);
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.on("data", (bytes) => {
        log?.write(bytes);
        this.#said += bytes;
        for (const look of this.#waiting) look();
      });
    }
    this.#ended = new Promise((over) => {
      this.#child.once("error", (error) => {
        this.#said += `\n${error.message}`;
        over(error.message);
      });
      this.#child.once("close", (code, signal) => over(signal ?? code));
    });
    this.#ended.then(() => {
      running.delete(this.#child);
      log?.end();
      for (const look of this.#waiting) look();
    });
  }

  /** Everything it wrote so far. */
  get said() {
    return this.#said;
  }

  /** Its id, to look at it from outside. */
  get pid() {
    return this.#child.pid;
  }

  get isRunning() {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Waits until it has written something that fits; fails with its last words when it ends. */
  async says(pattern, within_ms = 30_000) {
    return new Promise((found, failed) => {
      const over = (settle, value) => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        settle(value);
      };
      const look = () => {
        const match = this.#said.match(pattern);
        if (match) return over(found, match);
        if (!this.isRunning) over(failed, new Error(`it ended:\n${this.#said.slice(-2_000)}`));
      };
      const timer = setTimeout(
        () => over(failed, new Error(`it never said ${pattern}:\n${this.#said.slice(-2_000)}`)),
        within_ms,
      );
      this.#waiting.add(look);
      look();
    });
  }

  /** Ends it: `SIGTERM` to let it go in peace, `SIGKILL` as a power cut does. */
  async end(signal = "SIGTERM") {
    if (this.isRunning) this.#child.kill(signal);
    return this.#ended;
  }
}

/** A port of the loopback that was free a moment ago. */
export async function freePort() {
  const server = createServer();
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}
