/** A window whose journal is done again on top of a page: reactions of more people than the server names. */
import { beforeEach, expect, test } from "vitest";
import { messageOf } from "./messages";
import { BEGINNING, NOW, type Op, type Page, Window } from "./window";

const TS = "1700000001.000000";
const people = (count: number) => Array.from({ length: count }, (_, at) => `U${100 + at}`);
let window: Window;

/** A page with one message, to which so many reacted as the page was read. */
function page(count: number): Page {
  const reactions = [{ name: "tada", users: people(count).slice(0, 50), count }];
  return { messages: [messageOf({ ts: TS, user: "U1", text: "hi", reactions }, "C1", TS)], low: BEGINNING, high: NOW };
}
const reacts = (userId: string, on: boolean): Op => ({ op: "react", ts: TS, name: "tada", userId, on });
const count = () => window.get(TS)?.reactions[0]?.count ?? 0;

beforeEach(() => {
  window = new Window(() => true, "U0");
});

test("who reacted before a page was asked for is counted in it, and not once more", () => {
  window.reset(page(60), 0);
  window.apply(reacts("U9", true), 1_000);
  expect(count()).toBe(61);
  window.merge(page(61), 1_500);
  expect([count(), window.unsureOf.size]).toEqual([61, 0]);
  window.apply(reacts("U9", false), 1_600);
  window.merge(page(60), 1_700);
  expect([count(), window.unsureOf.size]).toEqual([60, 0]);
});

test("where the page may have it or not, it says that it does not know", () => {
  window.reset(page(60), 0);
  window.asked(1_000);
  window.apply(reacts("U9", true), 1_010);
  window.merge(page(61), 1_000);
  expect([count(), [...window.unsureOf]]).toEqual([61, [TS]]);
  window.merge(page(61), 1_300); // read again
  expect([count(), window.unsureOf.size]).toEqual([61, 0]);
});

test("those who are named are told apart: nothing is done twice, and what was undone stays so", () => {
  const [named = ""] = people(1);
  window.reset(page(60), 0);
  window.asked(1_000);
  window.apply(reacts(named, false), 1_010);
  expect(count()).toBe(59);
  window.merge(page(60), 1_000); // read before it happened
  expect([count(), window.unsureOf.size]).toEqual([59, 0]);
  window.apply(reacts(named, true), 1_020);
  window.merge(page(60), 1_000);
  expect(count()).toBe(60);
});

test("somebody who was only counted may take it back; oneself is told of it twice", () => {
  window.reset(page(60), 0);
  window.apply(reacts("U155", false), 10_000);
  expect(count()).toBe(59);
  window.apply(reacts("U0", true), 10_010);
  window.apply(reacts("U0", false), 10_020); // done here
  window.apply(reacts("U0", false), 10_030); // and heard of
  expect(count()).toBe(59);
});

test("where all are named the journal tells exactly who", () => {
  window.reset(page(3), 0);
  window.asked(1_000);
  for (const [userId, on] of [
    ["U9", true],
    ["U100", false],
    ["U100", true],
    ["U101", false],
  ] as const)
    window.apply(reacts(userId, on), 1_010);
  window.merge(page(3), 1_000);
  expect([...(window.get(TS)?.reactions[0]?.userIds ?? [])].sort()).toEqual(["U100", "U102", "U9"]);
});

test("who is named only to itself stays so when the message changes for everybody", () => {
  const shown = page(60);
  const [message] = shown.messages;
  const [reaction] = message?.reactions ?? [];
  if (!message || !reaction) throw new Error("the page has a message with a reaction");
  const mine = { ...reaction, userIds: [...reaction.userIds, "U0"] };
  window.reset({ ...shown, messages: [{ ...message, reactions: [mine] }] }, 0);
  const edited = page(60).messages[0];
  if (!edited) throw new Error("the page has a message");
  window.apply({ op: "change", message: { ...edited, text: "edited" } }, 10_000);
  expect(window.get(TS)).toMatchObject({ text: "edited", reactions: [{ count: 60 }] });
  expect(window.get(TS)?.reactions[0]?.userIds).toEqual([...people(50), "U0"]);
  window.apply(reacts("U0", false), 10_010);
  window.apply({ op: "change", message: { ...edited, text: "again" } }, 10_020);
  expect(window.get(TS)?.reactions[0]?.userIds).toEqual(people(50));
});
