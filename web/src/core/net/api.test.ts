/** Calls over HTTP: what is tried again, what is not, and what a person is told. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Refusal } from "../contract";
import { Api, Unreachable } from "./api";

type Reply = { status?: number; body?: unknown; retryAfter?: string } | "no answer";

let replies: Reply[];
let asked: { url: string; init: RequestInit }[];

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
    asked.push({ url, init });
    const reply = replies.shift() ?? "no answer";
    if (reply === "no answer") throw new TypeError("Failed to fetch");
    const headers = new Headers(reply.retryAfter ? { "retry-after": reply.retryAfter } : {});
    const body = typeof reply.body === "string" ? reply.body : JSON.stringify(reply.body ?? { ok: true });
    return { status: reply.status ?? 200, headers, text: async () => body };
  });
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

async function outcome(promise: Promise<unknown>): Promise<unknown> {
  const settled = promise.then(
    (value) => value,
    (error) => error,
  );
  await vi.runAllTimersAsync();
  return settled;
}

const api = () => new Api("", {}, () => 0.5);

test("an answer is an answer, asked for as JSON with the cookie of where the page came from", async () => {
  replies = [{ body: { ok: true, n: 1 } }];
  expect(await outcome(api().call("auth.test", { a: 1 }))).toMatchObject({ n: 1 });
  const [call] = asked;
  expect([call?.url, call?.init.method, call?.init.credentials, call?.init.body]).toEqual([
    "/api/auth.test",
    "POST",
    "same-origin",
    '{"a":1}',
  ]);
});

test("a refusal is told in words, and not tried again", async () => {
  replies = [{ body: { ok: false, error: "channel_not_found" } }];
  const refused = await outcome(api().read("x"));
  expect(refused).toBeInstanceOf(Refusal);
  expect(refused).toMatchObject({ code: "channel_not_found", message: /no such conversation/ });
  expect(asked).toHaveLength(1);
});

test("who asks too fast waits as long as was asked, whatever the call does", async () => {
  replies = [{ status: 429, body: { ok: false, error: "ratelimited" }, retryAfter: "3" }, {}];
  const began = Date.now();
  expect(await outcome(api().call("chat.meMessage"))).toMatchObject({ ok: true });
  expect(Date.now() - began).toBeGreaterThanOrEqual(3_000);
});

test("what perhaps was done is tried again only if that does no harm", async () => {
  for (const unknown of ["no answer", { status: 503, body: "<html>" }, { body: "half" }] satisfies Reply[]) {
    replies = [unknown, {}];
    asked = [];
    expect(await outcome(api().call("chat.meMessage"))).toBeInstanceOf(Refusal);
    expect(asked).toHaveLength(1);
    replies = [unknown, unknown, {}];
    expect(await outcome(api().read("conversations.history"))).toMatchObject({ ok: true });
  }
});

test("it gives up when its deadline is over, and says that the server does not answer", async () => {
  replies = [];
  const began = Date.now();
  expect(await outcome(api().read("x", {}, { deadlineS: 5 }))).toMatchObject({ code: "unreachable" });
  expect(Date.now() - began).toBeLessThanOrEqual(5_000);
  expect(asked.length).toBeGreaterThan(2);
});

test("whoever is not signed in any more is told", async () => {
  const one = api();
  one.onSignedOut = vi.fn();
  replies = [{ body: { ok: false, error: "token_revoked" } }];
  await outcome(one.read("x"));
  expect(one.onSignedOut).toHaveBeenCalledOnce();
});

test("once is once: a refusal, or unreachable with what was asked to wait", async () => {
  replies = [{ status: 429, retryAfter: "2", body: {} }, { body: { ok: false, error: "invalid_auth" } }];
  const limited = await outcome(api().once("client.boot", {}, 5));
  expect(limited).toBeInstanceOf(Unreachable);
  expect((limited as Unreachable).retryAfterS).toBeGreaterThanOrEqual(2);
  expect(await outcome(api().once("client.boot", {}, 5))).toMatchObject({ code: "invalid_auth" });
});

test("one that is not wanted any more stops waiting", async () => {
  replies = ["no answer"];
  const stop = new AbortController();
  const ended = outcome(api().read("x", {}, { signal: stop.signal }));
  stop.abort(new Error("enough"));
  expect(await ended).toMatchObject({ message: "enough" });
});
