import { describe, expect, it } from "vitest";
import { createFixtureClient } from "../../fixtures/client";
import { PEOPLE, SELF_ID } from "../../fixtures/people";
import { CHOICES_MAX, choices, fits, type Known, visited } from "./rank";

const known: Known = {
  conversations: [...createFixtureClient().conversations.value.values()],
  channels: [],
  people: PEOPLE,
  recent: ["C0RANDOM", "C0ENGINEER"],
  current: "C0RANDOM",
  selfId: SELF_ID,
};
const ids = (typed: string, change: Partial<Known> = {}) => choices(typed, { ...known, ...change }).map(({ id }) => id);

describe("how well a name fits", () => {
  it.each([
    ["design", "design", 100],
    ["design", "des", 80],
    ["hiring-frontend", "front", 60],
    ["Hana Kobayashi", "h kob", 55],
    ["engineering", "gine", 30],
    ["engineering", "egr", 10],
    ["engineering", "x", 0],
    ["Tomasz Wójcik", "wojcik", 60],
    ["anything", "", 1],
  ])("%s to %j is %i", (name, typed, score) => {
    expect(fits(name, typed)).toBe(score);
  });
});

describe("the switcher", () => {
  it("offers, before anything is typed, where one has been and where something waits", () => {
    const first = ids("");
    expect(first[0]).toBe("C0ENGINEER");
    expect(first).not.toContain("C0RANDOM");
    expect(first).toContain("D0PRIYA");
    expect(first).not.toContain("D0JONAS");
  });

  it("puts the better fit before the nearer place", () => {
    expect(ids("gen")[0]).toBe("C0GENERAL");
    expect(ids("r")[0]).not.toBe("C0GENERAL");
  });

  it("offers a person once: by the conversation where there is one", () => {
    expect(ids("priya")).toEqual(["D0PRIYA"]);
    expect(ids("yuki")).toEqual(["U0YUKI"]);
  });

  it("takes a sign for what kind is wanted", () => {
    expect(ids("#r").every((id) => id.startsWith("C") || id.startsWith("G"))).toBe(true);
    expect(ids("@h")).toContain("D0HANA");
    expect(ids("@h")).not.toContain("G0HIRING");
  });

  it("leaves out who has left, and is bounded", () => {
    expect(ids("victor")).toEqual([]);
    expect(ids("a").length).toBeLessThanOrEqual(CHOICES_MAX);
  });

  it("remembers a bounded number of places", () => {
    const many = Array.from({ length: 30 }, (_, index) => `C${index}`).reduce<string[]>(visited, []);
    expect(many).toHaveLength(20);
    expect(visited(many, "C15")[0]).toBe("C15");
    expect(visited(many, "C15")).toHaveLength(20);
  });
});
