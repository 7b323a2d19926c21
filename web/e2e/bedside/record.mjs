// What a page is given on its line for auscultation, sample by sample.

/**
 * Records so many samples at 48 kHz in the page, by Web Audio. Gives them, and how many of a thousand
 * the browser had to make up because nothing came in time.
 */
export async function record(page, count) {
  const { text, madeUp } = await page.evaluate(recordHere, count);
  const bytes = Buffer.from(text, "base64");
  return { madeUp, samples: new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4) };
}

async function recordHere(count) {
  const connection = window.connectionsOfTest.filter((one) => one.connectionState === "connected").at(-1);
  // The last of the lines for sound, by the offer's contract.
  const receiver = connection.getReceivers().filter(({ track }) => track.kind === "audio").at(-1);
  const made = async () => {
    const inbound = [...(await receiver.getStats()).values()].find((one) => one.type === "inbound-rtp");
    return { up: inbound.concealedSamples, of: inbound.totalSamplesReceived };
  };
  const audio = new AudioContext({ sampleRate: 48_000 });
  const code = `registerProcessor("tap", class extends AudioWorkletProcessor {
    process([[left]]) {
      if (left) this.port.postMessage(left.slice());
      return true;
    }
  });`;
  await audio.audioWorklet.addModule(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
  const tap = new AudioWorkletNode(audio, "tap");
  // Only what leads to the speakers is worked out.
  const silent = new GainNode(audio, { gain: 0 });
  const source = audio.createMediaStreamSource(new MediaStream([receiver.track]));
  const before = await made();
  const samples = new Float32Array(count);
  let filled = 0;
  await new Promise((full) => {
    tap.port.onmessage = ({ data }) => {
      const piece = data.subarray(0, count - filled);
      samples.set(piece, filled);
      filled += piece.length;
      if (filled === count) full();
    };
    source.connect(tap).connect(silent).connect(audio.destination);
  });
  const after = await made();
  await audio.close();
  const bytes = new Uint8Array(samples.buffer);
  let text = "";
  for (let at = 0; at < bytes.length; at += 8_192) text += String.fromCharCode(...bytes.subarray(at, at + 8_192));
  return { text: btoa(text), madeUp: (1_000 * (after.up - before.up)) / (after.of - before.of) };
}
