// Debian's janus with its video room, as a process of its own with settings of its own.

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../process.mjs";
import { until } from "../until.mjs";
import { cpu_s, post, start } from "./server.mjs";

const BINARY = "/usr/bin/janus";
/** Messages of the long poll that are not the one waited for. */
const OTHERS_MAX = 20;
const ROOM = 1;

/** What costs at run time is as Debian has it. */
const SETTINGS = (port) => ({
  "janus.jcfg": "general: { debug_level = 2, session_timeout = 0 }\n",
  "janus.plugin.videoroom.jcfg": "general: {}\n",
  "janus.transport.http.jcfg":
    `general: { json = "compact", base_path = "/janus", http = true, port = ${port}, ip = "127.0.0.1", https = false }\n` +
    "admin: { admin_http = false }\n",
});

async function ask(url, message) {
  const answer = await post(url, { transaction: "bench", ...message });
  const wrong = answer.janus === "error" ? answer.error.reason : answer.plugindata?.data.error;
  if (wrong) throw new Error(`janus refused ${JSON.stringify(message)}: ${wrong}`);
  return answer;
}

/** A session with one connection to the video room. */
class Handle {
  static async attach(root) {
    const handle = new Handle();
    handle.session = `${root}/${(await ask(root, { janus: "create" })).data.id}`;
    const { data } = await ask(handle.session, { janus: "attach", plugin: "janus.plugin.videoroom" });
    handle.url = `${handle.session}/${data.id}`;
    return handle;
  }

  ask(body, jsep) {
    return ask(this.url, { janus: "message", body, ...(jsep && { jsep }) });
  }

  /** The next session description that janus has for this connection. */
  async sdp() {
    for (let others = 0; others < OTHERS_MAX; others += 1) {
      const event = await (await fetch(`${this.session}?maxev=1`)).json();
      if (event.jsep) return event.jsep.sdp;
      if (event.plugindata?.data.error) throw new Error(`janus refused: ${event.plugindata.data.error}`);
    }
    throw new Error("janus described no session");
  }
}

export class Janus {
  name = "janus";
  #program;
  #root;

  static get isInstalled() {
    return existsSync(BINARY);
  }

  static async start(house, ip) {
    const janus = new Janus();
    const port = await freePort();
    janus.#root = `http://127.0.0.1:${port}/janus`;
    const folder = house.folder(`janus-${port}`);
    mkdirSync(folder);
    for (const [name, text] of Object.entries(SETTINGS(port))) writeFileSync(join(folder, name), text);
    janus.#program = start(BINARY, ["-F", folder, "-N", "-E", ip], { logTo: house.log("janus") });
    await until("janus is there", () => janus.#isThere());
    return janus;
  }

  async #isThere() {
    if (!this.#program.isRunning) throw new Error(`it ended: ${this.#program.said.slice(-2_000)}`);
    return (await fetch(`${this.#root}/info`)).ok;
  }

  get cpu_s() {
    return cpu_s(this.#program.pid);
  }

  /** The first pages send, and everybody receives the others, which takes a connection of its own. */
  async seat(pages, publishers) {
    const feeds = pages.slice(0, publishers).map((page, at) => ({ page, feed: at + 1 }));
    const codecs = { audiocodec: "opus", videocodec: "vp8" };
    const host = await Handle.attach(this.#root);
    await host.ask({ request: "create", room: ROOM, publishers, bitrate: 0, ...codecs, permanent: false });
    for (const { page, feed } of feeds) await this.#publish(page, feed);
    await until("janus knows that all of them publish", async () => {
      const { plugindata } = await host.ask({ request: "listparticipants", room: ROOM });
      return plugindata.data.participants.filter((one) => one.publisher).length === publishers;
    });
    for (const page of pages) {
      const streams = feeds.filter((one) => one.page !== page).map(({ feed }) => ({ feed }));
      if (streams.length > 0) await this.#listen(page, streams);
    }
  }

  async #publish(page, id) {
    const handle = await Handle.attach(this.#root);
    const sdp = await page.offer({ publishes: true, pairs: 0 }, "stage");
    const join = { request: "joinandconfigure", ptype: "publisher", room: ROOM, id };
    await handle.ask(join, { type: "offer", sdp });
    await page.accept(await handle.sdp(), "stage");
  }

  async #listen(page, streams) {
    const handle = await Handle.attach(this.#root);
    await handle.ask({ request: "join", ptype: "subscriber", room: ROOM, streams });
    const sdp = await page.answer(await handle.sdp(), "hall");
    await handle.ask({ request: "start" }, { type: "answer", sdp });
  }

  stop() {
    return this.#program.end("SIGKILL");
  }
}
