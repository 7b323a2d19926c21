// The real binary on a free port and a directory of its own: as one process, or as signaling and a
// relay apart. It can be killed as a power cut does, and started again on the same port and data.

import { randomBytes } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { freePort, Program } from "./process.mjs";
import { until } from "./until.mjs";

const BUILT = fileURLToPath(new URL("../../target/debug/", import.meta.url));
/** Where the programs are: the workspace's own build unless told otherwise. */
export const BIN = process.env.MINATO_BIN ?? BUILT;

/** The file with the secret that signaling and the relays of a test share. */
function turnSecret(house) {
  const path = house.folder("turn-secret");
  if (!existsSync(path)) writeFileSync(path, randomBytes(24).toString("base64"), { mode: 0o600 });
  return path;
}

export class Broker {
  #program;
  #options;
  #ahead_ms = 0;

  #there;

  /** `there`: where it is, if not beside this process: its address, its program, the `fetch` that gets there. */
  constructor(port, options, logTo, there = {}) {
    this.#there = { address: "127.0.0.1", program: `${BIN}/minato`, fetch: globalThis.fetch, ...there };
    this.port = port;
    this.origin = `http://${this.#there.address}:${port}`;
    this.#options = options;
    this.logTo = logTo;
  }

  /** Everything in one process, without the demonstration's own gateway. */
  static async all(house) {
    const port = await freePort();
    const options = ["--demo", "--no-gateway", "--listen", `127.0.0.1:${port}`, "--data", house.folder("broker")];
    const broker = new Broker(port, options, house.log("broker"));
    await broker.start();
    return broker;
  }

  /** Signaling without media; relays serve it. */
  static async signaling(house, ...relayOrigins) {
    const port = await freePort();
    const listen = ["--listen", `127.0.0.1:${port}`, "--data", house.folder("signaling")];
    const relays = relayOrigins.flatMap((origin) => ["--relay", origin]);
    const options = ["signaling", "--demo", "--no-gateway", ...relays, ...listen, "--turn-secret-file", turnSecret(house)];
    const broker = new Broker(port, options, house.log("signaling"));
    await broker.start();
    return broker;
  }

  async start() {
    this.#program = new Program(this.#there.program, this.#options, { logTo: this.logTo });
    await this.#program.says(/enrols with the code \S+/);
    await until("the broker is ready", async () => (await this.#there.fetch(`${this.origin}/readyz`)).ok);
    // A process begins at the machine's time: what was stepped before it was ended is stepped again.
    if (this.#ahead_ms > 0) await this.#step(this.#ahead_ms);
  }

  /** The one-time link of somebody on the staff: coordinator, abe, mori, nurse. */
  staffLink(account) {
    const line = new RegExp(`^ *${account} .*?(https?://\\S+)$`, "m").exec(this.#program.said);
    if (!line) throw new Error(`no link for ${account} was printed`);
    return line[1];
  }

  get patientLink() {
    return this.staffLink("patient");
  }

  get enrolCode() {
    return /enrols with the code (\S+)/.exec(this.#program.said)[1];
  }

  /** The public key with which a relay checks this signaling's tokens. */
  get tokenKey() {
    return /token_key="?([0-9a-f]{64})/.exec(this.#program.said)[1];
  }

  /** Steps the broker's clock, so that ten minutes take none. */
  async advance(ms) {
    await this.#step(ms);
    this.#ahead_ms += ms;
  }

  async #step(ms) {
    const answer = await this.#there.fetch(`${this.origin}/rehearsal/clock`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ advance_ms: ms }),
    });
    if (!answer.ok) throw new Error(`the broker's clock was not stepped: ${answer.status}`);
  }

  kill() {
    return this.#program.end("SIGKILL");
  }

  stop() {
    return this.#program.end();
  }
}

/** A relay in a process of its own. */
export class Relay {
  #program;

  static async reserve(name = "relay") {
    const relay = new Relay();
    relay.name = name;
    relay.port = await freePort();
    relay.origin = `http://127.0.0.1:${relay.port}`;
    return relay;
  }

  async start(house, broker) {
    const places = ["--listen", `127.0.0.1:${this.port}`, "--media", "127.0.0.1:0"];
    const trust = ["--token-key", broker.tokenKey, "--origin", broker.origin];
    const turn = ["--turn", "127.0.0.1:0", "--turn-secret-file", turnSecret(house)];
    const logTo = house.log(this.name);
    this.#program = new Program(`${BIN}/minato`, ["relay", ...places, ...trust, ...turn], { logTo });
    await this.#program.says(/signaling is connected/);
  }

  /** Where it is asked for TURN. */
  get turnUrls() {
    const said = (transport) => new RegExp(`TURN is ready.* ${transport}=\\[(\\S+)\\]`).exec(this.#program.said)[1];
    return ["udp", "tcp"].map((transport) => `turn:${said(transport)}?transport=${transport}`);
  }

  /** Gone at once, as by a power cut. */
  kill() {
    return this.#program?.end("SIGKILL");
  }

  /** Lets it go in peace: it takes nobody new and ends when everybody has gone. Gives its exit code. */
  drain() {
    return this.#program.end("SIGTERM");
  }
}
