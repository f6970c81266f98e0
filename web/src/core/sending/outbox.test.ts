/** Unsent messages: shown at once, sent in order, kept over reloads, never doubled, and given up only on a refusal. */
import { batch } from "@preact/signals";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Message, Refusal } from "../contract";
import type { Calls } from "../net/api";
import type { Json } from "../net/json";
import { isInChannel, messageOf } from "../timeline/messages";
import { opOf } from "../timeline/ops";
import { HistorySource } from "../timeline/source";
import { CHANNEL, FakeConversation, seeded } from "../timeline/testing";
import { LiveTimeline } from "../timeline/timeline";
import { type Keeping, Kept } from "./kept";
import { Outbox } from "./outbox";
import { UNSENT_MAX } from "./queue";

const SELF = "U0";
let boxes: Outbox[];
let storage: Keeping & { size: () => number };

function memory(): typeof storage {
  const all = new Map<string, string>();
  return {
    getItem: (key) => all.get(key) ?? null,
    setItem: (key, value) => void all.set(key, value),
    removeItem: (key) => void all.delete(key),
    key: (at) => [...all.keys()][at] ?? null,
    get length() {
      return all.size;
    },
    size: () => all.size,
  };
}

type Answering = (args: Json) => Promise<Json>;

function outboxOf(answering: Answering, tab = "tab1", posted: (id: string, message: Json) => void = () => {}): Outbox {
  const call = (_: string, args: Json = {}) => answering(args);
  const calls: Calls = { call, read: call };
  const box = new Outbox(calls, new Kept(storage, "out."), SELF, posted, tab, () => 0.5);
  boxes.push(box);
  return box;
}

const shown = (box: Outbox, channel = CHANNEL) => box.pending(channel, null).value;
const texts = (box: Outbox, channel = CHANNEL) => shown(box, channel).map((each) => each.text);
const settle = (ms: number) => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  vi.useFakeTimers();
  boxes = [];
  storage = memory();
});
afterEach(() => {
  for (const box of boxes) box.end();
  vi.useRealTimers();
});

test("a message is shown at once, sent with an id of its own, and gone from here when the server has it", async () => {
  const sent: Json[] = [];
  const box = outboxOf(async (args) => {
    sent.push(args);
    return { ok: true, message: { ts: "1.000001", ...args } };
  });
  box.send(CHANNEL, "hello", null, false);
  expect(shown(box)).toMatchObject([{ text: "hello", delivery: "sending", authorId: SELF }]);
  await settle(1);
  expect(shown(box)).toEqual([]);
  expect(sent).toMatchObject([{ channel: CHANNEL, text: "hello" }]);
  expect(String(sent[0]?.client_msg_id)).toMatch(/^[0-9a-f-]{36}$/);
  expect(storage.size()).toBe(0);
});

test("in one conversation they go one after the other in the order of writing, others do not wait for them", async () => {
  const sent: string[] = [];
  const done: (() => void)[] = [];
  const box = outboxOf((args) => {
    sent.push(String(args.text));
    return new Promise((resolve) => done.push(() => resolve({ ok: true })));
  });
  for (const text of ["one", "two", "three"]) box.send(CHANNEL, text, null, false);
  box.send("C2", "elsewhere", null, false);
  expect(sent).toEqual(["one", "elsewhere"]);
  done[0]?.();
  await settle(1);
  expect(sent).toEqual(["one", "elsewhere", "two"]);
  expect(texts(box)).toEqual(["two", "three"]);
});

test("what is not refused is tried again with the same id, and waits meanwhile", async () => {
  const ids: unknown[] = [];
  let isDown = true;
  const box = outboxOf(async (args) => {
    ids.push(args.client_msg_id);
    if (isDown) throw new Refusal("unreachable", "The server does not answer.");
    return { ok: true };
  });
  box.send(CHANNEL, "hello", null, false);
  box.send(CHANNEL, "second", null, false);
  await settle(100);
  expect(shown(box).map((each) => each.delivery)).toEqual(["waiting", "waiting"]);
  await settle(20_000);
  expect(ids.length).toBeGreaterThan(2);
  expect(new Set(ids).size).toBe(1);
  isDown = false;
  box.hurry();
  await settle(1);
  expect(shown(box)).toEqual([]);
});

test("a refused message stays with its reason, lets others pass, and can be sent again or thrown away", async () => {
  let isRefused = true;
  const box = outboxOf(async (args) => {
    if (isRefused && args.text === "bad") throw new Refusal("is_archived", "This channel is archived.");
    return { ok: true };
  });
  box.send(CHANNEL, "bad", null, false);
  box.send(CHANNEL, "good", null, false);
  await settle(10);
  expect(shown(box)).toMatchObject([{ text: "bad", delivery: "failed", failure: "This channel is archived." }]);
  isRefused = false;
  box.again(shown(box)[0]?.key ?? "");
  await settle(10);
  expect(shown(box)).toEqual([]);
});

test("a reload loses nothing: the same tab goes on at once, with the same id", async () => {
  const ids: unknown[] = [];
  const silent: Answering = (args) => {
    ids.push(args.client_msg_id);
    return new Promise(() => {});
  };
  const before = outboxOf(silent);
  before.send(CHANNEL, "hello", null, false);
  before.end();
  const after = outboxOf(async (args) => {
    ids.push(args.client_msg_id);
    return { ok: true };
  });
  expect(texts(after)).toEqual(["hello"]);
  await settle(10);
  expect(ids).toHaveLength(2);
  expect(ids[0]).toBe(ids[1]);
  expect([texts(after), storage.size()]).toEqual([[], 0]);
});

test("what another tab has is left to it, until that tab is gone", async () => {
  const alive = outboxOf(() => new Promise(() => {}));
  alive.send(CHANNEL, "theirs", null, false);
  const sent: unknown[] = [];
  const other = outboxOf(async (args) => {
    sent.push(args.text);
    return { ok: true };
  }, "tab2");
  expect(texts(other)).toEqual(["theirs"]);
  await settle(40_000);
  expect(sent).toEqual([]);
  alive.end();
  await settle(40_000);
  expect(sent).toEqual(["theirs"]);
});

test("what another tab has sent stays until its event is here, what it threw away goes at once", async () => {
  const tell = (key: string, newValue: string | null) =>
    globalThis.dispatchEvent(new StorageEvent("storage", { key, newValue }));
  const { setItem, removeItem } = storage;
  storage.setItem = (key, value) => {
    setItem(key, value);
    tell(key, value);
  };
  storage.removeItem = (key) => {
    removeItem(key);
    tell(key, null);
  };
  let answer = () => {};
  const first = outboxOf(() => new Promise((done) => (answer = () => done({ ok: true }))));
  const second = outboxOf(async () => ({ ok: true }), "tab2");
  first.send(CHANNEL, "hello", null, false);
  await settle(10);
  expect(shown(second).map((each) => [each.text, each.delivery])).toEqual([["hello", "sending"]]);
  answer();
  await settle(10);
  expect([texts(first), texts(second)]).toEqual([[], ["hello"]]);
  second.shown(shown(second)[0]?.key ?? "");
  expect(texts(second)).toEqual([]);

  first.send(CHANNEL, "no", null, false);
  await settle(10);
  first.discard(shown(first)[0]?.key ?? "");
  await settle(10);
  expect([texts(first), texts(second), storage.size()]).toEqual([[], [], 0]);

  first.send(CHANNEL, "seen before", null, false);
  await settle(10);
  answer();
  await settle(60_000);
  expect(texts(second)).toEqual([]);
});

test("what the server has told of is not shown again when another tab's word of sending it comes later", () => {
  const box = outboxOf(async () => ({ ok: true }));
  const id = crypto.randomUUID();
  expect(box.keyFor({ user: SELF, client_msg_id: id })).toBeUndefined();
  const entry = { id, conversationId: CHANNEL, text: "late", writtenAt: 1, delivery: "sending", tab: "tab2" };
  const tell = (newValue: string | null) =>
    globalThis.dispatchEvent(new StorageEvent("storage", { key: `out.${id}`, newValue }));
  tell(JSON.stringify({ ...entry, touchedAt: Date.now() }));
  expect(texts(box)).toEqual([]);
  tell(JSON.stringify({ ...entry, isSent: true }));
  tell(null);
  expect(texts(box)).toEqual([]);
});

test("there are only so many, and one too many says so", async () => {
  const box = outboxOf(() => new Promise(() => {}));
  for (let at = 0; at <= UNSENT_MAX; at += 1) box.send(CHANNEL, `m${at}`, null, false);
  expect(shown(box).at(-1)).toMatchObject({ delivery: "failed", failure: "Too many messages wait to be sent." });
  expect(storage.size()).toBe(UNSENT_MAX);
});

/** Own messages and a server that is slow, or loses answers; the event and the answer come in either order. */
async function chance(seed: number): Promise<void> {
  const random = seeded(seed);
  const read = (json: Json): Message => messageOf(json, CHANNEL, box.keyFor(json) ?? String(json.ts));
  const take = (json: Json) => {
    const placed = opOf(json, read);
    if (!placed) return;
    batch(() => {
      timeline.take(placed.op);
      if (placed.op.op === "post") box.shown(placed.op.message.key);
    });
  };
  let arrival = 0;
  const server = new FakeConversation((event) => {
    arrival = Math.max(arrival, Date.now() + random() * 300);
    setTimeout(() => take(event), arrival - Date.now());
  });
  const late = () => new Promise<void>((resolve) => setTimeout(resolve, random() * 300));
  const box = outboxOf(
    async (args) => {
      await late();
      if (random() < 0.2) throw new Refusal("unreachable", "");
      const message = server.post(SELF, String(args.text), { clientMsgId: String(args.client_msg_id) });
      await late();
      if (random() < 0.2) throw new Refusal("unreachable", "");
      return { ok: true, message };
    },
    "tab1",
    (_, message) => take({ ...message, channel: CHANNEL }),
  );
  const timeline: LiveTimeline = new LiveTimeline({
    source: new HistorySource(server.calls(late), CHANNEL, read, () => server.nowS),
    belongs: isInChannel,
    isThread: false,
    pending: box.pending(CHANNEL, null),
    selfId: SELF,
    arrived: (messages) => {
      for (const each of messages) box.shown(each.key);
    },
    isWatched: () => false,
    now: Date.now,
  });
  timeline.hold(null, true);
  const keys = new Map<string, Set<string>>();
  const stop = timeline.rows.subscribe((rows) => {
    const seen = new Set<string>();
    for (const row of rows) {
      if (row.kind !== "message") continue;
      expect(seen, `seed ${seed}: ${row.message.text} twice`).not.toContain(row.message.text);
      seen.add(row.message.text);
      if (row.message.authorId !== SELF) continue;
      keys.set(row.message.text, (keys.get(row.message.text) ?? new Set()).add(row.key));
    }
    for (const text of keys.keys()) expect(seen, `seed ${seed}: ${text} vanished`).toContain(text);
  });
  for (let step = 0; step < 25; step += 1) {
    if (random() < 0.5) box.send(CHANNEL, `mine ${step}`, null, false);
    else server.post("U1", `theirs ${step}`);
    if (random() < 0.1) timeline.invalidate();
    await vi.advanceTimersByTimeAsync(random() * 150);
  }
  await vi.advanceTimersByTimeAsync(60_000);
  stop();
  const rows = timeline.rows.value.flatMap((row) => (row.kind === "message" ? [row.message] : []));
  expect(rows.map((each) => each.text)).toEqual(server.inChannel.map((each) => each.text));
  expect(rows.every((each) => each.delivery === "sent")).toBe(true);
  for (const [text, all] of keys) expect(all.size, `seed ${seed}: ${text} kept its key`).toBe(1);
  const mine = rows.filter((each) => each.authorId === SELF).map((each) => Number(each.text.slice(5)));
  expect(mine).toEqual([...mine].sort((one, other) => one - other));
  box.end();
}

test("in whatever order answers, events and pages come, a message stands there once, all the time, under one key", async () => {
  for (let seed = 1; seed <= 15; seed += 1) await chance(seed);
}, 120_000);
