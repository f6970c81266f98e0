/** When one boots, opens, pings, gives up and waits. */
import { beforeEach, expect, test } from "vitest";
import { type Command, DOUBT_MS, GREET_MS, Line, OPEN_MAX_MS, OPEN_MS, PING_MS, PONG_MS } from "./line";

let line: Line;
const does = (commands: readonly Command[]) => commands.map((each) => each.do);

beforeEach(() => {
  line = new Line(() => 0.5);
});

/** Live since `now`. */
function live(now = 0): void {
  line.start(now);
  line.booted(now, "ws://one", "g1");
  line.opened(now);
  line.ready(now);
}

test("it boots, opens what it was told, and is live when the gateway delivers", () => {
  expect(does(line.start(0))).toEqual(["drop", "boot"]);
  expect(line.state.phase).toBe("starting");
  expect(line.booted(10, "ws://one", "g1")).toEqual([{ do: "open", url: "ws://one", starts: "" }]);
  line.opened(20);
  expect(line.isLive).toBe(false);
  line.ready(30);
  expect(line.state).toEqual({ phase: "live", retryAt: null, problem: "" });
});

test("a boot that fails is tried again after growing waits, and what the server asks for is kept", () => {
  line.start(0);
  line.bootFailed(0, "", 0);
  const first = line.state.retryAt ?? 0;
  expect(line.state.phase).toBe("waiting");
  expect(line.tick(first - 1)).toEqual([]);
  expect(does(line.tick(first))).toEqual(["drop", "boot"]);
  line.bootFailed(first, "", 0);
  expect((line.state.retryAt ?? 0) - first).toBeGreaterThan(first);
  line.tick(line.nextAt ?? 0);
  line.bootFailed(10_000, "", 30_000);
  expect(line.state.retryAt).toBe(40_000);
});

test("trouble is told when it lasts, and forgotten when it is over", () => {
  line.start(0);
  for (let now = 0; now < 3; now += 1) {
    expect(line.state.problem).toBe("");
    line.bootFailed(now, "", 0);
    line.tick(line.nextAt ?? 0);
  }
  expect(line.state.problem).not.toBe("");
  line.booted(9, "ws://one", "g1");
  line.opened(9);
  line.ready(9);
  expect(line.state.problem).toBe("");
});

test.each(["invalid_auth", "token_revoked", "account_inactive"])("%s ends it", (code) => {
  line.start(0);
  expect(does(line.bootFailed(0, code, 0))).toEqual(["drop"]);
  expect([line.state.phase, line.nextAt]).toEqual(["signed_out", null]);
});

test("a gateway that does not open, or does not greet, is given up and avoided", () => {
  for (const [isOpen, afterMs] of [
    [false, OPEN_MS],
    [true, GREET_MS],
  ] as const) {
    line = new Line(() => 0.5);
    line.start(0);
    line.booted(0, "ws://one", "g1");
    if (isOpen) line.opened(0);
    expect(line.tick(afterMs - 1)).toEqual([]);
    expect(does(line.tick(afterMs))).toEqual(["drop", "drop"]);
    expect(line.tick(line.nextAt ?? 0)).toContainEqual({ do: "boot", avoid: ["g1"] });
  }
});

test("where sockets do not open in time again and again, more time is given, until one opens", () => {
  line.start(0);
  const waits: number[] = [];
  for (let now = 0, times = 0; times < 5; times += 1) {
    line.booted(now, "ws://one", "g1");
    const until = line.nextAt ?? 0;
    waits.push(until - now);
    if (times === 3) line.opened(now);
    line.tick(line.nextAt ?? 0);
    now = line.nextAt ?? 0;
    line.tick(now);
  }
  expect(waits).toEqual([OPEN_MS, 2 * OPEN_MS, OPEN_MAX_MS, OPEN_MAX_MS, OPEN_MS]);
  expect(OPEN_MS).toBeLessThanOrEqual(2_000);
});

test("a line that was ended is not on its way back, and one that was signed out stays so", () => {
  live();
  expect(does(line.end())).toEqual(["drop"]);
  expect([line.state.phase, line.nextAt]).toEqual(["offline", null]);
  expect([line.hurry(10), line.online(10), line.start(10)]).toEqual([[], [], []]);
  line = new Line(() => 0.5);
  live();
  line.signedOut();
  line.end();
  expect(line.state.phase).toBe("signed_out");
});

test("a silent line is pinged, and given up when it stays silent", () => {
  live();
  expect(line.nextAt).toBe(PING_MS);
  expect(does(line.tick(PING_MS))).toEqual(["ping"]);
  expect(line.tick(PING_MS + PONG_MS - 1)).toEqual([]);
  expect(does(line.tick(PING_MS + PONG_MS))).toEqual(["drop", "drop"]);
  expect(line.state.phase).toBe("waiting");
  expect(PING_MS + PONG_MS).toBeLessThanOrEqual(6_000);
});

test("whatever is heard says that it stands, also while timers sleep", () => {
  live();
  line.tick(PING_MS);
  line.heard(PING_MS + 10);
  expect(line.nextAt).toBe(2 * PING_MS + 10);
  // A hidden page's timers come minutes late: the ping goes then, and nobody is given up unasked.
  expect(does(line.tick(120_000))).toEqual(["ping"]);
});

test("after a sleep, and when the browser says that the network went, it is asked at once and not for long", () => {
  for (const wake of ["hurry", "offline"] as const) {
    line = new Line(() => 0.5);
    live();
    expect(does(line[wake](60_000))).toEqual(["ping"]);
    expect(does(line.tick(60_000 + DOUBT_MS))).toEqual(["drop", "drop"]);
  }
  line = new Line(() => 0.5);
  live();
  expect(line.hurry(100)).toEqual([]); // something was heard just now
});

test("who waits goes at once when the network is back or somebody asks", () => {
  for (const now of ["online", "hurry"] as const) {
    line = new Line(() => 0.5);
    line.start(0);
    line.offline(0);
    line.bootFailed(0, "", 60_000);
    expect(line.state.phase).toBe("offline");
    expect(does(line[now](5))).toEqual(["drop", "boot"]);
  }
});

test("goodbye moves elsewhere at once", () => {
  live();
  expect(line.moved(100)).toEqual([{ do: "drop" }, { do: "boot", avoid: ["g1"] }]);
  expect(line.state.phase).toBe("resuming");
});

test("a connection that stood begins the waits anew, one that breaks at once does not", () => {
  const waits: number[] = [];
  for (let now = 0, times = 0; times < 4; times += 1) {
    if (times === 0) live();
    else {
      line.tick(line.nextAt ?? 0);
      line.booted(now, "ws://one", "g1");
      line.opened(now);
      line.ready(now);
    }
    now += times === 3 ? 60_000 : 10;
    line.heard(now);
    line.closed(now, "at_once", false);
    waits.push((line.state.retryAt ?? 0) - now);
    now = line.state.retryAt ?? 0;
  }
  expect(waits[1]).toBeGreaterThan(waits[0] ?? 0);
  expect(waits[2]).toBeGreaterThan(waits[1] ?? 0);
  expect(waits[3]).toBe(waits[0]);
});

test("an end that is for good is one", () => {
  live();
  expect(does(line.closed(10, "never", false))).toEqual(["drop"]);
  expect(line.state.phase).toBe("signed_out");
  expect([line.hurry(20), line.online(20), line.tick(99_999)]).toEqual([[], [], []]);
});

const returnFrame = {
  ticket: "TICKET",
  starts: "STARTS",
  expires_in: 300,
  spread: 4,
  gateways: [
    { id: "g2", url: "ws://two/" },
    { id: "g3", url: "ws://three/" },
  ],
};
const openTwo = { do: "open", url: "ws://two/TICKET", starts: "STARTS" };

test("who knows a way back takes it, spread with the others of its gateway, and boots only when none is left", () => {
  live();
  line.told(returnFrame, 10);
  line.heard(30_000);
  line.closed(30_000, "at_once", true);
  expect(line.state.retryAt).toBe(32_000);
  expect(line.tick(32_000)).toContainEqual(openTwo);
  expect(line.state.phase).toBe("resuming");
  // The second at once when the first does not open; then everything as at the beginning.
  expect(line.tick(32_000 + OPEN_MS)).toContainEqual({ do: "open", url: "ws://three/TICKET", starts: "STARTS" });
  expect(line.closed(34_000, "at_once", true)).toEqual([{ do: "drop" }]);
  expect(line.tick(line.nextAt ?? 0)).toContainEqual({ do: "boot", avoid: ["g1", "g2", "g3"] });
});

test("after a goodbye the way back is taken at once", () => {
  live();
  line.told(returnFrame, 10);
  expect(line.moved(30_000)).toContainEqual(openTwo);
  line.opened(30_001);
  line.ready(30_002);
  expect(line.isLive).toBe(true);
});

test("a way back that is late, forgotten, or told by who does not deliver is none", () => {
  live();
  line.told(returnFrame, 10);
  line.closed(30_000, "at_once", true);
  expect(does(line.tick(30_000 + 61_000))).toEqual(["drop", "boot"]);
  line = new Line(() => 0.5);
  live();
  line.told(returnFrame, 10);
  line.forgetReturn();
  expect(does(line.moved(30_000))).toEqual(["drop", "boot"]);
  line.told(returnFrame, 30_000);
  line.bootFailed(30_000, "", 0);
  expect(does(line.tick(line.nextAt ?? 0))).toEqual(["drop", "boot"]);
});
