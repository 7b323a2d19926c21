// Still pictures on the wire: taken apart into pieces, and put together again. Pure, but for the
// addresses by which the browser shows a picture. The layout is told in the protocol, media/stills.rs.

const PIECE_BYTES = 1_000;
const PIECES_MAX = 8;
export const STILL_BYTES_MAX = PIECE_BYTES * PIECES_MAX;
const HEAD_BYTES = 10;
const ID_BYTES = 13;
/** A still from further ahead than this was taken by a wrong clock, and would never be replaced. */
const AHEAD_MS_MAX = 60_000;

/** The messages of one still; none if it is too large. `taken`: the broker's time in milliseconds. */
export function piecesOf(jpeg: Uint8Array, taken: number): Uint8Array<ArrayBuffer>[] {
  const count = Math.ceil(jpeg.length / PIECE_BYTES);
  if (count > PIECES_MAX) return [];
  return Array.from({ length: count }, (_, index) => {
    const piece = jpeg.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES);
    const message = new Uint8Array(HEAD_BYTES + piece.length);
    new DataView(message.buffer).setBigInt64(0, BigInt(taken));
    message.set([index, count], 8);
    message.set(piece, HEAD_BYTES);
    return message;
  });
}

interface Piece {
  sender: string;
  taken: number;
  index: number;
  count: number;
  jpeg: Uint8Array<ArrayBuffer>;
}

function read(message: ArrayBuffer): Piece | undefined {
  if (message.byteLength <= ID_BYTES + HEAD_BYTES) return undefined;
  const view = new DataView(message, ID_BYTES);
  const [index, count] = [view.getUint8(8), view.getUint8(9)];
  if (count > PIECES_MAX || index >= count) return undefined;
  return {
    sender: new TextDecoder().decode(new Uint8Array(message, 0, ID_BYTES)),
    taken: Number(view.getBigInt64(0)),
    index,
    count,
    jpeg: new Uint8Array(message.slice(ID_BYTES + HEAD_BYTES)),
  };
}

/** A whole still of somebody. */
export interface Still {
  /** Where the browser finds the picture. */
  url: string;
  /** When it was taken, by the broker's clock. */
  taken: number;
}

/** The newest still of each sender. There are no more of them than slots. */
export class Stills {
  private readonly coming = new Map<string, { taken: number; pieces: (Piece | undefined)[] }>();
  private readonly whole = new Map<string, Still>();

  of(sender: string): Still | undefined {
    return this.whole.get(sender);
  }

  /** A message came; answers whether a newer still is whole with it. */
  take(message: ArrayBuffer, now: number, isSeated: (sender: string) => boolean): boolean {
    const piece = read(message);
    if (!piece || !isSeated(piece.sender) || piece.taken > now + AHEAD_MS_MAX) return false;
    const pieces = this.piecesBeside(piece);
    if (!pieces) return false;
    pieces[piece.index] = piece;
    if (!pieces.every((one) => one !== undefined)) return false;
    const { sender, taken } = piece;
    this.forget(sender);
    const parts = pieces.map((one) => one.jpeg);
    this.whole.set(sender, { taken, url: URL.createObjectURL(new Blob(parts, { type: "image/jpeg" })) });
    return true;
  }

  /** Where a piece belongs; nowhere if something newer has come of its sender. */
  private piecesBeside({ sender, taken, count }: Piece): (Piece | undefined)[] | undefined {
    if (taken <= (this.whole.get(sender)?.taken ?? -1)) return undefined;
    const coming = this.coming.get(sender);
    if (coming && coming.taken > taken) return undefined;
    if (coming?.taken === taken) return coming.pieces.length === count ? coming.pieces : undefined;
    const pieces = new Array<Piece | undefined>(count).fill(undefined);
    this.coming.set(sender, { taken, pieces });
    return pieces;
  }

  /** Keeps nothing of anybody but these; nothing is kept of a picture that is not shown. */
  keep(senders: ReadonlySet<string>): void {
    for (const sender of new Set([...this.coming.keys(), ...this.whole.keys()])) {
      if (!senders.has(sender)) this.forget(sender);
    }
  }

  private forget(sender: string): void {
    const still = this.whole.get(sender);
    if (still) URL.revokeObjectURL(still.url);
    this.whole.delete(sender);
    this.coming.delete(sender);
  }
}
