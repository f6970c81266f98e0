/** A workspace: boots, deltas, and events on top; told by signals, once for what comes in one moment. */
import { effect } from "@preact/signals";
import { beforeEach, expect, test } from "vitest";
import type { Json } from "../net/json";
import { Workspace } from "./workspace";

const SELF = "U0";
let workspace: Workspace;
let wanted: string[];
let joined: string[];

const user = (id: string, name: string, v = 1): Json => ({ id, name, v, profile: { display_name: name } });
const boot = (more: Json = {}): Json => ({
  is_delta: false,
  complete: true,
  self: user(SELF, "ada"),
  team: { id: "T1", name: "Demo", domain: "demo" },
  prefs: {},
  channels: [
    {
      id: "C1",
      kind: "public",
      name: "general",
      general: true,
      last_read: "1.000000",
      latest: "2.000000",
      unread: true,
    },
    { id: "D1", kind: "im", user: "U1" },
    { id: "D2", kind: "im", user: "U9" },
    { id: "G1", kind: "mpim", name: "mpdm-ada--grace--linus-1", members: [SELF, "U1", "U2"] },
  ],
  users: [user("U1", "grace"), user("U2", "linus")],
  ...more,
});
const at = (all: Record<string, number>) => new Map(Object.entries(all));
const happens = (type: string, json: Json, channelId = "", offset = 0) =>
  workspace.apply({ type, json: { type, ...json }, channelId, offset });
/** What is told is told at the end of the moment. */
const moment = () => Promise.resolve();

beforeEach(() => {
  [wanted, joined] = [[], []];
  workspace = new Workspace({ id: "T1", name: "", domain: "" }, SELF, {
    marking: () => null,
    want: (id) => wanted.push(id),
    joined: (id) => joined.push(id),
  });
  workspace.boot(boot(), at({ T1: 1, U0: 1, C1: 1 }));
});

test("the first screen: names of direct conversations are those of their people", () => {
  const named = [...workspace.conversations.value.values()].map((each) => [each.id, each.name, each.isUnread]);
  expect(named).toEqual([
    ["C1", "general", true],
    ["D1", "grace", false],
    ["D2", "", false],
    ["G1", "grace, linus", false],
  ]);
  expect(workspace.team.value.name).toBe("Demo");
  expect(workspace.user(SELF).value?.label).toBe("ada");
});

test("somebody whose name is shown and not known is asked for, and then is known", async () => {
  happens("im_open", { channel: "D2" });
  workspace.boot(boot(), at({ T1: 1 }));
  expect(wanted).toContain("U9");
  happens("user_objects", { users: [user("U9", "zoe")] });
  await moment();
  expect(workspace.conversation("D2").value?.name).toBe("zoe");
});

test("many events of one moment are told once", async () => {
  let told = 0;
  const stop = effect(() => {
    told += workspace.conversations.value.size ? 1 : 0;
  });
  for (let offset = 10; offset < 50; offset += 1) {
    const json = { channel: "C1", user: "U1", ts: `${offset}.000000`, text: "" };
    happens("message", json, "C1", offset);
    workspace.message({ type: "message", ...json });
  }
  await moment();
  expect(told).toBe(2);
  expect(workspace.conversation("C1").value?.latest).toBe("49.000000");
  stop();
});

test("what the boot has already changes nothing", async () => {
  const gone = { channel: "C1" };
  expect(happens("channel_left", gone, "U0", 1)).toBe(false);
  await moment();
  expect(workspace.conversations.value.has("C1")).toBe(true);
  expect(happens("channel_left", gone, "U0", 2)).toBe(true);
  await moment();
  expect(workspace.conversations.value.has("C1")).toBe(false);
});

test("one comes and goes: joined, renamed, archived, left", async () => {
  happens("channel_joined", { channel: { id: "C2", name: "red", is_channel: true } }, "U0", 2);
  await moment();
  expect(workspace.conversation("C2").value).toMatchObject({ name: "red", kind: "public", isMember: true });
  expect(joined).toEqual(["C2"]);
  happens("channel_rename", { channel: { id: "C2", name: "blue" } });
  await moment();
  expect(workspace.conversation("C2").value?.name).toBe("blue");
  happens("channel_archive", { channel: "C2" });
  await moment();
  expect(workspace.conversations.value.has("C2")).toBe(false);
  happens("channel_unarchive", { channel: "C2" });
  happens("channel_marked", { channel: "C1", ts: "2.000000", num_mentions: 0, event_ts: "3.000000" });
  await moment();
  expect(workspace.conversations.value.has("C2")).toBe(true);
  expect(workspace.conversation("C1").value?.isUnread).toBe(false);
});

test("a closed direct conversation comes back when something is written in it, or it is opened", async () => {
  happens("im_close", { channel: "D1" });
  await moment();
  expect(workspace.conversations.value.has("D1")).toBe(false);
  expect(workspace.conversation("D1").value).toBeDefined();
  workspace.message({ type: "message", channel: "D1", user: "U1", ts: "9.000000", text: "psst" });
  await moment();
  expect(workspace.conversations.value.get("D1")?.mentions).toBe(1);
  happens("im_close", { channel: "D1" });
  happens("im_open", { channel: "D1" });
  await moment();
  expect(workspace.conversations.value.has("D1")).toBe(true);
});

test("a delta replaces what it tells, and keeps the rest", () => {
  const channels = [{ id: "C1", kind: "public", name: "general", last_read: "5.000000", latest: "5.000000" }];
  workspace.boot({ is_delta: true, channels, changed: ["U1"] }, at({ C1: 8 }));
  expect(workspace.conversations.value.size).toBe(4);
  expect(workspace.conversation("C1").value?.isUnread).toBe(false);
  expect(workspace.holding.isFresh("U1")).toBe(false);
  expect(workspace.user("U1").value?.label).toBe("grace");
  expect(happens("channel_left", { channel: "D1" }, "C1", 8)).toBe(false);
  workspace.boot({ is_delta: true, complete: true, channels, prefs: { muted_channels: "C1" } }, at({}));
  expect([...workspace.conversations.value.keys()]).toEqual(["C1"]);
  expect(workspace.conversation("C1").value?.isMuted).toBe(true);
});

test("where events are missed for ever, it says whether it has to be told anew", () => {
  expect(workspace.missed("C1", 1)).toBe(false); // in the boot
  expect(workspace.missed("C1", 9)).toBe(true);
  expect(workspace.missed("U0", 9)).toBe(true);
  expect(workspace.missed("T1", 9)).toBe(false);
  expect(workspace.holding.isFresh("U1")).toBe(false);
});

test("preferences are heard of, from whichever browser they were set", async () => {
  happens("pref_change", { name: "parley.theme", value: "dark" });
  happens("pref_change", { name: "parley.starred", value: "C1,D1" });
  await moment();
  expect(workspace.preferences.value).toMatchObject({ theme: "dark", starredIds: ["C1", "D1"], clock: "24" });
  expect(workspace.conversation("D1").value?.isStarred).toBe(true);
});
