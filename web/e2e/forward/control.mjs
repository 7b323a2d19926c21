// Signaling's WebSocket to a relay, as far as a benchmark has to speak it: one list, and the answer that it
// is applied. A browser's own cannot send the token's header.

import { randomBytes } from "node:crypto";
import { request } from "node:http";

const TEXT = 0x81;
const ANSWERS_WITHIN_MS = 5_000;

/** A message of text as a client frames it, masked (RFC 6455 §5.2); at most 65,535 bytes. */
function framed(text) {
  const body = Buffer.from(text);
  const long = body.length > 125;
  const head = Buffer.alloc(long ? 8 : 6);
  head[0] = TEXT;
  head[1] = 0x80 | (long ? 126 : body.length);
  if (long) head.writeUInt16BE(body.length, 2);
  const mask = randomBytes(4);
  mask.copy(head, head.length - 4);
  return Buffer.concat([head, body.map((byte, at) => byte ^ mask[at % 4])]);
}

/** Takes whole frames of a server off the front of `bytes`; gives the texts and what is left. */
function unframed(bytes) {
  const texts = [];
  let rest = bytes;
  while (rest.length >= 2) {
    const short = rest[1] & 0x7f;
    const head = { 126: 4, 127: 10 }[short] ?? 2;
    if (rest.length < head) break;
    const length = head === 4 ? rest.readUInt16BE(2) : head === 10 ? Number(rest.readBigUInt64BE(2)) : short;
    if (rest.length < head + length) break;
    if (rest[0] === TEXT) texts.push(rest.toString("utf8", head, head + length));
    rest = rest.subarray(head + length);
  }
  return { texts, rest };
}

/** Says `message` on a connection of its own, and waits for an answer that `fits`. */
export function tell(url, bearer, message, fits) {
  return new Promise((done, failed) => {
    const headers = {
      authorization: `Bearer ${bearer}`,
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-key": randomBytes(16).toString("base64"),
      "sec-websocket-version": "13",
    };
    const asked = request(url, { headers });
    const over = (settle, value) => {
      clearTimeout(timer);
      asked.destroy();
      settle(value);
    };
    const timer = setTimeout(() => over(failed, new Error("the relay did not apply the list")), ANSWERS_WITHIN_MS);
    asked.on("error", (error) => over(failed, error));
    asked.on("response", ({ statusCode }) => over(failed, new Error(`the relay refused signaling: ${statusCode}`)));
    asked.on("upgrade", (_, socket, head) => {
      let bytes = Buffer.alloc(0);
      const hear = (more) => {
        const { texts, rest } = unframed(Buffer.concat([bytes, more]));
        bytes = rest;
        if (!texts.map((text) => JSON.parse(text)).some(fits)) return;
        socket.destroy();
        over(done);
      };
      socket.on("data", hear);
      socket.on("close", () => over(failed, new Error("the relay closed the control socket")));
      socket.write(framed(JSON.stringify(message)));
      hear(head);
    });
    asked.end();
  });
}
