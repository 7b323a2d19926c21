// Browsers that have one codec for pictures and no other, and what pages really send and get.

/** Runs in a page before its own scripts: its camera is encoded by H.264 or not at all. */
export function encodesH264Alone() {
  const native = RTCPeerConnection.prototype.addTransceiver;
  RTCPeerConnection.prototype.addTransceiver = function addTransceiver(what, init) {
    const made = native.call(this, what, init);
    const kind = typeof what === "string" ? what : what.kind;
    if (kind === "video" && init?.direction === "sendonly") {
      const { codecs } = RTCRtpSender.getCapabilities("video");
      made.setCodecPreferences(codecs.filter(({ mimeType }) => /H264|rtx/.test(mimeType)));
    }
    return made;
  };
}

/** What pictures are encoded with, by direction, as far as any was sent or decoded. */
export function codecsOf(page) {
  return page.evaluate(async () => {
    const connection = window.connectionsOfTest.filter((one) => one.connectionState === "connected").at(-1);
    const stats = [...(await connection.getStats()).values()];
    const codecs = { "inbound-rtp": new Set(), "outbound-rtp": new Set() };
    for (const line of stats) {
      if (line.kind !== "video" || !(line.framesDecoded || line.framesEncoded)) continue;
      codecs[line.type]?.add(stats.find((one) => one.id === line.codecId)?.mimeType);
    }
    return { gets: [...codecs["inbound-rtp"]], sends: [...codecs["outbound-rtp"]] };
  });
}
