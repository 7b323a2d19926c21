// The pages of a call that is measured: some speak and film, all hear and see the others. What they do is
// the same for every server.

/** What a camera sends, kbit/s: with its sound about 390 packets a second. */
const FILM_KBIT = 3_040;
/** What a sender's estimate never goes below, so that it is always the film that decides. */
const LINE_KBIT = 4_000;

/**
 * Runs in each page: `bench` is ordinary connections, each with a name. `pairs` of lines are offered to
 * receive; descriptions are complete, candidates included.
 */
function equip({ film_kbit, line_kbit }) {
  const WIDTH = 640;
  const HEIGHT = 360;
  /** Cells of noise are so wide that a keyframe of them is not much larger than another frame. */
  const CELL = 4;
  const FRAMES_A_SECOND = 30;
  const peers = new Map();
  let channel;
  let studio = [];

  /** A source of noise, larger than the picture; each frame is cut from another place of it. */
  function noise() {
    const cells = new OffscreenCanvas((2 * WIDTH) / CELL, (2 * HEIGHT) / CELL);
    const paint = cells.getContext("2d");
    const pixels = paint.createImageData(cells.width, cells.height);
    const words = new Uint32Array(pixels.data.buffer);
    for (let at = 0; at < words.length; at += 1) words[at] = 0xff606060 + 0x010101 * Math.floor(Math.random() * 64);
    paint.putImageData(pixels, 0, 0);
    return cells;
  }

  function film() {
    const canvas = Object.assign(document.createElement("canvas"), { width: WIDTH, height: HEIGHT });
    const paint = canvas.getContext("2d");
    const source = noise();
    const [track] = canvas.captureStream(FRAMES_A_SECOND).getVideoTracks();
    const draw = () => {
      const [left, top] = [Math.random() * source.width, Math.random() * source.height].map((most) => most / 2);
      paint.drawImage(source, left, top, WIDTH / CELL, HEIGHT / CELL, 0, 0, WIDTH, HEIGHT);
    };
    let timer;
    const play = (on) => {
      clearInterval(timer);
      if (on) timer = setInterval(draw, 1_000 / FRAMES_A_SECOND);
    };
    return { track, play };
  }

  /** A voice that never falls silent: a hum whose pitch and loudness move as in speech. */
  function voice() {
    const audio = new AudioContext();
    const out = audio.createMediaStreamDestination();
    const loudness = new GainNode(audio, { gain: 0.5 });
    const wave = (type, frequency, gain, onto) => {
      const oscillator = new OscillatorNode(audio, { type, frequency });
      oscillator.connect(new GainNode(audio, { gain })).connect(onto);
      oscillator.start();
      return oscillator;
    };
    const hum = wave("sawtooth", 140, 0.5, loudness);
    wave("sine", 4, 0.4, loudness.gain);
    wave("sine", 1.7, 40, hum.frequency);
    loudness.connect(out);
    const [track] = out.stream.getAudioTracks();
    return { track, play: (on) => (on ? audio.resume() : audio.suspend()) };
  }

  /** Plays what comes, small: decoding is what costs in a browser, and painting is nobody's matter here. */
  function show({ track }) {
    track.onunmute = () => {
      if ([...document.querySelectorAll("video")].some(({ srcObject }) => srcObject.getTracks()[0] === track)) return;
      const video = Object.assign(document.createElement("video"), { autoplay: true, width: 64, height: 36 });
      video.srcObject = new MediaStream([track]);
      document.body.append(video);
    };
  }

  function connect(name) {
    const peer = new RTCPeerConnection({ bundlePolicy: "max-bundle", rtcpMuxPolicy: "require" });
    peer.ontrack = show;
    peers.set(name, peer);
    return peer;
  }

  /** Begins to speak and to film, or falls silent. */
  async function play(on) {
    for (const { sender, source } of studio) {
      await source.play(on);
      await sender.replaceTrack(on ? source.track : null);
    }
  }

  async function described(peer) {
    if (peer.iceGatheringState !== "complete") {
      await new Promise((complete) => {
        peer.onicegatheringstatechange = () => peer.iceGatheringState === "complete" && complete();
      });
    }
    return peer.localDescription.sdp;
  }

  /** Tells the sender's estimate where it has to be at least. */
  function steady(sdp) {
    const rates = ["min", "start"].map((which) => `x-google-${which}-bitrate=${line_kbit}`).join(";");
    return sdp.replaceAll(/a=rtpmap:(\d+) VP8\/90000\r\n/g, (row, pt) => `${row}a=fmtp:${pt} ${rates}\r\n`);
  }

  async function offer({ publishes, pairs }, name) {
    const peer = connect(name);
    if (publishes) {
      const rates = { audio: {}, video: { maxBitrate: 1_000 * film_kbit } };
      studio = [voice(), film()].map((source) => {
        const { kind } = source.track;
        const { sender } = peer.addTransceiver(kind, { direction: "sendonly", sendEncodings: [rates[kind]] });
        return { sender, source };
      });
    }
    for (let pair = 0; pair < pairs; pair += 1) {
      for (const kind of ["audio", "video"]) peer.addTransceiver(kind, { direction: "recvonly" });
    }
    if (pairs > 0) channel = peer.createDataChannel("slots");
    await peer.setLocalDescription();
    return described(peer);
  }

  function accept(sdp, name) {
    return peers.get(name).setRemoteDescription({ type: "answer", sdp: steady(sdp) });
  }

  async function answer(sdp, name) {
    const peer = connect(name);
    await peer.setRemoteDescription({ type: "offer", sdp });
    await peer.setLocalDescription();
    return described(peer);
  }

  /** Says something on the channel as soon as it is open. */
  async function tell(words) {
    if (channel.readyState !== "open") await new Promise((opened) => (channel.onopen = opened));
    for (const word of words) channel.send(JSON.stringify(word));
  }

  /** All counters of all connections. */
  async function counts() {
    const all = { connected: true, paths: [], lines: [] };
    for (const peer of peers.values()) {
      all.connected &&= peer.connectionState === "connected";
      for (const entry of (await peer.getStats()).values()) {
        if (entry.type === "transport") all.paths.push(entry);
        if (entry.type === "inbound-rtp" || entry.type === "outbound-rtp") all.lines.push(entry);
      }
    }
    return all;
  }

  window.bench = { offer, accept, answer, tell, play, counts };
}

/** One page; its connections have names. */
export class Page {
  #page;

  /** So many; all but the first in one process, which a browser does with pages that one has opened. */
  static async all(browser, count) {
    const context = await browser.newContext();
    const [first, second] = [await context.newPage(), await context.newPage()];
    const pages = [await Page.#equipped(first), await Page.#equipped(second)];
    while (pages.length < count) {
      const opened = context.waitForEvent("page");
      await second.evaluate(() => void window.open("about:blank"));
      pages.push(await Page.#equipped(opened));
    }
    return pages;
  }

  static async #equipped(opened) {
    const page = new Page();
    page.#page = await opened;
    await page.#page.evaluate(equip, { film_kbit: FILM_KBIT, line_kbit: LINE_KBIT });
    return page;
  }

  /** The description of a new connection, as an offer. */
  offer(how, name = "call") {
    return this.#page.evaluate((what) => window.bench.offer(...what), [how, name]);
  }

  accept(sdp, name = "call") {
    return this.#page.evaluate((what) => window.bench.accept(...what), [sdp, name]);
  }

  /** The same as the answer to an offer. */
  answer(sdp, name = "call") {
    return this.#page.evaluate((what) => window.bench.answer(...what), [sdp, name]);
  }

  tell(words) {
    return this.#page.evaluate((all) => window.bench.tell(all), words);
  }

  counts() {
    return this.#page.evaluate(() => window.bench.counts());
  }

  close() {
    return this.#page.close();
  }

  play(on) {
    return this.#page.evaluate((plays) => window.bench.play(plays), on);
  }
}
