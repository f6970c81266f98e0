/** Which messages are worth a notification. */
import { expect, test } from "vitest";
import type { Json } from "../net/json";
import { fromBoot } from "./counting";
import { type Situation, type Why, whyNotify } from "./notify";
import { conversationOf } from "./people";
import { DEFAULTS } from "./preferences";

const around = (mutedIds: readonly string[]) => ({
  selfId: "U0",
  selfName: "ada",
  mutedIds,
  starredIds: [],
  label: () => "x",
});
const place = (kind: string, muted = false) =>
  conversationOf(fromBoot({ id: "C1", kind, name: "c" }), {}, around(muted ? ["C1"] : []));
const message = (more: Json = {}): Json => ({ type: "message", user: "U1", ts: "1000.000000", text: "hello", ...more });
const base: Situation = {
  selfId: "U0",
  conversation: place("public"),
  preferences: DEFAULTS,
  keywords: ["deploy"],
  isSeen: false,
  nowS: 1001,
};
const all = { ...DEFAULTS, notifications: "all" } as const;
const none = { ...DEFAULTS, notifications: "none" } as const;
const MINE = { text: "hi <@U0>" };

test.each<[string, Json, Partial<Situation>, Why | null]>([
  ["an ordinary message is none", {}, {}, null],
  ["unless one wants all", {}, { preferences: all }, "message"],
  ["a mention is", MINE, {}, "mention"],
  ["a keyword is a mention", { text: "Time to Deploy!" }, {}, "mention"],
  ["a part of a word is no keyword", { text: "redeployed" }, {}, null],
  ["a direct message is", {}, { conversation: place("im") }, "direct"],
  ["one of a group is", {}, { conversation: place("mpim") }, "direct"],
  ["one's own is not", { user: "U0", ...MINE }, {}, null],
  ["what is seen as it comes is not", MINE, { isSeen: true }, null],
  ["a muted conversation is quiet", MINE, { conversation: place("public", true) }, null],
  ["who wants none gets none", MINE, { preferences: none }, null],
  ["where one is not is quiet", MINE, { conversation: undefined }, null],
  ["an answer to one's own message is", { thread_ts: "9.000000", parent_user_id: "U0" }, {}, "direct"],
  ["an answer to another's is not", { thread_ts: "9.000000", parent_user_id: "U5" }, { preferences: all }, null],
  ["a notice of who came is not", { subtype: "channel_join" }, { preferences: all }, null],
  ["what is long over is not", MINE, { nowS: 5_000 }, null],
])("%s", (_, more, situation, why) => {
  expect(whyNotify(message(more), { ...base, ...situation })).toBe(why);
});
