// A view's fingerprint: both sides add up FNV-1a over each row's JSON text, so that a screen knows
// whether what it shows is what the broker holds.

const OFFSET = 0x811c9dc5;
const PRIME = 0x01000193;
const utf8 = new TextEncoder();

/** FNV-1a (32 bit) over the text's UTF-8 bytes. */
export function textHash(text: string): number {
  let hash = OFFSET;
  for (const byte of utf8.encode(text)) hash = Math.imul(hash ^ byte, PRIME);
  return hash >>> 0;
}

/** The hash of one row: `JSON.stringify` gives back the text that the broker sent. */
export function rowHash(row: unknown): number {
  return textHash(JSON.stringify(row));
}

/** Wrapping sum of all rows' hashes. */
export function sumHash(hashes: Iterable<number>): number {
  let sum = 0;
  for (const hash of hashes) sum = (sum + hash) >>> 0;
  return sum;
}
