// What a page says of its call at one moment, and what its browser counts at the same moment.

/**
 * `said` is what a person can read: the banners below the pictures, and of each person's seat its
 * words and whether a moving picture or a still is shown there. The rest are counts since the page
 * was opened; `layers` are the pictures that it sends, each with its width.
 */
export function look(page) {
  return page.evaluate(async () => {
    const read = (where) => [...document.querySelectorAll(where)].map((one) => one.textContent.trim());
    const seats = [...document.querySelectorAll(".call .seat")].map((seat) => ({
      moves: seat.querySelector("video:not(.unseen-picture)") !== null,
      still: seat.querySelector("img.still") !== null,
      words: seat.textContent,
    }));
    const said = { banners: read(".call [role=status] .banner"), seats };
    const sum = { voice: 0, frames: 0, width: 0, stillsIn: 0, stillsOut: 0, layers: [] };
    let newest = 0;
    for (const [at, connection] of (window.connectionsOfTest ?? []).entries()) {
      if (connection.connectionState === "closed") continue;
      for (const one of (await connection.getStats()).values()) {
        if (one.type === "inbound-rtp" && one.kind === "audio") sum.voice += one.packetsReceived ?? 0;
        if (one.type === "inbound-rtp" && one.kind === "video") {
          sum.frames += one.framesDecoded ?? 0;
          if ((one.lastPacketReceivedTimestamp ?? 0) < newest) continue;
          newest = one.lastPacketReceivedTimestamp ?? 0;
          sum.width = one.frameWidth ?? 0;
        }
        if (one.type === "outbound-rtp" && one.kind === "video") {
          sum.layers.push({ name: `${at} ${one.rid}`, frames: one.framesSent ?? 0, width: one.frameWidth ?? 0 });
        }
        if (one.type === "data-channel" && one.label === "stills") {
          sum.stillsIn += one.messagesReceived ?? 0;
          sum.stillsOut += one.messagesSent ?? 0;
        }
      }
    }
    return { at: Date.now(), said, ...sum };
  });
}
