// Birth dates as they stand on lists and cards, and the age that follows from them.

import { describe, expect, it } from "vitest";
import { ageOn } from "./age";
import { birthDate } from "./era";

describe("birth dates", () => {
  it.each([
    ["1944-12-01", "1944-12-01"],
    ["1944/12/1", "1944-12-01"],
    ["１９４４年１２月１日", "1944-12-01"],
    ["19441201", "1944-12-01"],
    ["S19.12.1", "1944-12-01"],
    ["昭和19年12月1日", "1944-12-01"],
    ["令和元年5月1日", "2019-05-01"],
  ])("%s is understood", (text, date) => {
    expect(birthDate(text)).toBe(date);
  });

  it.each(["", "1944-13-01", "1944-02-30", "44-1-1", "昨日", "1800-01-01"])(
    "%s is no date",
    (text) => {
      expect(birthDate(text)).toBeUndefined();
    },
  );

  it("count the birthday for an age", () => {
    expect(ageOn("1944-12-01", "2024-11-30")).toBe(79);
    expect(ageOn("1944-12-01", "2024-12-01")).toBe(80);
  });
});
