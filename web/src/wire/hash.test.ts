import { describe, expect, it } from "vitest";
import { rowHash, sumHash, textHash } from "./hash";

describe("a view's fingerprint", () => {
  it("is FNV-1a over the bytes of the text", () => {
    expect(textHash("")).toBe(0x811c9dc5);
    expect(textHash("a")).toBe(0xe40c292c);
    expect(textHash("foobar")).toBe(0xbf9cf968);
  });

  it("counts Japanese letters as UTF-8", () => {
    expect(textHash("港")).toBe(textHash(String.fromCharCode(0x6e2f)));
    expect(textHash("港")).not.toBe(textHash("?"));
  });

  it("of a row is that of the text the broker sent", () => {
    const sent = '{"row":"room","name":"待合室 \\"A\\"\\n","rank":[1,1790000000000,0],"none":null}';
    expect(rowHash(JSON.parse(sent))).toBe(textHash(sent));
  });

  it("of a view does not depend on the order of rows and wraps", () => {
    expect(sumHash([0xffffffff, 2])).toBe(1);
    expect(sumHash([2, 0xffffffff])).toBe(1);
  });
});
