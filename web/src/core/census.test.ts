/** How many are in what is shown: asked once there is a workspace, again where that failed, and not where it was refused. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Census } from "./census";
import { fromBoot, type Membership } from "./model/counting";
import { Memberships } from "./model/memberships";
import { refusal } from "./net/words";

const ALL_S = 60;

let asked: string[];
let people: Map<string, readonly string[]>;
/** What is said to each question, in turn: a refusal's code, or "" for the members. */
let says: string[];
let workspace: ReturnType<typeof workspaceOf>;
let census: Census;

function workspaceOf(groups: readonly Membership[]) {
  const mine = new Memberships(() => {});
  for (const each of groups) mine.put(each);
  const setPeople = (id: string, ids: readonly string[]) => void people.set(id, ids);
  return { isBooted: true, mine, membership: (id: string) => mine.get(id), setPeople };
}

const seconds = (count: number) => vi.advanceTimersByTimeAsync(count * 1000);

beforeEach(() => {
  vi.useFakeTimers();
  [asked, says, people] = [[], [], new Map()];
  workspace = workspaceOf([fromBoot({ id: "G1", kind: "mpim" }), fromBoot({ id: "C1", kind: "public" })]);
  const members = async (id: string) => {
    asked.push(id);
    const code = says.shift();
    if (code) throw refusal(code);
    return { ids: ["U1", "U2"], total: 2, cursor: "" };
  };
  census = new Census({ members }, workspace);
});
afterEach(() => {
  vi.useRealTimers();
});

test("what is opened is asked for once; who is in a group message is kept", async () => {
  for (const id of ["C1", "G1", "C1"]) census.opened(id);
  await seconds(ALL_S);
  expect(asked).toEqual(["C1", "G1"]);
  expect([...people]).toEqual([["G1", ["U1", "U2"]]]);
});

test("what is opened before there is a workspace is asked for when there is one", async () => {
  workspace.isBooted = false;
  census.opened("C1");
  await seconds(ALL_S);
  expect(asked).toEqual([]);
  workspace.isBooted = true;
  census.findPeople();
  census.findPeople();
  await seconds(ALL_S);
  expect(asked).toEqual(["C1", "G1"]);
});

test("what was not answered is asked again, at most so many times, and then when it is opened anew", async () => {
  says = ["unreachable", "http_502", ""];
  census.opened("C1");
  await seconds(ALL_S);
  expect(asked).toHaveLength(3);
  says = Array(20).fill("unreachable");
  census.opened("C2");
  await seconds(ALL_S);
  expect(asked).toHaveLength(9);
  says = [];
  census.opened("C2");
  await seconds(ALL_S);
  expect(asked).toHaveLength(10);
});

test("what was refused is not asked again", async () => {
  says = ["channel_not_found"];
  census.opened("C1");
  await seconds(ALL_S);
  expect(asked).toEqual(["C1"]);
});

test("what is over asks no more", async () => {
  says = ["unreachable"];
  census.opened("C1");
  await seconds(0.3);
  census.opened("C2");
  census.end();
  await seconds(ALL_S);
  expect([asked, vi.getTimerCount()]).toEqual([["C1"], 0]);
});
