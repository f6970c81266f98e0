/** What stands in a list of messages. */
import { expect, test } from "vitest";
import type { Message, Row } from "../contract";
import { messageOf } from "./messages";
import { type Framing, Rows } from "./rows";

const framing: Framing = { unreadAfter: null, selfId: "U0", hasBeginning: false, isThread: false };
const said = (ts: string, user = "U1", more: object = {}): Message =>
  messageOf({ ts, user, text: ts, ...more }, "C1", ts);
const drawn = (rows: readonly Row[]) =>
  rows.map((row) => (row.kind === "message" ? `${row.key}${row.isContinued ? "+" : ""}` : row.kind));

test("who goes on within five minutes needs no name again", () => {
  const all = ["1700000000.000000", "1700000299.000000", "1700000600.000000", "1700000601.000000"];
  const messages = all.map((ts, at) => said(ts, at === 3 ? "U2" : "U1"));
  expect(drawn(new Rows().build(messages, [], framing))).toEqual(["day", all[0], `${all[1]}+`, all[2], all[3]]);
});

test.each([
  ["a notice", { subtype: "channel_join" }],
  ["a reply told to all", { subtype: "thread_broadcast", thread_ts: "1.000000" }],
  ["a bot under another name", { username: "ci", subtype: "bot_message", user: undefined }],
])("%s stands alone", (_, more) => {
  const messages = [said("1700000000.000000"), said("1700000001.000000", "U1", more), said("1700000002.000000")];
  const rows = new Rows().build(messages, [], framing);
  expect(rows.every((row) => row.kind !== "message" || !row.isContinued)).toBe(true);
});

test("each day has a line, and so has what is new by others", () => {
  const messages = ["1700000000.000000", "1700200000.000000", "1700200001.000000"].map((ts) => said(ts));
  const own = said("1700200000.500000", "U0");
  const rows = new Rows().build(
    [messages[0], messages[1], own, messages[2]].filter((each) => each !== undefined),
    [],
    {
      ...framing,
      unreadAfter: "1700200000.000000",
      hasBeginning: true,
    },
  );
  expect(rows.map((row) => row.kind)).toEqual([
    "beginning",
    "day",
    "message",
    "day",
    "message",
    "message",
    "unread",
    "message",
  ]);
});

test("rows that did not change are the same objects, and those that did are not", () => {
  const rows = new Rows();
  const messages = ["1700000000.000000", "1700000001.000000"].map((ts) => said(ts));
  const before = rows.build(messages, [], framing);
  const edited = messages.map((each, at) => (at ? { ...each, text: "new" } : each));
  const after = rows.build(edited, [], framing);
  expect(after[1]).toBe(before[1]);
  expect(after[2]).not.toBe(before[2]);
});

test("in a thread the parent stands alone, and own unsent messages are at the end", () => {
  const root = said("1700000000.000000");
  const reply = said("1700000001.000000", "U1", { thread_ts: root.ts });
  const mine = { ...said("1700000002.000000", "U0"), key: "own:1", delivery: "sending" as const };
  expect(drawn(new Rows().build([root, reply], [mine], { ...framing, isThread: true }))).toEqual([
    "day",
    root.ts,
    reply.ts,
    "own:1",
  ]);
});
