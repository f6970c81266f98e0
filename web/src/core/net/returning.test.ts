/** The way back: whom it leads to, for how long, and when it is spread. */
import { beforeEach, expect, test } from "vitest";
import type { Json } from "./json";
import { AWAY_MAX_MS, Returning } from "./returning";

const frame = (more: Json = {}): Json => ({
  type: "return",
  ticket: "TICKET",
  starts: "STARTS",
  expires_in: 300,
  spread: 4,
  gateways: [
    { id: "g2", url: "ws://two/" },
    { id: "g3", url: "ws://three/" },
  ],
  ...more,
});

let returning: Returning;
beforeEach(() => {
  returning = new Returning(() => 0.5);
});

test("each gateway is named once, with the ticket, and none that is known to be dead", () => {
  returning.take(frame(), 0);
  returning.left(1_000);
  expect(returning.way(1_000, [])).toEqual({ hostId: "g2", url: "ws://two/TICKET", starts: "STARTS" });
  expect(returning.isThere).toBe(true);
  expect(returning.way(1_000, ["g3"])).toBeNull();
  expect(returning.isThere).toBe(false);
});

test("the last frame counts, and one that is not understood changes nothing", () => {
  returning.take(frame(), 0);
  for (const broken of [{ ticket: 1 }, { starts: "" }, { gateways: "g2" }]) returning.take(frame(broken), 0);
  returning.take(frame({ ticket: "NEWER", gateways: [{ id: "g4", url: "ws://four/" }, { id: "g5" }, 7] }), 0);
  returning.left(0);
  expect(returning.way(0, [])?.url).toBe("ws://four/NEWER");
  expect(returning.way(0, [])).toBeNull();
});

test("it is for a moment: not without a connection before, not after a minute, not when it has expired", () => {
  const wayAt = (now: number, leftAt: number | null, expiresIn = 300) => {
    returning = new Returning(() => 0.5);
    returning.take(frame({ expires_in: expiresIn }), 0);
    if (leftAt !== null) returning.left(leftAt);
    return returning.way(now, []) !== null;
  };
  expect(wayAt(0, null)).toBe(false);
  expect([wayAt(AWAY_MAX_MS, 0), wayAt(AWAY_MAX_MS + 1, 0)]).toEqual([true, false]);
  expect([wayAt(20_000, 20_000, 30), wayAt(26_000, 20_000, 30)]).toEqual([true, false]);
});

test("who comes back is spread as the gateway says, within bounds, while there is a way", () => {
  expect(returning.spreadMs).toBeNull();
  returning.take(frame(), 0);
  expect(returning.spreadMs).toBe(4_000);
  returning.take(frame({ spread: 1e9 }), 0);
  expect(returning.spreadMs).toBe(30_000);
  returning.take(frame({ spread: "?" }), 0);
  expect(returning.spreadMs).toBeNull();
  returning.take(frame(), 0);
  returning.forget();
  expect([returning.spreadMs, returning.way(0, [])]).toEqual([null, null]);
});
