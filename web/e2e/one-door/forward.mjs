// The one way out of a house: what comes to this address and port goes on through a socket file to
// the other side, where `outside` takes it to the real port.

import { connect, createServer } from "node:net";

/** Listens on a socket file and takes every connection to a TCP port of this machine. */
export function outside(path, port) {
  const server = createServer((inner) => join(inner, connect(port, "127.0.0.1")));
  return new Promise((ready) => server.listen(path, () => ready(server)));
}

function join(one, other) {
  for (const [from, to] of [[one, other], [other, one]]) {
    from.pipe(to);
    from.on("error", () => to.destroy());
    from.on("close", () => to.destroy());
  }
}

const [address, port, path] = process.argv.slice(2);
if (import.meta.filename === process.argv[1]) {
  createServer((guest) => join(guest, connect(path))).listen(Number(port), address);
}
