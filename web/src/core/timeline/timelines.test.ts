/** All timelines of a client: what nobody tells, where one is not a member, is looked at again while it is shown. */
import { signal } from "@preact/signals";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Row, Timeline } from "../contract";
import type { Json } from "../net/json";
import { messageOf } from "./messages";
import { CHANNEL, FakeConversation } from "./testing";
import { LOOK_MS, Timelines } from "./timelines";

const around = { isMember: false, isVisible: true };
let server: FakeConversation;
let timelines: Timelines;
let calls: ReturnType<FakeConversation["calls"]>;

const textsOf = (timeline: Timeline) =>
  timeline.rows.value.flatMap((row: Row) => (row.kind === "message" ? [row.message.text] : []));
/** Long enough for one look, and too short for two. */
const aWhile = () => vi.advanceTimersByTimeAsync(LOOK_MS);

beforeEach(() => {
  vi.useFakeTimers();
  Object.assign(around, { isMember: false, isVisible: true });
  server = new FakeConversation();
  calls = server.calls();
  for (let at = 0; at < 10; at += 1) server.post("U1", `m${at}`);
  timelines = new Timelines(
    {
      calls,
      selfId: "U0",
      read: (json: Json, id: string) => messageOf(json, id, String(json.ts)),
      pending: () => signal([]),
      lastRead: () => null,
      arrived: () => undefined,
      isWatched: () => true,
      isVisible: () => around.isVisible,
      isBooted: () => true,
      isMember: () => around.isMember,
      opened: () => undefined,
    },
    () => 0.5,
  );
});
afterEach(() => {
  timelines.end();
  vi.useRealTimers();
});

test("a reader who is no member sees what was said, changed and removed, without a word of loading", async () => {
  const { timeline } = timelines.hold(CHANNEL, null);
  await vi.advanceTimersByTimeAsync(10);
  expect(textsOf(timeline)).toHaveLength(10);
  const [first, second] = server.inChannel;
  server.post("U1", "news");
  server.edit(first?.ts ?? "", "edited");
  if (second) server.forget(second);
  const states: string[] = [];
  const stop = timeline.isLoading.subscribe((state) => states.push(state));
  await aWhile();
  expect(textsOf(timeline)).toEqual(["edited", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "m9", "news"]);
  expect(states).toEqual([""]);
  stop();
});

test("more than a page leaves no hole", async () => {
  const { timeline } = timelines.hold(CHANNEL, null);
  await vi.advanceTimersByTimeAsync(10);
  for (let at = 0; at < 100; at += 1) server.post("U1", `n${at}`);
  await aWhile();
  expect(textsOf(timeline)).toEqual(Array.from({ length: 60 }, (_, at) => `n${40 + at}`));
  await timeline.loadOlder();
  expect(textsOf(timeline)).toHaveLength(110);
});

test("nobody looks where one is a member, while the page is hidden, or when nothing is shown", async () => {
  around.isMember = true;
  const held = timelines.hold(CHANNEL, null);
  await vi.advanceTimersByTimeAsync(10);
  const before = calls.asked.length;
  await aWhile();
  Object.assign(around, { isMember: false, isVisible: false });
  await aWhile();
  expect(calls.asked).toHaveLength(before);
  around.isVisible = true;
  await aWhile();
  expect(calls.asked).toHaveLength(before + 1);
  held.release();
  await vi.advanceTimersByTimeAsync(10 * LOOK_MS);
  expect([calls.asked.length, vi.getTimerCount()]).toEqual([before + 1, 0]);
});
