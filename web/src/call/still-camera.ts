// The own camera as still pictures, for whoever's line carries no moving ones: one every few seconds,
// sent piece by piece so slowly that nothing else waits for it.

import { piecesOf, STILL_BYTES_MAX } from "./stills";

/** Between two pieces of a kilobyte: what the relay's budget keeps for stills, 16 kbit/s. */
export const PIECE_MS = 550;
/** Between two pictures at least; the relay takes no more than one in three seconds. */
export const STILL_MS = 4_000;
/** While more waits in the channel, the line is slower than thought: the rest is not sent. */
const WAITING_MAX = 2_500;
const WIDTH = 320;
const HEIGHT_MAX = 240;
/** From good to just recognisable; the first that is small enough is sent. */
const QUALITIES: readonly number[] = [0.6, 0.45, 0.3, 0.2, 0.1];

/** Takes one picture of what the camera sees now; nothing while there is no picture. */
export type Shoot = (stream: MediaStream) => Promise<Blob | undefined>;

export class StillCamera {
  private channel: RTCDataChannel | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** Counts beginnings and ends: what belongs to an older one comes to nothing. */
  private turn = 0;
  private isOn = false;

  constructor(
    /** What the camera sees, as long as it is on. */
    private readonly seen: () => MediaStream | undefined,
    /** The broker's time. */
    private readonly clock: () => number,
    private readonly shoot: Shoot = shootHere,
  ) {}

  /** Whether anybody can only be given stills, and the channel they go by. */
  want(wanted: boolean, channel: RTCDataChannel | undefined): void {
    const on = wanted && channel !== undefined;
    if (on === this.isOn && channel === this.channel) return;
    this.isOn = on;
    this.channel = channel;
    this.turn += 1;
    clearTimeout(this.timer);
    if (on) void this.next(this.turn);
  }

  private async next(turn: number): Promise<void> {
    const began = Date.now();
    const stream = this.seen();
    const taken = Math.round(this.clock());
    const jpeg = stream && (await this.shoot(stream).catch(() => undefined));
    if (this.turn !== turn) return;
    const pieces = jpeg ? piecesOf(new Uint8Array(await jpeg.arrayBuffer()), taken) : [];
    if (this.turn === turn) this.send(turn, pieces, began + STILL_MS);
  }

  private send(turn: number, pieces: Uint8Array<ArrayBuffer>[], nextAt: number): void {
    const [piece, ...rest] = pieces;
    const isSent = piece !== undefined && this.isFree();
    if (isSent) this.channel?.send(piece);
    // A still without one of its pieces is none.
    const left = isSent ? rest : [];
    const wait = left.length > 0 ? PIECE_MS : Math.max(PIECE_MS, nextAt - Date.now());
    this.timer = setTimeout(() => {
      if (left.length > 0) this.send(turn, left, nextAt);
      else void this.next(turn);
    }, wait);
  }

  private isFree(): boolean {
    return this.channel?.readyState === "open" && this.channel.bufferedAmount <= WAITING_MAX;
  }
}

/** By the browser's own means: a video that nobody sees, drawn small, and as JPEG. It is there for
 * the moment only: a picture that nobody watches costs a tablet its battery. */
async function shootHere(stream: MediaStream): Promise<Blob | undefined> {
  const video = Object.assign(document.createElement("video"), { muted: true, playsInline: true });
  video.srcObject = stream;
  try {
    // A camera that has just been taken away never plays.
    await Promise.race([video.play(), new Promise((over) => setTimeout(over, STILL_MS))]);
    if (!video.videoWidth) return undefined;
    const height = Math.min(HEIGHT_MAX, Math.round((WIDTH * video.videoHeight) / video.videoWidth));
    const canvas = Object.assign(document.createElement("canvas"), { width: WIDTH, height });
    canvas.getContext("2d")?.drawImage(video, 0, 0, WIDTH, height);
    return await smallEnough((quality) => new Promise((made) => canvas.toBlob(made, "image/jpeg", quality)));
  } finally {
    video.srcObject = null;
  }
}

/** The best picture that fits, or none: a busy one may be too large at any quality. */
export async function smallEnough(make: (quality: number) => Promise<Blob | null>): Promise<Blob | undefined> {
  for (const quality of QUALITIES) {
    const made = await make(quality);
    if (made && made.size <= STILL_BYTES_MAX) return made;
  }
  return undefined;
}
