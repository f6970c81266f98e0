/** Objects by version: the higher one stays, old ones are confirmed, the least used go. */
import { expect, test } from "vitest";
import { Holding } from "./holding";

const one = (v: number, name = `v${v}`) => ({ id: "U1", v, name });

test("the higher version stays, whichever comes last", () => {
  const holding = new Holding();
  for (const v of [3, 1, 2]) holding.put(one(v));
  expect(holding.get("U1")).toEqual(one(3));
});

test("what changed is old until it is asked for, and what the answer leaves out has not changed", () => {
  const holding = new Holding();
  holding.put(one(3));
  expect(holding.ask(["U1", "U2"]).ids).toEqual(new Map([["U2", null]]));
  holding.age(["U1"]);
  const ask = holding.ask(["U1"]);
  expect(ask.ids).toEqual(new Map([["U1", 3]]));
  holding.answered(ask, []);
  expect(holding.isFresh("U1")).toBe(true);
});

test("an answer from before a change does not make it fresh", () => {
  const holding = new Holding();
  holding.put(one(3));
  holding.age(["U1"]);
  const ask = holding.ask(["U1"]);
  holding.age(["U1"]);
  holding.answered(ask, [one(3)]);
  expect(holding.isFresh("U1")).toBe(false);
});

test("the least used go first", () => {
  const told: string[] = [];
  const holding = new Holding((id) => told.push(id), 2);
  for (const id of ["U1", "U2"]) holding.put({ id, v: 1 });
  holding.get("U1");
  holding.put({ id: "U3", v: 1 });
  expect([holding.get("U2"), holding.size]).toEqual([undefined, 2]);
  expect(told).toEqual(["U1", "U2", "U3"]);
});
