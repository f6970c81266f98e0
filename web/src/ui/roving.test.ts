import { describe, expect, it } from "vitest";
import { moved, typed } from "./roving";

describe("moving by keys", () => {
  it.each([
    ["ArrowDown", 0, 1],
    ["ArrowDown", 2, 0],
    ["ArrowUp", 0, 2],
    ["ArrowDown", -1, 0],
    ["ArrowUp", -1, 2],
    ["Home", 2, 0],
    ["End", 0, 2],
    ["PageDown", 0, 2],
    ["PageUp", 2, 0],
    ["ArrowRight", 0, null],
    ["a", 0, null],
  ])("%s from %i of three goes to %o", (key, at, next) => {
    expect(moved(key, at, 3)).toBe(next);
  });

  it("stays at an end where it does not wrap", () => {
    expect(moved("ArrowDown", 2, 3, "vertical", false)).toBe(2);
  });

  it("goes nowhere in an empty list", () => {
    expect(moved("Home", -1, 0)).toBeNull();
  });

  it("finds the next that begins with a letter, and goes around", () => {
    const labels = ["Edit", "Mark unread", "Mute", "Delete"];
    expect(typed("m", -1, labels)).toBe(1);
    expect(typed("m", 1, labels)).toBe(2);
    expect(typed("M", 2, labels)).toBe(1);
    expect(typed("x", 0, labels)).toBeNull();
    expect(typed("Enter", 0, labels)).toBeNull();
  });
});
