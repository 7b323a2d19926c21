// How the own voice is sent and how long the others' are held back, as the relay asks for it. What
// no browser has a setting for stands in the relay's answer, which is taken anew with other words;
// the relay itself need not hear of that.

import type { VoiceTerms } from "../wire/types";
import { describe } from "./audio-nack";

const ORDINARY: VoiceTerms = { lean: false, repeat: false, hold_ms: 0 };
/** Fewer packets, so that less of a thin line is spent on their heads; wideband speech still, which Opus
 * keeps down to 9 kbit/s. */
const LEAN = { ptime: 60, bitrate: 11_000 };

/** The relay's answer with other words on its first line of sound, which is the microphone's. */
export function spoken(answer: string, terms: VoiceTerms): string {
  const [head = "", ...sections] = answer.split(/^(?=m=)/m);
  const at = sections.findIndex((section) => section.startsWith("m=audio"));
  const microphone = sections[at];
  if (!microphone) return answer;
  const plain = terms.repeat ? microphone : withoutRepetition(microphone);
  sections[at] = terms.lean ? lean(plain) : plain;
  return head + sections.join("");
}

/** Without RED (RFC 2198): a browser repeats itself where the answer allows it. */
function withoutRepetition(section: string): string {
  const red = /^a=rtpmap:(\d+) red\//m.exec(section)?.[1];
  if (!red) return section;
  return section
    .replace(new RegExp(`^a=(?:rtpmap|fmtp|rtcp-fb):${red} .*\\r?\\n`, "gm"), "")
    .replace(new RegExp(`^(m=audio \\S+ \\S+(?: \\d+)*?) ${red}(?= |\\r|\\n|$)`), "$1");
}

function lean(section: string): string {
  const opus = /^a=rtpmap:(\d+) opus\/48000\/2\s*$/m.exec(section)?.[1];
  if (!opus) return section;
  const end = section.endsWith("\n") ? section : `${section}\r\n`;
  const bitrate = `maxaveragebitrate=${LEAN.bitrate}`;
  const words = new RegExp(`^(a=fmtp:${opus} [^\\r\\n]*)`, "m");
  const slow = words.test(end) ? end.replace(words, `$1;${bitrate}`) : `${end}a=fmtp:${opus} ${bitrate}\r\n`;
  return `${slow}a=ptime:${LEAN.ptime}\r\n`;
}

/** The voices of one connection. */
export class Voice {
  private terms = ORDINARY;
  private narrow = false;
  private answer: string | undefined;
  private turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly peer: RTCPeerConnection,
    private readonly heard: readonly RTCRtpReceiver[],
  ) {}

  /** The relay answered an offer. */
  async answered(sdp: string): Promise<void> {
    this.answer = sdp;
    await this.peer.setRemoteDescription({ type: "answer", sdp: spoken(sdp, this.manner) });
  }

  /** Nothing of this is on its way: another offer may be made. */
  settled(): Promise<unknown> {
    return this.turn;
  }

  /** The relay asks for other terms; without a word for the ordinary ones. */
  follow(terms: VoiceTerms = ORDINARY): void {
    const before = this.manner;
    if (terms.hold_ms !== this.terms.hold_ms) this.hold(terms.hold_ms);
    this.terms = terms;
    this.change(before);
  }

  /** The own line has room for a lean voice only, whatever the relay has said. */
  makeRoom(narrow: boolean): void {
    if (narrow === this.narrow) return;
    const before = this.manner;
    this.narrow = narrow;
    this.change(before);
  }

  private get manner(): VoiceTerms {
    // A lean voice that is repeated takes less than an ordinary one, and where much waits much is lost.
    const needy = this.narrow && !this.terms.lean;
    return needy ? { ...this.terms, lean: true, repeat: true } : this.terms;
  }

  private change(before: VoiceTerms): void {
    const { lean, repeat } = this.manner;
    if (lean !== before.lean || repeat !== before.repeat) this.next(() => this.speakAnew());
  }

  /** Does something else to the connection when nothing of this is on its way. A browser that does
   * not take it goes on as before, which is as good as it can be. */
  next(act: () => Promise<unknown>): void {
    this.turn = this.turn.then(act).catch(() => undefined);
  }

  private async speakAnew(): Promise<void> {
    const { peer, answer } = this;
    // While an answer of the relay is awaited it will be taken with the newest terms.
    if (!answer || peer.signalingState !== "stable") return;
    await describe(peer);
    await this.answered(answer);
  }

  private hold(ms: number): void {
    for (const receiver of this.heard) {
      if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = ms > 0 ? ms : null;
    }
  }
}
