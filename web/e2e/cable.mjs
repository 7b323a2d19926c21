// The line between the clinic and the broker: a TCP proxy that can be cut and mended.

import { connect, createServer } from "node:net";

export class Cable {
  #server;
  #pairs = new Set();
  #whole = true;

  static async to(port) {
    const cable = new Cable();
    cable.#server = createServer((near) => cable.#carry(near, port));
    await new Promise((ready) => cable.#server.listen(0, "127.0.0.1", ready));
    cable.origin = `http://127.0.0.1:${cable.#server.address().port}`;
    return cable;
  }

  #carry(near, port) {
    if (!this.#whole) return near.resetAndDestroy();
    const far = connect(port, "127.0.0.1");
    const pair = [near, far];
    this.#pairs.add(pair);
    for (const [one, other] of [pair, [far, near]]) {
      one.pipe(other);
      // Whoever breaks breaks both; an error is how a socket says so.
      one.on("error", () => other.destroy());
      one.on("close", () => {
        other.destroy();
        this.#pairs.delete(pair);
      });
    }
  }

  cut() {
    this.#whole = false;
    for (const pair of this.#pairs) for (const socket of pair) socket.resetAndDestroy();
  }

  mend() {
    this.#whole = true;
  }

  async remove() {
    this.cut();
    await new Promise((closed) => this.#server.close(closed));
  }
}
