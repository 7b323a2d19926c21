// What a call's own browsers counted between two looks at it, and whether that was a whole call: pure.

/** What counts as everything, beside what is on its way at either end of a span. */
const WHOLE = 0.99;
/** Packets a second that one who publishes should send; another film would be another benchmark. */
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

const total = (all, of) => all.reduce((sum, one) => sum + of(one), 0);

/** A counter of all lines of one kind in one direction. */
function counted({ lines }, type, kind, names) {
  const these = lines.filter((line) => line.type === type && line.kind === kind);
  return total(these, (line) => names.map((name) => line[name]).find((found) => found !== undefined) ?? 0);
}

/** How much they grew between two looks; `packets` are those sent or received for the first time. */
function grown(before, after, type, kind) {
  const rows = Object.entries(COUNTERS).map(([name, names]) => {
    const value = (look) => counted(look, type, kind, names);
    return [name, value(after) - value(before)];
  });
  const all = Object.fromEntries(rows);
  return { ...all, packets: all.packets - all.again };
}

function way(before, after, type) {
  const [sound, picture] = ["audio", "video"].map((kind) => grown(before, after, type, kind));
  return { sound, picture, packets: sound.packets + picture.packets, again: sound.again + picture.again };
}

function person(before, after) {
  const [sent, received] = ["outbound-rtp", "inbound-rtp"].map((type) => way(before, after, type));
  const [first] = after.paths;
  const out = total(after.paths, (path) => path.packetsSent) - total(before.paths, (path) => path.packetsSent);
  return {
    sent,
    received,
    seconds: (first.timestamp - before.paths[0].timestamp) / 1_000,
    /** Packets it sent that are not media. */
    control: out - sent.packets - sent.again,
    ciphers: after.paths.map((path) => path.srtpCipher),
    connected: before.connected && after.connected,
  };
}

/** What the others sent, each packet once. */
const due = (people, one, of) => total(people.filter((other) => other !== one), (other) => of(other.sent));

/** From two looks at all pages. */
export function span(before, after) {
  const people = after.map((look, at) => person(before[at], look));
  return {
    people,
    publishers: people.filter((one) => one.sent.packets > 0),
    sum: (of) => total(people, of),
    due: total(people, (one) => due(people, one, (sent) => sent.packets)),
    delivered: total(people, (one) => one.received.packets),
    seconds: people[0].seconds,
  };
}

/** In words, why this is not a whole call of so many who publish; undefined if it is one. */
export function flaw({ people, publishers }, expected) {
  if (!people.every((one) => one.connected)) return "not everybody is connected";
  if (publishers.length !== expected) return `${publishers.length} of ${expected} publish`;
  const rates = publishers.map((one) => one.sent.packets / one.seconds);
  const other = rates.find((rate) => rate < FILM.least || rate > FILM.most);
  if (other !== undefined) return `${other.toFixed(0)} packets/s are published`;
  const slack = {
    sound: publishers.length,
    picture: total(publishers, ({ sent }) => Math.ceil(sent.picture.packets / Math.max(1, sent.picture.frames))),
  };
  const lacks = (one, kind) => {
    const all = due(people, one, (sent) => sent[kind].packets);
    return one.received[kind].packets < all * WHOLE - slack[kind];
  };
  const lacking = people.filter((one) => lacks(one, "sound") || lacks(one, "picture"));
  if (lacking.length === 0) return undefined;
  const words = lacking.map((one) => {
    const [sound, picture] = ["sound", "picture"].map((kind) => {
      return `${one.received[kind].packets} of ${due(people, one, (sent) => sent[kind].packets)}`;
    });
    return `${sound} + ${picture}`;
  });
  return `${lacking.length} of ${people.length} lack something: ${words.join(", ")}`;
}
