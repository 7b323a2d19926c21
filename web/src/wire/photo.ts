// A picture of a device's display on its way to the broker: made small enough for a poor line, drawn
// anew so that nothing stays in it but what is seen, and sent after the value it belongs to.

import { type Signal, signal } from "@preact/signals";
import { asPage, refusalOf } from "./api";
import type { Code, HttpRefusal, Outcome } from "./types";

/** The longer edge; digits on a display are read well at this. */
export const EDGE_PX_MAX = 1_600;
/** A minute at 64 kbit/s. */
export const AIM_BYTES = 400_000;
/** Tried one after the other until a picture is small enough; the last one is taken as it is. */
const STEPS = [
  { edge: EDGE_PX_MAX, quality: 0.8 },
  { edge: EDGE_PX_MAX, quality: 0.6 },
  { edge: 1_200, quality: 0.6 },
  { edge: 900, quality: 0.5 },
] as const;
/** Pauses before it is sent again; after the last one the person is asked. */
export const AGAIN_MS = [2_000, 5_000, 10_000, 30_000, 60_000] as const;
/** Refusals that pass by themselves. */
const PASSING: readonly Code[] = ["busy", "not_durable", "too_many"];

/** How large a picture is drawn whose longer edge may be `edge`; none is made larger. */
export function drawnSize(width: number, height: number, edge: number): [number, number] {
  const part = Math.min(1, edge / Math.max(width, height, 1));
  return [Math.max(1, Math.round(width * part)), Math.max(1, Math.round(height * part))];
}

/** A JPEG of what is seen, upright; `undefined` for a file that is no picture. */
export async function shrink(file: Blob): Promise<Blob | undefined> {
  const picture = await createImageBitmap(file, { imageOrientation: "from-image" }).catch(() => undefined);
  if (!picture) return undefined;
  let made: Blob | undefined;
  for (const { edge, quality } of STEPS) {
    made = await draw(picture, edge, quality);
    if (made && made.size <= AIM_BYTES) break;
  }
  picture.close();
  return made;
}

async function draw(picture: ImageBitmap, edge: number, quality: number): Promise<Blob | undefined> {
  const [width, height] = drawnSize(picture.width, picture.height, edge);
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const pen = canvas.getContext("2d");
  if (!pen) return undefined;
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, width, height);
  pen.drawImage(picture, 0, 0, width, height);
  return new Promise((made) => canvas.toBlob((blob) => made(blob ?? undefined), "image/jpeg", quality));
}

/** What became of one attempt. */
export type Sent = { type: "kept" } | { type: "refused"; code: Code } | { type: "unreachable" };

export async function sendPhoto(ticket: string, reading: string, photo: Blob): Promise<Sent> {
  try {
    const answer = await fetch(asPage("/api/photos"), {
      method: "POST",
      cache: "no-store",
      headers: { "content-type": photo.type, "minato-ticket": ticket, "minato-reading": reading },
      body: photo,
    });
    if (answer.ok) return { type: "kept" };
    const refusal: HttpRefusal | undefined = await refusalOf(answer);
    return refusal ? { type: "refused", code: refusal.code } : { type: "unreachable" };
  } catch {
    return { type: "unreachable" };
  }
}

/** Where a picture is shown from. */
export const photoAddress = (photo: string) => asPage(`/api/photos/${photo}`);

export type Way =
  /** The value is not with the broker yet, or the picture is on its way. */
  | "sending"
  /** It did not get through; the value did. */
  | "failed";

/** One picture that is not with the broker yet. The value never waits for it. */
export class Following {
  readonly way: Signal<Way> = signal("sending");
  readonly code: Signal<Code | undefined> = signal(undefined);
  private attempts = 0;
  private reading: string | undefined;
  private given = false;

  constructor(
    readonly ticket: string,
    private readonly photo: Blob,
    private readonly world: { send: typeof sendPhoto; done(one: Following): void },
  ) {}

  /** The value was answered for: with a name the picture follows, without one there is nothing to follow. */
  follow(outcome: Outcome | undefined): void {
    if (outcome?.type !== "entered") return this.giveUp();
    this.reading = outcome.reading;
    void this.send();
  }

  /** Somebody pressed once more. */
  again(): void {
    this.attempts = 0;
    this.way.value = "sending";
    void this.send();
  }

  giveUp(): void {
    this.given = true;
    this.world.done(this);
  }

  private async send(): Promise<void> {
    if (this.given || this.reading === undefined) return;
    const sent = await this.world.send(this.ticket, this.reading, this.photo);
    if (sent.type === "kept") return this.giveUp();
    this.code.value = sent.type === "refused" ? sent.code : undefined;
    const pause = AGAIN_MS[this.attempts];
    const passes = sent.type === "unreachable" || PASSING.includes(sent.code);
    this.attempts += 1;
    if (pause === undefined || !passes) this.way.value = "failed";
    else setTimeout(() => void this.send(), pause);
  }
}

/** Pictures of this page that are not with the broker yet. */
export const following: Signal<readonly Following[]> = signal([]);

/** Sends a picture after its value. */
export function follow(ticket: string, photo: Blob, value: Promise<Outcome | undefined>): void {
  const done = (one: Following) => {
    following.value = following.peek().filter((other) => other !== one);
  };
  const one = new Following(ticket, photo, { send: sendPhoto, done });
  following.value = [...following.peek(), one];
  void value.then((outcome) => one.follow(outcome));
}
