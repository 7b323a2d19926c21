// Our relay as a process of its own, fed as signaling feeds it.

import { generateKeyPairSync, sign } from "node:crypto";
import { BIN } from "../broker.mjs";
import { freePort } from "../process.mjs";
import { until } from "../until.mjs";
import { tell } from "./control.mjs";
import { cpu_s, post, start } from "./server.mjs";

const TOKEN_LIFE_MS = 30_000;
/** Pairs of lines that a page offers to receive. */
const SLOTS = 5;
/** People with a face of one visit; who only looks on counts apart. */
const FACES_MAX = SLOTS + 1;

/** Ids on the wire: the digits of small numbers are the same in base32. */
const id = (number) => String(number).padStart(13, "0");
const VISIT = id(1);

export class Minato {
  name = "minato";
  #program;
  #origin;
  #key;

  static async start(house, ip) {
    const minato = new Minato();
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    minato.#key = privateKey;
    const open = Buffer.from(publicKey.export({ format: "jwk" }).x, "base64url").toString("hex");
    const listen = `127.0.0.1:${await freePort()}`;
    minato.#origin = `http://${listen}`;
    const options = ["relay", "--listen", listen, "--media", `${ip}:0`, "--token-key", open];
    minato.#program = start(`${BIN}/minato`, options, { logTo: house.log("minato"), env: { RUST_LOG: "warn" } });
    await until("the relay is there", () => minato.#isThere());
    return minato;
  }

  async #isThere() {
    if (!this.#program.isRunning) throw new Error(`it ended: ${this.#program.said}`);
    return (await fetch(this.#origin)).status > 0;
  }

  get cpu_s() {
    return cpu_s(this.#program.pid);
  }

  #token(domain, claims) {
    const payload = Buffer.from(JSON.stringify({ ...claims, not_after: Date.now() + TOKEN_LIFE_MS })).toString("base64url");
    return `${payload}.${sign(undefined, Buffer.from(`${domain}:${payload}`), this.#key).toString("base64url")}`;
  }

  /** Says who may be in the visit. */
  async #list(participants) {
    const bearer = this.#token("minato-control-1", { node: "bench" });
    const list = { type: "desired", visit: VISIT, seq: 1, generation: 1, participants };
    const fits = ({ type, visit: of }) => type === "applied" && of === VISIT;
    await tell(`${this.#origin}/relay/control`, bearer, list, fits);
  }

  async #join(person, page, publishes) {
    const face = person <= FACES_MAX;
    const rights = { publish_audio: face, publish_video: face, publish_waves: false, receive: true };
    const seat = { visit: VISIT, participant: id(person), claim_epoch: 1, generation: 1, role: person === 1 ? "doctor" : "nurse", rights };
    const bearer = this.#token("minato-media-1", { ...seat, jti: id(person) });
    const sdp = await page.offer({ publishes, pairs: SLOTS });
    const answer = await post(`${this.#origin}/relay/sessions`, { sdp }, { authorization: `Bearer ${bearer}` });
    await page.accept(answer.sdp);
  }

  /**
   * The first pages send, everybody receives. The first is a doctor's, who holds all on the whole picture:
   * what else runs on the machine makes a link look thin.
   */
  async seat(pages, publishers) {
    const people = pages.map((_, at) => id(at + 1));
    await this.#list(people);
    for (const [at, page] of pages.entries()) await this.#join(at + 1, page, at < publishers);
    await pages[0].tell(people.map((participant) => ({ type: "pin", participant, step: "full" })));
  }

  stop() {
    return this.#program.end("SIGKILL");
  }
}
