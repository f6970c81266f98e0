import { describe, expect, it } from "vitest";
import { AVATAR_COLOURS, colourOf, initials } from "./initials";

describe("initials", () => {
  it.each([
    ["Ada Lovelace", "AL"],
    ["Ada King Lovelace", "AL"],
    ["ada", "A"],
    ["ada.lovelace", "AL"],
    ["  (Bot) helper ", "BH"],
    ["Ёлка Иванова", "ЁИ"],
    ["𝒜da", "𝒜"],
    ["", "?"],
    ["!!!", "?"],
  ])("of %s are %s", (label, letters) => {
    expect(initials(label)).toBe(letters);
  });

  it("have one of the colours, and people share them out", () => {
    const seen = new Set(Array.from({ length: 100 }, (_, index) => colourOf(`U00000${index}`)));
    expect(seen.size).toBe(AVATAR_COLOURS);
    expect(Math.max(...seen)).toBe(AVATAR_COLOURS - 1);
    // The demo workspace chooses its people by it: the same numbers are in tests/ops/test_demo_colours.py.
    expect(["U012", "UADA", "U024BE7LH", "U0G9QF9C6"].map(colourOf)).toEqual([2, 2, 0, 7]);
  });
});
