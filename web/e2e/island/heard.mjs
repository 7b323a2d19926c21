// What a page hears and sees over a stretch of time, as its own browser counts it.

/** Counters of the open connection: of the voice line and the picture line that carry most. */
function count(page) {
  return page.evaluate(async () => {
    const open = (window.connectionsOfTest ?? []).filter((one) => one.connectionState === "connected").at(-1);
    if (!open) return undefined;
    const stats = [...(await open.getStats()).values()];
    const most = (kind, of) =>
      stats
        .filter((one) => one.type === "inbound-rtp" && one.kind === kind)
        .sort((a, b) => (b[of] ?? 0) - (a[of] ?? 0))[0] ?? {};
    const [voice, picture] = [most("audio", "packetsReceived"), most("video", "packetsReceived")];
    const pair = stats.find((one) => one.type === "candidate-pair" && one.nominated) ?? {};
    return {
      samples: voice.totalSamplesReceived ?? 0,
      concealed: voice.concealedSamples ?? 0,
      silent: voice.silentConcealedSamples ?? 0,
      voicePackets: voice.packetsReceived ?? 0,
      voiceLost: voice.packetsLost ?? 0,
      voiceBytes: (voice.bytesReceived ?? 0) + (voice.headerBytesReceived ?? 0),
      fec: voice.fecPacketsReceived ?? 0,
      bufferDelay_s: voice.jitterBufferDelay ?? 0,
      bufferCount: voice.jitterBufferEmittedCount ?? 0,
      frames: picture.framesDecoded ?? 0,
      frozen_s: picture.totalFreezesDuration ?? 0,
      width: picture.frameWidth ?? 0,
      pathBytes: pair.bytesReceived ?? 0,
      rtt_ms: Math.round((pair.currentRoundTripTime ?? 0) * 1000),
    };
  });
}

/** What came between now and after `seconds`; undefined when there was no open connection. */
export async function hears(page, seconds) {
  const before = await count(page);
  await new Promise((over) => setTimeout(over, seconds * 1000));
  const after = await count(page);
  if (!before || !after || after.samples <= before.samples) return undefined;
  const grew = (name) => after[name] - before[name];
  const share = (part, whole) => (whole > 0 ? (100 * part) / whole : 0);
  return {
    samples: grew("samples"),
    concealed_percent: share(grew("concealed"), grew("samples")),
    audible_percent: share(grew("concealed") - grew("silent"), grew("samples")),
    lost_percent: share(grew("voiceLost"), grew("voiceLost") + grew("voicePackets")),
    voice_kbit_s: (grew("voiceBytes") * 8) / seconds / 1000,
    path_kbit_s: (grew("pathBytes") * 8) / seconds / 1000,
    buffer_ms: (1000 * grew("bufferDelay_s")) / Math.max(1, grew("bufferCount")),
    frames_s: grew("frames") / seconds,
    frozen_s: grew("frozen_s"),
    width: after.width,
    rtt_ms: after.rtt_ms,
  };
}
