/** Unread state and mentions, as events change what a boot said. */
import { expect, test } from "vitest";
import type { Json } from "../net/json";
import { fromBoot, isUnread, type Membership, withMark, withMessage, withRemoval } from "./counting";

const SELF = "U0";
const at = (seconds: number) => `17000000${String(seconds).padStart(2, "0")}.000000`;
const booted = (more: Json = {}): Membership =>
  fromBoot({ id: "C1", kind: "public", name: "general", last_read: at(10), latest: at(20), mentions: 2, ...more });
const said = (seconds: number, more: Json = {}): Json => ({
  type: "message",
  user: "U1",
  ts: at(seconds),
  text: "",
  ...more,
});
const MINE = `hi <@${SELF}>`;

test.each<[string, Json, Partial<Membership>]>([
  ["a message is unread", said(30), { latest: at(30), mentions: 2 }],
  ["one that names me counts", said(30, { text: MINE }), { latest: at(30), mentions: 3 }],
  ["one that names me with a label counts", said(30, { text: `<@${SELF}|ada>` }), { mentions: 3 }],
  ["one to all counts", said(30, { text: "<!channel> lunch" }), { mentions: 3 }],
  ["one of my own does not count", said(30, { user: SELF, text: MINE }), { latest: at(30), mentions: 2 }],
  ["one that the boot counted does not count again", said(20, { text: MINE }), { mentions: 2 }],
  ["one that was read does not count", said(9, { text: MINE }), { latest: at(20), mentions: 2 }],
  ["a notice of who came is nothing to read", said(30, { subtype: "channel_join" }), { latest: at(20) }],
  ["an edit is nothing to read", said(30, { subtype: "message_changed", hidden: true }), { latest: at(20) }],
  ["a reply is for its thread", said(30, { thread_ts: at(5), text: MINE }), { latest: at(20), mentions: 2 }],
  [
    "a reply told to all is to be read",
    said(30, { thread_ts: at(5), subtype: "thread_broadcast" }),
    { latest: at(30) },
  ],
])("%s", (_, message, wanted) => {
  expect(withMessage(booted(), message, SELF)).toMatchObject(wanted);
});

test("in direct conversations all that others write counts", () => {
  for (const kind of ["im", "mpim"])
    expect(withMessage(booted({ kind, mentions: 0 }), said(30), SELF).mentions).toBe(1);
});

test("the same message twice counts once", () => {
  const once = withMessage(booted(), said(30, { text: MINE }), SELF);
  expect(withMessage(once, said(30, { text: MINE }), SELF).mentions).toBe(3);
});

test("reading all clears it, reading a part leaves what came after", () => {
  const three = [30, 40, 50].reduce((had, each) => withMessage(had, said(each, { text: MINE }), SELF), booted());
  expect(three.mentions).toBe(5);
  expect(withMark(three, at(40), 1, at(60))).toMatchObject({ lastRead: at(40), mentions: 1 });
  const all = withMark(three, at(50), 0, at(60));
  expect([isUnread(all), all.mentions]).toEqual([false, 0]);
});

test("a mark that goes back is believed, with what the server counted then", () => {
  const back = withMark(booted({ last_read: at(20), mentions: 0 }), at(5), 4, at(60));
  expect([isUnread(back), back.mentions, back.lastRead]).toEqual([true, 4, at(5)]);
  expect(withMessage(back, said(70, { text: MINE }), SELF).mentions).toBe(5);
});

test("a message that is removed is not unread", () => {
  const had = withMessage(booted(), said(30, { text: MINE }), SELF);
  expect(withRemoval(had, said(30, { text: MINE }), at(30), at(20), SELF)).toMatchObject({
    latest: at(20),
    mentions: 2,
  });
  // One that the boot had counted.
  expect(withRemoval(booted(), said(15, { text: MINE }), at(15), null, SELF)).toMatchObject({
    latest: at(20),
    mentions: 1,
  });
  expect(withRemoval(booted(), said(15), at(15), null, SELF).mentions).toBe(2);
  // One that was read: nothing changes.
  const read = booted();
  expect(withRemoval(read, said(5, { text: MINE }), at(5), null, SELF)).toBe(read);
});
