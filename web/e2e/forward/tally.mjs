// What a call's own browsers counted between two looks at it, and whether that was a whole call: pure.

/** What counts as everything, beside what is on its way at either end of a span. */
const WHOLE = 0.99;
/** Packets a second that the one who publishes should send; another film would be another benchmark. */
const FILM = { least: 350, most: 430 };
/** The counters that are read, as one who sends and one who receives calls them. */
const COUNTERS = {
  packets: ["packetsSent", "packetsReceived"],
  again: ["retransmittedPacketsSent", "retransmittedPacketsReceived"],
  frames: ["framesSent", "framesDecoded"],
  nacks: ["nackCount"],
  plis: ["pliCount"],
  lost: ["packetsLost"],
};

/** How much a page's counters grew between two looks; `packets` are those sent or received for the first time. */
function grown(before, after, kind) {
  const value = (look, names) => names.map((name) => look.media[kind]?.[name]).find((found) => found !== undefined) ?? 0;
  const rows = Object.entries(COUNTERS).map(([name, names]) => [name, value(after, names) - value(before, names)]);
  const all = Object.fromEntries(rows);
  return { ...all, packets: all.packets - all.again };
}

function page(before, after) {
  const [sound, picture] = ["audio", "video"].map((kind) => grown(before, after, kind));
  const path = (name) => after.path[name] - before.path[name];
  return {
    sound,
    picture,
    seconds: (after.path.timestamp - before.path.timestamp) / 1_000,
    packets: sound.packets + picture.packets,
    control: path("packetsSent"),
    cipher: after.path.srtpCipher,
    connected: before.state === "connected" && after.state === "connected",
  };
}

/** From two looks at all pages, the publisher's first. */
export function span(before, after) {
  const [publisher, ...listeners] = after.map((look, at) => page(before[at], look));
  const sum = (of) => listeners.reduce((all, one) => all + of(one), 0);
  return {
    publisher,
    listeners,
    due: publisher.packets * listeners.length,
    delivered: sum((one) => one.packets),
    sum,
  };
}

/** In words, why this is not a whole call; undefined if it is one. */
export function flaw({ publisher, listeners }) {
  if (![publisher, ...listeners].every((one) => one.connected)) return "not everybody is connected";
  const rate = publisher.packets / publisher.seconds;
  if (rate < FILM.least || rate > FILM.most) return `${rate.toFixed(0)} packets/s are published`;
  const { sound, picture } = publisher;
  const frame = Math.ceil(picture.packets / Math.max(1, picture.frames));
  const short = (one, all, slack) => one.packets < all.packets * WHOLE - slack;
  const lacking = listeners.filter((one) => short(one.sound, sound, 1) || short(one.picture, picture, frame));
  if (lacking.length === 0) return undefined;
  const got = lacking.map((one) => `${one.sound.packets} + ${one.picture.packets}`);
  return `${lacking.length} of ${listeners.length} lack something of ${sound.packets} + ${picture.packets}: ${got.join(", ")}`;
}
