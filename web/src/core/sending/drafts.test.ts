/** Drafts by place: kept over reloads, heard of from other tabs, bounded. */
import { beforeEach, expect, test } from "vitest";
import { DRAFTS_MAX, Drafts } from "./drafts";
import { Kept } from "./kept";

const kept = () => new Kept(localStorage, "drafts.");

beforeEach(() => localStorage.clear());

test("a draft survives a reload, and an empty one is none", () => {
  new Drafts(kept()).set("C1", "half a sen", 5);
  const drafts = new Drafts(kept());
  expect(drafts.all.value.get("C1")).toEqual({ text: "half a sen", updatedAt: 5 });
  drafts.set("C1", "  ", 6);
  expect(drafts.all.value.size).toBe(0);
  expect(new Drafts(kept()).all.value.size).toBe(0);
});

test("what another tab writes is heard of", () => {
  const drafts = new Drafts(kept());
  const tell = (newValue: string | null) =>
    window.dispatchEvent(new StorageEvent("storage", { key: "drafts.C1", newValue }));
  tell('{"text":"there","updatedAt":7}');
  expect(drafts.all.value.get("C1")?.text).toBe("there");
  tell(null);
  expect(drafts.all.value.size).toBe(0);
});

test("the oldest go when there are too many, and what cannot be kept lives on in memory", () => {
  const drafts = new Drafts(kept());
  for (let at = 0; at <= DRAFTS_MAX; at += 1) drafts.set(`C${at}`, "x", at);
  expect([drafts.all.value.size, drafts.all.value.has("C0"), localStorage.length]).toEqual([
    DRAFTS_MAX,
    false,
    DRAFTS_MAX,
  ]);
  const long = "y".repeat(50_000);
  drafts.set("C1", long, 999);
  expect(drafts.all.value.get("C1")?.text).toBe(long);
  expect(localStorage.getItem("drafts.C1")).toBeNull();
});

test("where nothing can be kept, nothing breaks", () => {
  const broken = () => {
    throw new Error("full");
  };
  const storage = { getItem: () => null, setItem: broken, removeItem: broken, key: () => null, length: 0 };
  for (const each of [storage, null]) {
    const drafts = new Drafts(new Kept(each, "drafts."));
    drafts.set("C1", "text", 1);
    expect(drafts.all.value.get("C1")?.text).toBe("text");
  }
});
