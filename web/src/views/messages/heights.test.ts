/** How tall rows are, and which of them a reader needs. */
import { describe, expect, it } from "vitest";
import type { Row } from "../../core/contract";
import { rowsOf } from "../../fixtures/rows";
import { blank } from "../../fixtures/world";
import { guessFor } from "./guess";
import { Heights, NOTHING } from "./heights";

const rows = (...names: string[]): Row[] => names.map((key) => ({ kind: "unread", key }));
const tens = (...names: string[]): Heights => {
  const heights = new Heights(() => 10);
  heights.take(rows(...names));
  return heights;
};

describe("heights", () => {
  it("are guessed until they are measured", () => {
    const heights = tens("a", "b", "c");
    expect([heights.top(0), heights.top(1), heights.total]).toEqual([0, 10, 30]);
    expect(heights.measure(1, 25)).toBe(true);
    expect(heights.measure(1, 25)).toBe(false);
    expect([heights.top(1), heights.top(2), heights.total]).toEqual([10, 35, 45]);
  });

  it("go with their rows, whatever comes or goes around these", () => {
    const heights = tens("a", "b", "c");
    heights.measure(1, 25);
    heights.take(rows("x", "y", "b", "c", "d"));
    expect([heights.place("b"), heights.place("a")]).toEqual([2, -1]);
    expect([heights.top(2), heights.height(2), heights.total]).toEqual([20, 25, 65]);
  });

  it("are forgotten when the rows get another width, and not where there is nothing to measure", () => {
    const heights = tens("a", "b");
    heights.measure(0, 25);
    heights.begin(() => 7);
    expect(heights.total).toBe(14);
    expect(heights.measure(0, 0)).toBe(false);
    expect(heights.measure(9, 5)).toBe(false);
  });

  it("do not pile up", () => {
    const heights = new Heights(() => 10);
    for (let page = 0; page < 20; page++) {
      heights.take(rows(...Array.from({ length: 50 }, (_, at) => `${page}-${at}`)));
      for (let at = 0; at < 50; at++) heights.measure(at, 11);
    }
    const { measured } = heights as unknown as { measured: ReadonlyMap<string, number> };
    expect(measured.size).toBeLessThanOrEqual(250);
  });
});

describe("a place in pixels", () => {
  it("is at a row", () => {
    const heights = tens("a", "b", "c");
    expect([-5, 0, 9.5, 10, 29, 99].map((px) => heights.at(px))).toEqual([0, 0, 0, 1, 2, 2]);
    expect(tens().between(0, 100)).toEqual(NOTHING);
  });

  it("is within a range that reaches as far, or as far as there is anything", () => {
    const heights = tens("a", "b", "c", "d", "e");
    const range = heights.between(12, 33);
    expect(range).toEqual({ start: 1, end: 4 });
    expect(heights.isWithin(range, 12, 33)).toBe(true);
    expect(heights.isWithin(range, 9, 33)).toBe(false);
    expect(heights.isWithin(range, 12, 41)).toBe(false);
    expect(heights.isWithin({ start: 0, end: 5 }, -100, 900)).toBe(true);
  });
});

describe("a guess", () => {
  it("grows with what a message has", () => {
    const guess = guessFor(1000, false);
    const of = (text: string, change = {}) =>
      guess(rowsOf([{ ...blank("C0", "1.000100", "U0ANN", text), ...change }], null, "U0ME", false)[1] as Row);
    const [one, two] = [of("word"), of("word ".repeat(40))];
    expect(two - one).toBe(22);
    expect(of("a\nb\n\nc") - one).toBe(66);
    expect(of("word", { reactions: [{ name: "tada", userIds: [], count: 1 }] })).toBeGreaterThan(one);
    expect(of("word", { replyCount: 2 })).toBeGreaterThan(one);
    expect(guessFor(300, false)(rows("line")[0] as Row)).toBe(20);
  });
});
