/** A timeline against a conversation that answers late: whatever comes in whatever order, it shows what a fresh look does. */
import { signal } from "@preact/signals";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Message, Row } from "../contract";
import type { Json } from "../net/json";
import { isInChannel, isInThread, messageOf } from "./messages";
import { opOf } from "./ops";
import { HistorySource, type Source, ThreadSource } from "./source";
import { CHANNEL, FakeConversation, seeded } from "./testing";
import { LiveTimeline, MESSAGES_MAX } from "./timeline";

const read = (json: Json) => messageOf(json, CHANNEL, String(json.ts));
const messagesOf = (rows: readonly Row[]): Message[] =>
  rows.flatMap((row) => (row.kind === "message" ? [row.message] : []));

function timelineOf(source: Source, more: { root?: string; pending?: readonly Message[]; isWatched?: boolean } = {}) {
  const { root } = more;
  return new LiveTimeline({
    source,
    belongs: root ? (message) => isInThread(message, root) : isInChannel,
    isThread: root !== undefined,
    pending: signal(more.pending ?? []),
    selfId: "U0",
    arrived: () => {},
    isWatched: () => more.isWatched ?? false,
    now: Date.now,
  });
}

function hear(timeline: LiveTimeline, event: Json): void {
  const placed = opOf(event, read);
  if (placed) timeline.take(placed.op);
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A conversation with `count` messages, and a timeline of it that is loaded. */
async function opened(count: number, lastRead: string | null = null) {
  const server = new FakeConversation((event) => hear(timeline, event));
  const calls = server.calls();
  const timeline: LiveTimeline = timelineOf(new HistorySource(calls, CHANNEL, read, () => server.nowS));
  for (let at = 0; at < count; at += 1) server.post(`U${1 + (at % 3)}`, `m${at}`);
  timeline.hold(lastRead, true);
  await vi.runAllTimersAsync();
  return { server, calls, timeline, texts: () => messagesOf(timeline.rows.value).map((each) => each.text) };
}

test("the newest page is shown, and older ones up to the beginning when they are asked for", async () => {
  const { timeline, texts } = await opened(150);
  expect(texts()).toHaveLength(60);
  expect([timeline.hasOlder.value, timeline.hasNewer.value]).toEqual([true, false]);
  await timeline.loadOlder();
  expect(texts()).toEqual(Array.from({ length: 150 }, (_, at) => `m${at}`));
  expect(timeline.hasOlder.value).toBe(false);
  expect(timeline.rows.value[0]?.kind).toBe("beginning");
});

test("what is posted comes at the end, once, and what is not loaded does not come", async () => {
  const { server, timeline, texts } = await opened(3);
  server.post("U1", "new");
  for (const event of server.events) hear(timeline, event);
  expect(texts()).toEqual(["m0", "m1", "m2", "new"]);
  const unloaded = timelineOf(new HistorySource(server.calls(), CHANNEL, read));
  for (const event of server.events) hear(unloaded, event);
  expect(unloaded.rows.value).toEqual([]);
});

test("somebody who jumps back sees what is around, goes on to now, and misses nothing", async () => {
  const { server, timeline, texts } = await opened(1_000);
  const target = server.inChannel[300]?.ts ?? "";
  expect(await timeline.jumpTo(target)).toBe(true);
  expect(texts()).toContain("m300");
  expect(timeline.hasNewer.value).toBe(true);
  server.post("U1", "meanwhile");
  expect(texts()).not.toContain("meanwhile");
  while (timeline.hasNewer.value) await timeline.loadNewer();
  const all = texts();
  expect(all).toEqual([...server.inChannel].slice(-all.length).map((each) => each.text));
  expect(all.at(-1)).toBe("meanwhile");
});

test("jumping to what is not there any more keeps what is shown", async () => {
  const { server, timeline, texts } = await opened(100);
  const target = server.inChannel[10]?.ts ?? "";
  server.delete(target);
  const before = texts();
  expect(await timeline.jumpTo(target)).toBe(false);
  expect(texts()).toEqual(before);
});

test("scrolling through very many messages keeps a bounded number of them, without a gap", async () => {
  const { timeline, texts } = await opened(4_000);
  while (timeline.hasOlder.value) {
    await timeline.loadOlder();
    expect(texts().length).toBeLessThanOrEqual(MESSAGES_MAX);
  }
  expect(texts()).toEqual(Array.from({ length: MESSAGES_MAX }, (_, at) => `m${at}`));
  expect(timeline.hasNewer.value).toBe(true);
  while (timeline.hasNewer.value) await timeline.loadNewer();
  expect(texts()).toEqual(Array.from({ length: MESSAGES_MAX }, (_, at) => `m${4_000 - MESSAGES_MAX + at}`));
  expect(timeline.hasOlder.value).toBe(true);
}, 30_000);

test("a load that fails is told, and tried again when it is wanted", async () => {
  const server = new FakeConversation();
  server.post("U1", "hello");
  let isDown = true;
  const calls = server.calls();
  const failing = {
    ...calls,
    read: async (method: string, args?: Json) => {
      if (isDown) throw new Error("The server does not answer.");
      return calls.read(method, args);
    },
  };
  const timeline = timelineOf(new HistorySource(failing, CHANNEL, read));
  timeline.hold(null, true);
  await vi.runAllTimersAsync();
  expect(timeline.problem.value).toBe("The server does not answer.");
  isDown = false;
  await timeline.retry();
  expect([timeline.problem.value, messagesOf(timeline.rows.value).length]).toEqual(["", 1]);
});

test("the line above what is new stands still while one reads, and goes when one writes", async () => {
  const { server, timeline } = await opened(5, "1700000003.000000");
  const place = () => timeline.rows.value.findIndex((row) => row.kind === "unread");
  const at = place();
  expect(at).toBeGreaterThan(0);
  server.post("U1", "more");
  expect(place()).toBe(at);
  server.post("U0", "mine");
  expect(place()).toBe(-1);
});

test("who looks on as it comes sees no line, who looks away does", async () => {
  for (const isWatched of [true, false]) {
    const server = new FakeConversation();
    server.post("U1", "old");
    const timeline = timelineOf(new HistorySource(server.calls(), CHANNEL, read), { isWatched });
    timeline.hold(server.inChannel[0]?.ts ?? "", true);
    await vi.runAllTimersAsync();
    server.post("U1", "new");
    for (const event of server.events) hear(timeline, event);
    expect(timeline.rows.value.some((row) => row.kind === "unread")).toBe(!isWatched);
  }
});

test("a thread is read from its parent on, and counts what is removed from it", async () => {
  const { server, timeline, texts } = await opened(2);
  const root = server.inChannel[0]?.ts ?? "";
  const thread = timelineOf(new ThreadSource(server.calls(), CHANNEL, root, read), { root });
  thread.hold(null, true);
  const replies = ["one", "two"].map((text) => String(server.post("U2", text, { threadTs: root }).ts));
  await vi.runAllTimersAsync();
  expect(messagesOf(thread.rows.value).map((each) => each.text)).toEqual(["m0", "one", "two"]);
  expect(texts()).toEqual(["m0", "m1"]);
  const counted = () => messagesOf(timeline.rows.value)[0]?.replyCount;
  expect(counted()).toBe(2);
  server.delete(replies[1] ?? "");
  await vi.runAllTimersAsync();
  expect(counted()).toBe(1);
});

test("one that may be wrong is read again, at once if it is shown", async () => {
  const { server, timeline, calls, texts } = await opened(5);
  const deaf = [...server.events];
  for (const each of server.inChannel.slice(2, 3)) server.forget(each);
  expect(deaf.length).toBe(5);
  timeline.invalidate();
  await vi.runAllTimersAsync();
  expect(texts()).toEqual(["m0", "m1", "m3", "m4"]);
  timeline.letGo();
  const before = calls.asked.length;
  timeline.invalidate();
  await vi.runAllTimersAsync();
  expect(calls.asked.length).toBe(before);
  timeline.hold(null, true);
  await vi.runAllTimersAsync();
  expect(calls.asked.length).toBe(before + 1);
});

/** One run of chance: people do things, events and pages arrive late, somebody scrolls; then all is quiet. */
async function chance(seed: number): Promise<void> {
  const random = seeded(seed);
  const pick = <T>(all: readonly T[]): T | undefined => all[Math.floor(random() * all.length)];
  const late = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, random() * ms));
  let arrival = 0;
  const timelines: LiveTimeline[] = [];
  const server = new FakeConversation((event) => {
    // Late, but in order: they come over one socket.
    arrival = Math.max(arrival, Date.now() + random() * 400);
    setTimeout(() => {
      for (const each of timelines) hear(each, event);
    }, arrival - Date.now());
  });
  for (let at = 0; at < 150 * random(); at += 1) server.post(`U${at % 4}`, `m${at}`);
  const root = pick(server.inChannel)?.ts ?? String(server.post("U1", "root").ts);
  await vi.runAllTimersAsync();
  const calls = server.calls(() => late(300));
  const main = timelineOf(new HistorySource(calls, CHANNEL, read, () => server.nowS));
  const thread = timelineOf(new ThreadSource(calls, CHANNEL, root, read), { root });
  timelines.push(main, thread);
  for (const each of timelines) each.hold(null, true);
  for (let step = 0; step < 60; step += 1) {
    const ts = pick([...server.kept.keys()]) ?? root;
    const what = Math.floor(random() * 13);
    if (what < 3) server.post(`U${what}`, `s${step}`);
    else if (what === 3) server.post("U3", `r${step}`, { threadTs: root, broadcast: random() < 0.3 });
    else if (what === 4) server.edit(ts, `e${step}`);
    else if (what === 5 && ts !== root) server.delete(ts);
    else if (what === 6) server.react(ts, `U${Math.floor(random() * 3)}`, "tada", random() < 0.6);
    else if (what === 7) server.pin(ts, random() < 0.5);
    else if (what === 8) void main.loadOlder();
    else if (what === 9) void main.loadNewer();
    else if (what === 10) void main.jumpTo(ts);
    else if (what === 11) void main.jumpToNow();
    else for (const each of timelines) each.invalidate();
    await vi.advanceTimersByTimeAsync(random() * 200);
  }
  await vi.runAllTimersAsync();
  const truth = new Map(server.inChannel.map((each) => [each.ts, read(server.shape(each))]));
  const shown = messagesOf(main.rows.value);
  const [first, last] = [shown[0]?.ts ?? "", main.hasNewer.value ? (shown.at(-1)?.ts ?? "") : "~"];
  const from = main.hasOlder.value ? first : "";
  const wanted = [...truth.values()].filter((each) => each.ts >= from && each.ts <= last);
  expect(shown, `seed ${seed}`).toEqual(wanted);
  const all = [...server.kept.values()].filter((each) => each.ts === root || each.threadTs === root);
  const inThread = all.sort((one, other) => (one.ts < other.ts ? -1 : 1)).map((each) => read(server.shape(each)));
  expect(messagesOf(thread.rows.value), `thread, seed ${seed}`).toEqual(inThread);
}

test("in whatever order pages, events and jumps come, it shows what a fresh look shows, and nothing twice", async () => {
  for (let seed = 1; seed <= 60; seed += 1) await chance(seed);
}, 120_000);

test("reactions of more people than are named are counted right, also while a page is on its way", async () => {
  const { server, timeline } = await opened(1);
  const [kept] = server.inChannel;
  const ts = kept?.ts ?? "";
  for (let at = 0; at < 60; at += 1) server.react(ts, `U${100 + at}`, "tada", true);
  timeline.invalidate();
  server.react(ts, "U900", "tada", true); // while it is on its way
  await vi.runAllTimersAsync();
  timeline.invalidate();
  await Promise.resolve();
  server.react(ts, "U901", "tada", true);
  server.react(ts, "U902", "tada", true);
  await vi.runAllTimersAsync();
  expect(messagesOf(timeline.rows.value)[0]?.reactions[0]?.count).toBe(63);
});
