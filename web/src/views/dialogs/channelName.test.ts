import { describe, expect, it } from "vitest";
import { problemOfName, tidied } from "./channelName";

describe("the name of a channel", () => {
  it.each([
    ["#Team Northern Lights", "team-northern-lights"],
    ["plan.b", "plan-b"],
    ["été", "été"],
    ["x".repeat(90), "x".repeat(80)],
  ])("%j becomes %j", (typed, name) => {
    expect(tidied(typed)).toBe(name);
    expect(problemOfName(name)).toBe("");
  });

  it.each(["", "a/b", "---", "a b"])("is not %j", (name) => {
    expect(problemOfName(name)).not.toBe("");
  });
});
