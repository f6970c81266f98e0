/** What is about to be shown is loaded once, in one query, and by HTTP where the socket does not answer. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Refusal } from "../contract";
import { Unreachable } from "../net/api";
import type { Json } from "../net/json";
import { Holding } from "./holding";
import { Loader } from "./loader";

let holding: Holding;
let bySocket: Json[];
let byHttp: { method: string; args: Json }[];
let answer: (fields: Json) => Json;

const everything = (fields: Json): Json => {
  const ids = Object.keys(fields.ids as Json);
  return { ok: true, users: ids.filter((id) => id !== "U404").map((id) => ({ id, v: 1 })), unknown: ["U404"] };
};

function loaderOf(isBegun = true): Loader {
  const call = async (method: string, args: Json = {}) => {
    byHttp.push({ method, args });
    if (method === "conversations.info") return { ok: true, channel: { id: args.channel, updated: 5, num_members: 3 } };
    return everything(args);
  };
  const ask = async (_: string, fields: Json) => {
    bySocket.push(fields);
    return answer(fields);
  };
  const loader = new Loader(
    holding,
    ask,
    { call, read: call },
    (id) => id === "C9",
    () => 0.5,
  );
  if (isBegun) loader.begin();
  return loader;
}

beforeEach(() => {
  vi.useFakeTimers();
  holding = new Holding();
  [bySocket, byHttp] = [[], []];
  answer = everything;
});
afterEach(() => {
  vi.useRealTimers();
});

test("nothing is asked before there is a workspace, and then only what it did not bring", async () => {
  const loader = loaderOf(false);
  for (const id of ["U1", "U2"]) loader.want(id);
  const emoji = loader.query("emoji", { ids: {} });
  await vi.runAllTimersAsync();
  expect(bySocket).toEqual([]);
  holding.put({ id: "U1", v: 1 }, 1);
  loader.begin();
  await vi.runAllTimersAsync();
  await emoji;
  expect(bySocket).toContainEqual({ ids: { U2: null } });
  expect(bySocket).toHaveLength(2);
});

test("what is wanted in one moment is one query, and what is held is not asked for", async () => {
  const loader = loaderOf();
  for (const id of ["U1", "U2", "U1", "C1", "D1", ""]) loader.want(id);
  await vi.runAllTimersAsync();
  expect(bySocket).toEqual([{ ids: { U1: null, U2: null, C1: null } }]);
  loader.want("U1");
  await vi.runAllTimersAsync();
  expect(bySocket).toHaveLength(1);
});

test("more than fit are asked for in several queries", async () => {
  const loader = loaderOf();
  for (let at = 0; at < 1_100; at += 1) loader.want(`U${at + 1000}`);
  await vi.runAllTimersAsync();
  expect(bySocket.map((each) => Object.keys(each.ids as Json).length)).toEqual([500, 500, 100]);
  expect(holding.size).toBe(1_100);
});

test("whoever is not there is not asked for again, and what there was no room for is", async () => {
  const loader = loaderOf();
  answer = (fields) => {
    const [first = "", ...rest] = Object.keys(fields.ids as Json);
    return { ok: true, users: first === "U404" ? [] : [{ id: first, v: 1 }], more: rest, unknown: ["U404"] };
  };
  for (const id of ["U404", "U1", "U2"]) loader.want(id);
  await vi.runAllTimersAsync();
  expect([holding.isFresh("U1"), holding.isFresh("U2"), bySocket.length]).toEqual([true, true, 3]);
  loader.want("U404");
  await vi.runAllTimersAsync();
  expect(bySocket).toHaveLength(3);
});

test("a socket that does not answer is replaced by HTTP, one that is asked too fast is asked again", async () => {
  const loader = loaderOf();
  answer = () => {
    throw new Unreachable("broken");
  };
  loader.want("U1");
  await vi.runAllTimersAsync();
  expect([byHttp[0]?.method, holding.isFresh("U1")]).toEqual(["client.objects", true]);
  let isFirst = true;
  answer = (fields) => {
    if (!isFirst) return everything(fields);
    isFirst = false;
    throw new Refusal("ratelimited", "", 1);
  };
  loader.want("U2");
  await vi.runAllTimersAsync();
  expect([byHttp.length, holding.isFresh("U2")]).toEqual([1, true]);
});

test("a private conversation is asked for by itself: edges do not know it", async () => {
  loaderOf().want("C9");
  await vi.runAllTimersAsync();
  expect(byHttp).toEqual([{ method: "conversations.info", args: { channel: "C9", include_num_members: true } }]);
  expect(holding.get("C9")).toMatchObject({ num_members: 3 });
});
