import { describe, expect, it } from "vitest";
import type { Conversation } from "../../core/contract";
import { DIRECT_MAX, keptOfFolded, landing, neighbour, sectionsOf, totals } from "./sections";

function conversation(id: string, given: Partial<Conversation> = {}): Conversation {
  return {
    id,
    kind: id.startsWith("D") ? "im" : "public",
    name: id.toLowerCase(),
    userId: null,
    userIds: [],
    topic: "",
    purpose: "",
    isMember: true,
    isArchived: false,
    isGeneral: false,
    isMuted: false,
    isStarred: false,
    creatorId: null,
    createdAt: 0,
    memberCount: null,
    lastRead: "0000000000.000000",
    latest: "0000000000.000000",
    isUnread: false,
    mentions: 0,
    ...given,
  };
}

const ids = (list: readonly Conversation[] | undefined) => list?.map((one) => one.id);

describe("the sidebar", () => {
  it("has channels by name, direct conversations by time, and the starred apart", () => {
    const sections = sectionsOf([
      conversation("C2", { name: "beta" }),
      conversation("C1", { name: "alpha 10" }),
      conversation("C3", { name: "Alpha 9" }),
      conversation("D1", { latest: "1700000000.000100" }),
      conversation("D2", { latest: "1700000001.000100" }),
      conversation("D3", { isStarred: true, name: "ada" }),
      conversation("C4", { isStarred: true, name: "zeta" }),
      conversation("C5", { isArchived: true }),
    ]);
    expect(sections.map((section) => section.name)).toEqual(["starred", "channels", "direct"]);
    expect(sections.map((section) => ids(section.conversations))).toEqual([
      ["C4", "D3"],
      ["C3", "C1", "C2"],
      ["D2", "D1"],
    ]);
  });

  it("has no section for the starred where there are none", () => {
    expect(sectionsOf([]).map((section) => section.name)).toEqual(["channels", "direct"]);
  });

  it("lists a bounded number of direct conversations, and every unread one", () => {
    const many = Array.from({ length: 100 }, (_, index) =>
      conversation(`D${100 + index}`, {
        latest: `17000000${String(index).padStart(2, "0")}.000100`,
        isUnread: index === 3,
      }),
    );
    const direct = sectionsOf(many, "D105")[1];
    expect(direct?.conversations).toHaveLength(DIRECT_MAX + 2);
    expect(direct?.hidden).toBe(100 - DIRECT_MAX - 2);
    expect(ids(direct?.conversations)).toEqual(expect.arrayContaining(["D103", "D105"]));
  });

  it("shows of a folded section what calls for one, and where one is", () => {
    const [section] = sectionsOf([
      conversation("C1", { isUnread: true }),
      conversation("C2", { isUnread: true, isMuted: true }),
      conversation("C3", { isUnread: true, isMuted: true, mentions: 1 }),
      conversation("C4"),
      conversation("C5"),
    ]);
    expect(section && ids(keptOfFolded(section, "C5"))).toEqual(["C1", "C3", "C5"]);
  });

  it("is walked through, around its ends", () => {
    const sections = sectionsOf([conversation("C1"), conversation("C2", { isUnread: true }), conversation("D1")]);
    expect(neighbour(sections, "C1", 1, false)).toBe("C2");
    expect(neighbour(sections, "D1", 1, false)).toBe("C1");
    expect(neighbour(sections, "C1", -1, false)).toBe("D1");
    expect(neighbour(sections, null, 1, false)).toBe("C1");
    expect(neighbour(sections, null, -1, false)).toBe("D1");
    expect(neighbour(sections, "D1", 1, true)).toBe("C2");
    expect(neighbour(sections, "C2", 1, true)).toBeNull();
    expect(neighbour([], null, 1, false)).toBeNull();
  });

  it("counts what calls for one", () => {
    expect(totals([conversation("C1", { isUnread: true, isMuted: true })])).toEqual({ mentions: 0, isUnread: false });
    expect(
      totals([conversation("C1", { isUnread: true }), conversation("D1", { mentions: 2, isUnread: true })]),
    ).toEqual({
      mentions: 2,
      isUnread: true,
    });
  });

  it("lands where one was, else in general", () => {
    const all = new Map(
      [conversation("D1"), conversation("C1"), conversation("C2", { isGeneral: true })].map((one) => [one.id, one]),
    );
    expect(landing(all, "C1")).toBe("C1");
    expect(landing(all, "C9")).toBe("C2");
    expect(landing(new Map(), "")).toBeNull();
  });
});
