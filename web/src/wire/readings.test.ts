// The flow of readings on a page.

import { describe, expect, it } from "vitest";
import { Readings } from "./readings";
import type { ReadingRow } from "./types";

const row = (seq: number, photos: string[] = []) => ({ seq, photos, outcome: { id: `r-${seq}` } }) as unknown as ReadingRow;

describe("the flow of readings", () => {
  it("takes a row that came before in its own place, with what was put beside it since", () => {
    const readings = new Readings();
    readings.watch("sato");
    readings.take("sato", [row(1), row(2)], true);
    readings.take("sato", [row(1, ["photo"]), row(3)]);
    const shown = readings.rows("sato").map(({ seq, photos }) => [seq, photos.length]);
    expect(shown).toEqual([
      [1, 1],
      [2, 0],
      [3, 0],
    ]);
    expect(readings.cursor("sato")).toBe(3);
  });

  it("brings back no row that left the page", () => {
    const readings = new Readings();
    readings.watch("sato");
    readings.take("sato", [row(5)], true);
    readings.take("sato", [row(4)]);
    expect(readings.rows("sato").map(({ seq }) => seq)).toEqual([5]);
  });
});
