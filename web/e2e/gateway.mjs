// The box on the clinic's wall with simulated devices, as a process of its own, and its buttons.

import { BIN } from "./broker.mjs";
import { freePort, Program } from "./process.mjs";
import { until } from "./until.mjs";

export class Gateway {
  #program;
  #fetch;

  /**
   * `there`: where it is, if not beside this process: its program, the `fetch` that gets there; and what
   * else it is told.
   */
  static async start(house, brokerOrigin, code, there = {}) {
    const gateway = new Gateway();
    gateway.#fetch = there.fetch ?? globalThis.fetch;
    const port = await freePort();
    gateway.origin = `http://127.0.0.1:${port}`;
    const places = ["--broker", brokerOrigin, "--data", house.folder("gateway"), "--status", `127.0.0.1:${port}`, ...(there.options ?? [])];
    const options = ["simulate", "--code", code, "--beds", "2", ...places];
    gateway.#program = new Program(there.program ?? `${BIN}/minato-gateway`, options, { logTo: house.log("gateway") });
    await gateway.#program.says(/the status page listens/);
    await until("the gateway is connected", async () => (await gateway.status()).link.connected);
    return gateway;
  }

  async status() {
    return (await this.#fetch(`${this.origin}/status`)).json();
  }

  async #press(button, body) {
    const answer = await this.#fetch(`${this.origin}/simulate/${button}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${button}: ${answer.status} ${await answer.text()}`);
  }

  /** Start on the cuff itself, without the tablet. */
  measure(device) {
    return this.#press("measure", { device });
  }

  advance(ms) {
    return this.#press("advance", { ms });
  }

  stop() {
    return this.#program.end();
  }
}
