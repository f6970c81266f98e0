/** A whole client against a server in memory: boots, events, breaks, what can never be had, and the end. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Begun, firstBoot } from "../begun";
import { createClient } from "./client";
import type { Client, Message, Row } from "./contract";
import type { Json } from "./net/json";
import { FakeServer } from "./testing";

vi.setConfig({ testTimeout: 30_000 });

const SELF = "U0";
const soon = <T>(holds: () => T) => vi.waitFor(holds, { timeout: 20_000, interval: 5 });
const person = (id: string, name: string): Json => ({ id, name, v: 1, profile: { display_name: name } });
const message = (ts: string, text: string, user = "U1"): Json => ({ type: "message", ts, text, user });
const textsOf = (rows: readonly Row[]) => rows.flatMap((row) => (row.kind === "message" ? [row.message.text] : []));

let server: FakeServer;
let client: Client;
/** What history has, by channel, newest first. */
let histories: Record<string, Json[]>;

function begin(first = "C1", begun: Begun | null = null): Client {
  const session = {
    isSignedIn: true,
    team: { id: "T1", name: "", domain: "" },
    user: { id: SELF, name: "ada" },
    isDemo: false,
    demoUsers: [],
  };
  client = createClient(session, { first, storage: null, begun });
  return client;
}

const phase = () => client.connection.value.phase;
const live = () => soon(() => expect(phase()).toBe("live"));

beforeEach(() => {
  server = new FakeServer();
  server.install();
  for (const [channel, offset] of Object.entries({ T1: 1, U0: 1, C1: 5, C2: 5, D1: 5 }))
    server.heads.set(channel, offset);
  histories = { C1: [message("2.000000", "two"), message("1.000000", "one")], C2: [message("1.000000", "else")] };
  const history = (args: Json) => ({ messages: histories[String(args.channel)] ?? [], has_more: false });
  server.answers.set("conversations.history", history);
  server.answers.set("client.boot", (args) => ({
    is_delta: "since" in args,
    complete: !("since" in args),
    self: person(SELF, "ada"),
    team: { id: "T1", name: "Demo", domain: "demo" },
    ...("since" in args
      ? {}
      : {
          prefs: {},
          channels: [
            { id: "C1", kind: "public", name: "general", last_read: "2.000000", latest: "2.000000" },
            { id: "C2", kind: "public", name: "other", last_read: "1.000000", latest: "1.000000" },
            { id: "D1", kind: "im", user: "U1" },
          ],
          users: [person("U1", "grace")],
        }),
    ...(args.channel ? { history: { channel: args.channel, ...history(args) } } : {}),
  }));
  server.answers.set("objects", ({ ids }) => ({ users: [], channels: [], unknown: Object.keys((ids ?? {}) as Json) }));
  server.answers.set("members", () => ({ members: [SELF, "U1"], total: 2, cursor: "" }));
});
afterEach(() => {
  client.dispose();
  vi.unstubAllGlobals();
});

test("a boot that was asked for before there was a client is its first one", async () => {
  const early = await fetch("/api/client.boot", { method: "POST", body: firstBoot("C1") });
  let taken = 0;
  begin("C1", {
    take(path, body) {
      if (path !== "/api/client.boot" || body !== firstBoot("C1") || taken > 0) return null;
      taken += 1;
      return Promise.resolve(early);
    },
  });
  await live();
  expect(taken).toBe(1);
  expect(server.asked("client.boot")).toHaveLength(1);
  expect(client.conversations.value.size).toBe(3);
});

test("one call and one socket are the first screen: conversations, people, and what was said", async () => {
  begin();
  const { timeline } = client.timeline("C1");
  expect(phase()).toBe("starting");
  await live();
  expect([...client.conversations.value.values()].map((each) => each.name)).toEqual(["general", "other", "grace"]);
  expect([client.team.value.name, client.user("U1").value?.label]).toEqual(["Demo", "grace"]);
  expect(textsOf(timeline.rows.value)).toEqual(["one", "two"]);
  expect(server.asked("conversations.history")).toEqual([]);
  expect(server.asked("client.boot")).toMatchObject([{ channel: "C1", lazy_aware: 1, resume_aware: 1, resume: 1 }]);
  expect(server.resumes.map((each) => each.get("C1"))).toEqual([5]);
  const general = client.conversation("C1");
  await soon(() => expect(general.value?.memberCount).toBe(2));
});

test("what happens is shown where it belongs, counted, and told to who notifies", async () => {
  begin();
  const told: [string, string][] = [];
  const now = `${Math.floor(Date.now() / 1000)}.000000`;
  const stop = client.onNotify((heard, why) => told.push([heard.text, why]));
  const { timeline } = client.timeline("C1");
  await live();
  server.happens("C1", { ...message("3.000000", "three"), channel: "C1" });
  server.happens("C1", {
    type: "reaction_added",
    user: "U1",
    reaction: "tada",
    item: { type: "message", channel: "C1", ts: "3.000000" },
  });
  server.happens("C2", { ...message(now, `hey <@${SELF}>`), channel: "C2" });
  server.happens("D1", { ...message(now, "psst"), channel: "D1" });
  await soon(() => expect(client.conversation("D1").value?.mentions).toBe(1));
  expect(textsOf(timeline.rows.value)).toEqual(["one", "two", "three"]);
  expect(client.conversation("C1").value?.isUnread).toBe(true);
  expect(client.conversation("C2").value?.mentions).toBe(1);
  expect(client.activity.value.map((each) => each.conversationName)).toEqual(["other"]);
  expect(told).toContainEqual([`hey <@${SELF}>`, "mention"]);
  expect(told).toContainEqual(["psst", "direct"]);
  stop();
  const heard = told.length;
  server.happens("C1", {
    type: "message",
    subtype: "message_deleted",
    channel: "C1",
    deleted_ts: "3.000000",
    previous_message: message("3.000000", "three"),
  });
  server.happens("D1", { ...message(`${now.slice(0, -1)}1`, "again"), channel: "D1" });
  await soon(() => expect(client.conversation("D1").value?.mentions).toBe(2));
  expect(textsOf(timeline.rows.value)).toEqual(["one", "two"]);
  expect(client.conversation("C1").value?.isUnread).toBe(false);
  expect(told).toHaveLength(heard);
});

test("what one writes stands there once, and who writes has read", async () => {
  begin();
  const { timeline } = client.timeline("C1");
  await live();
  server.answers.set("chat.postMessage", (args) => {
    const posted = { ...message("9.000000", String(args.text), SELF), client_msg_id: args.client_msg_id };
    server.happens("C1", { ...posted, channel: "C1" });
    return { message: posted };
  });
  client.send("C1", "hello");
  expect(textsOf(timeline.rows.value)).toEqual(["one", "two", "hello"]);
  await soon(() => expect(server.asked("conversations.mark")).toEqual([{ channel: "C1", ts: "9.000000" }]));
  const own = timeline.rows.value.flatMap((row) =>
    row.kind === "message" && row.message.authorId === SELF ? [row.message] : [],
  );
  expect(own.map((each: Message) => [each.text, each.delivery])).toEqual([["hello", "sent"]]);
  expect(client.conversation("C1").value?.isUnread).toBe(false);
});

test("a token that was over when the connection began is asked about again, by a boot", async () => {
  begin();
  await live();
  const gateways = [{ id: "g2", url: "ws://other/" }];
  server.socket?.tell({ type: "return", ticket: "T", starts: "S", expires_in: 300, spread: 0, gateways });
  server.socket?.break(4102);
  await soon(() => expect(server.asked("client.boot")).toHaveLength(2));
  await live();
  server.answers.set("client.boot", () => ({ ok: false, error: "token_expired" }));
  server.socket?.break(4102);
  await soon(() => expect(phase()).toBe("signed_out"));
});

test("an answer over the socket is taken however early it comes", async () => {
  begin();
  await live();
  server.isHasty = true;
  server.answers.set("objects", () => ({ users: [person("U7", "linus")], channels: [], unknown: [] }));
  const user = client.user("U7");
  await soon(() => expect(user.value?.label).toBe("linus"));
  expect(server.asked("client.objects")).toEqual([]);
});

test("who was told another way back takes it without a boot, and misses nothing", async () => {
  begin();
  const { timeline } = client.timeline("C1");
  await live();
  const gateways = [{ id: "g2", url: "ws://other/" }];
  server.socket?.tell({ type: "return", ticket: "T", starts: "S", expires_in: 300, spread: 0, gateways });
  await soon(() => expect(textsOf(timeline.rows.value)).toHaveLength(2));
  server.socket?.break(1006);
  server.happens("C1", { ...message("3.000000", "meanwhile"), channel: "C1" });
  await soon(() => expect(textsOf(timeline.rows.value)).toEqual(["one", "two", "meanwhile"]));
  await live();
  expect(server.sockets.map((each) => each.url)).toEqual(["ws://gateway", "ws://other/T"]);
  expect(server.starts).toEqual(["", "S"]);
  expect(server.asked("client.boot")).toHaveLength(1);
});

test("where the way back cannot be continued it boots as at the beginning", async () => {
  begin();
  await live();
  const gateways = ["g2", "g3"].map((id) => ({ id, url: `ws://${id}/` }));
  server.socket?.tell({ type: "return", ticket: "T", starts: "S", expires_in: 300, spread: 0, gateways });
  server.refuses = (url) => (/^ws:..g\d/.test(url) ? 4003 : 0);
  server.socket?.break(1006);
  await soon(() => expect(server.asked("client.boot")).toHaveLength(2));
  await live();
  expect(server.sockets.map((each) => each.url)).toEqual(["ws://gateway", expect.any(String), "ws://gateway"]);
});

test("after a break it resumes: a small boot, what was missed, nothing twice, and no page read again", async () => {
  begin();
  const { timeline } = client.timeline("C1");
  await live();
  server.happens("C1", { ...message("3.000000", "three"), channel: "C1" });
  await soon(() => expect(textsOf(timeline.rows.value)).toHaveLength(3));
  server.socket?.break(1006);
  server.happens("C1", { ...message("4.000000", "meanwhile"), channel: "C1" });
  await soon(() => expect(textsOf(timeline.rows.value)).toEqual(["one", "two", "three", "meanwhile"]));
  await live();
  expect(server.asked("client.boot")[1]?.since).toBeTypeOf("string");
  expect(server.resumes.map((each) => each.get("C1"))).toEqual([5, 6]);
  expect(server.asked("conversations.history")).toEqual([]);
  expect(client.conversations.value.size).toBe(3);
});

test("what can never be had is read anew: the channels named, and no others", async () => {
  begin();
  const [{ timeline }, other] = [client.timeline("C1"), client.timeline("C2")];
  await soon(() => expect(textsOf(other.timeline.rows.value)).toEqual(["else"]));
  await live();
  const before = server.asked("conversations.history").length;
  histories.C1 = [message("7.000000", "seven")];
  server.heads.set("C1", 20);
  server.lost = ["C1"];
  server.socket?.break(1006);
  await soon(() => expect(textsOf(timeline.rows.value)).toEqual(["seven"]));
  // Its boot was of after what was missed, so nothing else is to be had.
  await live();
  const read = server.asked("conversations.history").slice(before);
  expect([...new Set(read.map((each) => each.channel))]).toEqual(["C1"]);
  expect(textsOf(other.timeline.rows.value)).toEqual(["else"]);
  expect(server.asked("client.boot")).toHaveLength(2);
});

test.each(["opens", "says where it continues"])("a socket that breaks as it %s loses nothing", async (when) => {
  begin();
  const { timeline } = client.timeline("C1");
  await soon(() => expect(server.socket).toBeDefined());
  const [first] = server.sockets;
  if (when !== "opens") await soon(() => expect(first?.isOpen).toBe(true));
  histories.C1 = [message("7.000000", "seven")];
  server.heads.set("C1", 20);
  server.lost = ["C1"];
  first?.break(1006);
  await soon(() => expect(textsOf(timeline.rows.value)).toEqual(["seven"]));
  await live();
  expect([server.sockets.length, server.resumes.at(-1)?.get("C1")]).toEqual([2, 5]);
  expect(server.asked("client.boot")).toHaveLength(2);
});

test("where the boot is older than what was missed, the whole workspace is told anew", async () => {
  begin();
  await live();
  const stale = await server.token();
  const boot = server.answers.get("client.boot");
  let isOld = true;
  server.answers.set("client.boot", (args) => ({ ...boot?.(args), ...(isOld ? { token: stale } : {}) }));
  server.heads.set("C1", 20);
  server.lost = ["C1"];
  server.socket?.break(1006);
  await soon(() => expect(server.resumes).toHaveLength(2));
  isOld = false;
  await soon(() => expect(server.asked("client.boot")).toHaveLength(3));
  await live();
  expect(server.asked("client.boot").map((each) => "since" in each)).toEqual([false, true, false]);
});

test.each(["a call", "the gateway"])("who is signed out by %s stays out, and asks no more", async (by) => {
  begin();
  await live();
  const { socket } = server;
  if (by === "the gateway") socket?.break(4100);
  else {
    server.answers.set("conversations.rename", () => ({ ok: false, error: "token_revoked" }));
    await expect(client.rename("C1", "x")).rejects.toMatchObject({ code: "token_revoked" });
  }
  await soon(() => expect(phase()).toBe("signed_out"));
  expect(socket?.readyState).toBe(3);
  client.retryNow();
  window.dispatchEvent(new Event("online"));
  window.dispatchEvent(new Event("focus"));
  expect([phase(), server.asked("client.boot").length, server.sockets.length]).toEqual(["signed_out", 1, 1]);
});

test("what is disposed of while it waits for answers asks for nothing more", async () => {
  begin();
  client.timeline("C2"); // how many are there is asked in a moment
  await live();
  client.dispose();
  const calls = server.calls.length;
  await expect(client.pins("C1")).rejects.toMatchObject({ code: "unreachable" });
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(server.calls.slice(calls)).toEqual([]);
});

test("what is disposed of is over: no socket, no call, and it does not say that it is on its way back", async () => {
  begin();
  await live();
  client.dispose();
  expect([phase(), server.socket?.readyState]).toEqual(["offline", 3]);
  const calls = server.calls.length;
  client.retryNow();
  window.dispatchEvent(new Event("online"));
  expect([server.calls.length, server.sockets.length]).toEqual([calls, 1]);
});
