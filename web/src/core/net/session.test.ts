/** What frames mean for what is had: nothing twice, nothing missing, and what can never be had is told. */
import { beforeEach, expect, test } from "vitest";
import type { Json } from "./json";
import { type Action, type Positions, Session } from "./session";

let session: Session;

const starts = (all: Record<string, number>): Positions => new Map(Object.entries(all));
const event = (channel: string, offset: number, more: Json = {}): Json => ({
  type: "message",
  position: `${channel}:${offset}`,
  ...more,
});
const handed = (actions: readonly Action[]) =>
  actions.flatMap((each) => (each.do === "hand" ? [`${each.event.channelId}:${each.event.offset}`] : []));
const kinds = (actions: readonly Action[]) => actions.map((each) => each.do);

/** Booted at these positions, connected and resumed. */
function resumed(positions: Record<string, number>): void {
  session.connecting();
  session.booted(starts(positions));
  session.take({ type: "hello" });
  session.take({ type: "resumed", channels: 1 });
}

beforeEach(() => {
  session = new Session();
});

test("a connection resumes from its boot, and is ready when the gateway understood", () => {
  expect(session.connecting()).toEqual({ resume_aware: 1, resume: 1 });
  session.booted(starts({ U1: 3, C1: 7 }));
  expect(kinds(session.take({ type: "hello" }))).toEqual(["resume"]);
  expect(session.isReady).toBe(false);
  expect(kinds(session.take({ type: "resumed", channels: 2 }))).toEqual(["ready"]);
  expect(session.isReady).toBe(true);
});

test("events come in order once: what was had is dropped, what is beyond a hole is not taken", () => {
  resumed({ C1: 7 });
  expect(handed(session.take(event("C1", 8)))).toEqual(["C1:8"]);
  expect(session.take(event("C1", 8))).toEqual([]);
  expect(session.take(event("C1", 3))).toEqual([]);
  expect(kinds(session.take(event("C1", 10)))).toEqual(["leave"]);
  expect([session.duplicates, session.holes, session.positions.get("C1")]).toEqual([2, 1, 8]);
});

test("a position without an event counts as had, and transient events have none", () => {
  resumed({ C1: 7 });
  expect(session.take({ type: "position", position: "C1:8" })).toEqual([]);
  expect(handed(session.take(event("C1", 9)))).toEqual(["C1:9"]);
  expect(handed(session.take({ type: "user_typing", channel: "C1" }))).toEqual([":0"]);
});

test("a later boot does not move what was received: the socket brings what is between", () => {
  resumed({ C1: 7 });
  session.closed(1006);
  session.connecting();
  session.booted(starts({ C1: 20 }));
  expect(session.positions.get("C1")).toBe(7);
});

test("a channel that is joined begins where it is said to, and one that is left and joined again goes on", () => {
  resumed({ U1: 1 });
  session.take({ type: "positions", token: "" }, starts({ C2: 4 }));
  expect(handed(session.take(event("C2", 5)))).toEqual(["C2:5"]);
  session.take({ type: "positions_dropped", channels: ["C2"] });
  expect(session.positions.has("C2")).toBe(false);
  session.take({ type: "positions", token: "" }, starts({ C2: 3 }));
  expect(session.positions.get("C2")).toBe(5);
  expect(session.take(event("C2", 5))).toEqual([]);
});

test("what can never be had is told with the channels named alone, and goes on from there", () => {
  resumed({ U1: 1, C1: 7, C2: 2 });
  session.connecting();
  session.take({ type: "hello" });
  session.take({ type: "resume_failed", channels: ["C1"] });
  const actions = session.take({ type: "positions", token: "" }, starts({ C1: 90 }));
  expect(actions).toEqual([{ do: "ready" }, { do: "reload", channelIds: ["C1"] }]);
  expect([session.positions.get("C1"), session.positions.get("C2")]).toEqual([90, 2]);
});

test("after 4004 it begins from the heads, is told what it missed, and leaves what is followed no more", () => {
  resumed({ U1: 1, C1: 7, C2: 2 });
  expect(session.closed(4004)).toBe("at_once");
  expect(session.connecting()).toEqual({ resume_aware: 1, reconnect: 1 });
  expect(session.take({ type: "hello" })).toEqual([]);
  const actions = session.take({ type: "positions", token: "", complete: true }, starts({ U1: 1, C1: 9 }));
  expect(actions).toEqual([{ do: "ready" }, { do: "reload", channelIds: ["C1"] }]);
  expect([...session.positions]).toEqual([
    ["U1", 1],
    ["C1", 9],
  ]);
  session.closed(1006);
  expect(session.connecting()).toEqual({ resume_aware: 1, resume: 1 });
});

test.each([
  [1001, "at_once"],
  [1012, "at_once"],
  [1006, "at_once"],
  [4000, "at_once"],
  [4001, "at_once"],
  [4002, "at_once"],
  [4003, "later"],
  [1008, "later"],
  [4100, "never"],
  [4101, "never"],
  [4199, "never"],
])("close code %i means: come back %s", (code, back) => {
  expect(session.closed(code)).toBe(back);
});

test("goodbye and errors end the connection, answers are answers", () => {
  resumed({ C1: 1 });
  expect(session.take({ type: "goodbye" })).toMatchObject([{ do: "leave", isGoodbye: true }]);
  expect(session.take({ type: "error", error: { code: 1 } })).toMatchObject([{ do: "leave", isGoodbye: false }]);
  expect(kinds(session.take({ ok: true, reply_to: 3, users: [] }))).toEqual(["answer"]);
  expect(kinds(session.take({ type: "pong", reply_to: 4 }))).toEqual(["answer"]);
  expect(kinds(session.take({ type: "positions", token: "?" }, null))).toEqual(["leave"]);
});
