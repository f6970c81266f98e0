import { describe, expect, it } from "vitest";
import { strengthOf } from "./strength";

describe("the strength of a password", () => {
  it.each([
    ["", 0],
    ["short1!", 0],
    ["aaaaaaaaaaaa", 1],
    ["qwertyuiop", 1],
    ["password123", 1],
    ["mira-okafor-1990!", 1],
    ["lorrydance", 1],
    ["lorrydanceplum", 2],
    ["lorry dance plum", 3],
    ["correct Horse 7 battery", 4],
  ])("of %j is %i", (password, score) => {
    expect(strengthOf(password, ["mira"]).score).toBe(score);
  });
});
