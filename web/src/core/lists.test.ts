/** What is looked for and listed: what is asked, what is made of it, and what events do to what is held. */
import { beforeEach, expect, test } from "vitest";
import { Refusal } from "./contract";
import { Lists } from "./lists";
import type { Loader } from "./model/loader";
import { Workspace } from "./model/workspace";
import type { Json } from "./net/json";
import { messageOf } from "./timeline/messages";

let asked: [string, Json][];
let answers: Record<string, Json | ((args: Json) => Json)>;
let told: [string, string, boolean][];
let workspace: Workspace;
let lists: Lists;

const person = (id: string, name: string): Json => ({ id, name, v: 1, profile: { display_name: name } });
const said = (ts: string, text: string): Json => ({ ts, text, user: "U1" });
const read = (json: Json, id: string) => messageOf(json, id, String(json.ts));
const message = (ts: string, text = "x", channel = "C1") => read(said(ts, text), channel);

beforeEach(() => {
  [asked, answers, told] = [[], {}, []];
  const answer = async (method: string, args: Json = {}): Promise<Json> => {
    asked.push([method, args]);
    const given = answers[method] ?? {};
    return typeof given === "function" ? given(args) : given;
  };
  workspace = new Workspace({ id: "T1", name: "", domain: "" }, "U0", {
    marking: () => null,
    want: () => undefined,
    joined: () => undefined,
  });
  const channels = [
    { id: "C1", kind: "public", name: "red", latest: "5.000000" },
    { id: "C2", kind: "public", name: "blue", latest: "9.000000" },
    { id: "D1", kind: "im", user: "U1", latest: "7.000000" },
  ];
  workspace.boot({ channels, users: [person("U1", "grace")] }, new Map());
  const loader = { query: answer } as unknown as Loader;
  lists = new Lists({ call: answer, read: answer }, loader, workspace, read, (...each) => told.push(each));
});

test("people are found by a prefix, those near first; without one the near ones are shown", async () => {
  answers.search = { users: [person("U7", "grete"), person("U1", "grace")] };
  const found = await lists.searchPeople("  gr ", ["U9"]);
  expect(found.map((each) => each.label)).toEqual(["grete", "grace"]);
  expect(asked).toEqual([["search", { prefix: "gr", kinds: ["users"], limit: 20, near: ["U9", "C2", "U1", "C1"] }]]);
  expect((await lists.searchPeople("", [])).map((each) => each.id)).toEqual(["U1"]);
  expect(asked).toHaveLength(1);
  await lists.searchPeople("y".repeat(99), []);
  expect(String(asked[1]?.[1].prefix)).toHaveLength(64);
});

test("of channels one's own come first, archived ones of others not at all", async () => {
  const channel = (id: string, name: string, more: Json = {}) => ({ id, name, is_channel: true, v: 1, ...more });
  answers.search = {
    channels: [channel("C1", "red"), channel("C7", "rex"), channel("C8", "rot", { is_archived: true })],
  };
  const found = await lists.searchChannels("R");
  expect(found.map((each) => [each.id, each.isMember])).toEqual([
    ["C1", true],
    ["C7", false],
  ]);
  expect(asked[0]?.[1]).toMatchObject({ prefix: "r", kinds: ["channels"] });
  expect((await lists.searchChannels("")).map((each) => each.name)).toEqual(["blue", "red"]);
  expect(asked).toHaveLength(1);
});

test("messages are found page by page, with marks around what was looked for", async () => {
  const match = { ...said("3.000000", "all \uE000tea\uE001"), channel: { id: "C1", name: "old" } };
  answers["search.messages"] = { messages: { matches: [match], total: 30, paging: { page: 1, pages: 2 } } };
  const found = await lists.searchMessages("tea", "newest", 1);
  expect(found).toMatchObject({ total: 30, nextPage: 2 });
  expect(found.items[0]).toMatchObject({
    conversationName: "red",
    highlighted: "all \uE000tea\uE001",
    message: { text: "all tea" },
  });
  expect(asked[0]?.[1]).toEqual({ query: "tea", sort: "timestamp", highlight: true, count: 20, page: 1 });
  answers["search.messages"] = { messages: { matches: [], total: 30, paging: { page: 2, pages: 2 } } };
  expect((await lists.searchMessages("tea", "best", 2)).nextPage).toBeNull();
  expect(asked[1]?.[1]).toMatchObject({ sort: "score", page: 2 });
});

test("members, channels to browse, files and pins are asked for by conversation and place", async () => {
  answers.members = { members: ["U1", "U2"], total: 7, cursor: "m2" };
  expect(await lists.members("C1", "m1")).toEqual({ ids: ["U1", "U2"], total: 7, cursor: "m2" });
  await Promise.resolve();
  expect(workspace.conversation("C1").value?.memberCount).toBe(7);
  answers["conversations.list"] = {
    channels: [
      { id: "C1", name: "red" },
      { id: "C7", name: "rex" },
    ],
    response_metadata: { next_cursor: "n" },
  };
  const browsed = await lists.browseChannels("");
  expect([browsed.channels.map((each) => each.isMember), browsed.cursor]).toEqual([[true, false], "n"]);
  await lists.browseChannels("n");
  answers["files.list"] = { files: [{ id: "F1", name: "a.png", mimetype: "image/png" }] };
  expect((await lists.files("C1"))[0]).toMatchObject({ id: "F1", kind: "image" });
  answers["pins.list"] = { items: [{ message: said("3.000000", "pinned") }] };
  expect((await lists.pins("C1"))[0]).toMatchObject({ text: "pinned", conversationId: "C1" });
  expect(asked.map(([method]) => method)).toEqual([
    "members",
    "conversations.list",
    "conversations.list",
    "files.list",
    "pins.list",
  ]);
  expect(asked[0]?.[1]).toEqual({ channel: "C1", cursor: "m1", limit: 200 });
  expect(["cursor" in (asked[1]?.[1] ?? {}), asked[2]?.[1].cursor]).toEqual([false, "n"]);
  expect([asked[3]?.[1].channel, asked[4]?.[1].channel]).toEqual(["C1", "C1"]);
});

test("who mentioned one is kept newest first, once, with what was heard since it was loaded", async () => {
  const match = (ts: string, more: Json = {}) => ({ ...said(ts, `<@U0> ${ts}`), channel: { id: "C1" }, ...more });
  const direct = match("4.000000", { channel: { id: "D1", is_im: true } });
  answers["search.messages"] = { messages: { matches: [direct, match("3.000000"), match("2.000000")] } };
  lists.mentioned(message("9.000000"));
  lists.mentioned(message("9.000000"));
  await lists.loadActivity();
  const held = () => lists.activity.value.map((each) => each.message.ts);
  expect(held()).toEqual(["9.000000", "3.000000", "2.000000"]);
  await lists.loadActivity();
  expect(held()).toEqual(["9.000000", "3.000000", "2.000000"]);
  lists.changed("C1", "3.000000", null);
  expect(held()).toEqual(["9.000000", "2.000000"]);
});

test("what was saved is read to its end, and timelines are told what came and went", async () => {
  const star = (ts: string, type = "message") => ({ type, channel: "C1", message: said(ts, "kept") });
  answers["stars.list"] = ({ cursor }) =>
    cursor
      ? { items: [star("2.000000")] }
      : { items: [star("3.000000"), star("9.000000", "file")], response_metadata: { next_cursor: "n" } };
  await lists.loadSaved();
  expect(lists.saved.value.map((each) => [each.ts, each.isSaved])).toEqual([
    ["3.000000", true],
    ["2.000000", true],
  ]);
  expect(asked.map(([, args]) => args.cursor)).toEqual([undefined, "n"]);
  answers["stars.list"] = { items: [star("2.000000")] };
  await lists.loadSaved();
  expect(told).toEqual([
    ["C1", "3.000000", true],
    ["C1", "2.000000", true],
    ["C1", "3.000000", false],
  ]);
  expect([lists.isSaved("C1", "2.000000"), lists.isSaved("C1", "3.000000")]).toEqual([true, false]);
});

test("what is saved and let go, changed and removed, shows in the list", () => {
  lists.tookSaved("C1", "3.000000", true, message("3.000000"));
  lists.tookSaved("C2", "3.000000", true, message("3.000000", "x", "C2"));
  lists.tookSaved("C1", "3.000000", true, message("3.000000"));
  expect(lists.saved.value.map((each) => each.conversationId)).toEqual(["C1", "C2"]);
  lists.changed("C1", "3.000000", (had) => ({ ...had, text: "new" }));
  expect(lists.saved.value.map((each) => each.text)).toEqual(["new", "x"]);
  lists.tookSaved("C2", "3.000000", false, null);
  lists.changed("C1", "3.000000", null);
  expect([lists.saved.value, lists.isSaved("C2", "3.000000")]).toEqual([[], false]);
});

test("a refusal is handed on, and what was held stays", async () => {
  lists.mentioned(message("9.000000"));
  const refuse = () => {
    throw new Refusal("ratelimited", "slowly");
  };
  answers = { "search.messages": refuse, "stars.list": refuse, members: refuse };
  await expect(lists.loadActivity()).rejects.toMatchObject({ code: "ratelimited" });
  await expect(lists.loadSaved()).rejects.toMatchObject({ code: "ratelimited" });
  await expect(lists.members("C1", "")).rejects.toMatchObject({ code: "ratelimited" });
  expect(lists.activity.value).toHaveLength(1);
});
