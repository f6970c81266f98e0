/** What one does to conversations and to oneself: methods, arguments, what is shown at once, and what refusals become. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Actions, makeActions } from "./actions";
import { Refusal } from "./contract";
import { Workspace } from "./model/workspace";
import { Api } from "./net/api";
import type { Json } from "./net/json";

let asked: [string, Json][];
let answers: Record<string, Json>;
let workspace: Workspace;
let actions: Actions;

beforeEach(() => {
  [asked, answers] = [[], {}];
  vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
    asked.push([url, JSON.parse(String(init.body))]);
    const body = { ok: true, ...answers[url.replace("/api/", "")] };
    return { status: 200, headers: new Headers(), text: async () => JSON.stringify(body) };
  });
  const hooks = { marking: () => null, want: () => undefined, joined: () => undefined };
  workspace = new Workspace({ id: "T1", name: "", domain: "" }, "U0", hooks);
  workspace.boot(
    {
      channels: [
        { id: "C1", kind: "public", name: "red", latest: "5.000000" },
        { id: "D1", kind: "im", user: "U1", latest: "7.000000" },
      ],
    },
    new Map(),
  );
  actions = makeActions(new Api(""), workspace);
});
afterEach(() => {
  vi.unstubAllGlobals();
});

test.each<[string, () => Promise<unknown>, Json]>([
  ["conversations.invite", () => actions.invite("C1", ["U1", "U2"]), { channel: "C1", users: "U1,U2" }],
  ["conversations.kick", () => actions.removeMember("C1", "U1"), { channel: "C1", user: "U1" }],
  ["conversations.rename", () => actions.rename("C1", "blue"), { channel: "C1", name: "blue" }],
  ["conversations.setTopic", () => actions.setTopic("C1", "tea"), { channel: "C1", topic: "tea" }],
  ["conversations.setPurpose", () => actions.setPurpose("C1", "tea"), { channel: "C1", purpose: "tea" }],
  ["conversations.archive", () => actions.archive("C1", true), { channel: "C1" }],
  ["conversations.unarchive", () => actions.archive("C1", false), { channel: "C1" }],
  ["users.setPresence", () => actions.setAway(true), { presence: "away" }],
  ["users.setPresence", () => actions.setAway(false), { presence: "auto" }],
  [
    "users.profile.set",
    () => actions.setProfile({ realName: "Ada", title: "" }),
    { profile: { real_name: "Ada", title: "" } },
  ],
  [
    "users.profile.set",
    () => actions.setProfile({ displayName: "a", phone: "1", pronouns: "she" }),
    { profile: { display_name: "a", phone: "1", pronouns: "she" } },
  ],
  [
    "users.profile.set",
    () => actions.setStatus(":tea:", "tea", 12.6),
    { profile: { status_emoji: ":tea:", status_text: "tea", status_expiration: 13 } },
  ],
  [
    "users.profile.set",
    () => actions.setStatus("", "", 0),
    { profile: { status_emoji: "", status_text: "", status_expiration: 0 } },
  ],
])("%s is asked for with what it needs", async (method, act, args) => {
  await act();
  expect(asked).toEqual([[`/api/${method}`, args]]);
});

test("a direct conversation and one of several are opened, and are there at once", async () => {
  answers["conversations.open"] = { channel: { id: "D2" } };
  expect(await actions.openDirect(["U2"])).toBe("D2");
  answers["conversations.open"] = { channel: { id: "G1" } };
  expect(await actions.openDirect(["U1", "U2"])).toBe("G1");
  expect(asked.map(([, args]) => args)).toEqual([{ users: "U2" }, { users: "U1,U2" }]);
  expect(workspace.membership("D2")).toMatchObject({ kind: "im", userId: "U2" });
  expect(workspace.membership("G1")).toMatchObject({ kind: "mpim", userIds: ["U1", "U2"] });
});

test.each([true, false])("a channel is made (private: %s), and told what it is for", async (isPrivate) => {
  answers["conversations.create"] = { channel: { id: "C9", name: "tea" } };
  expect(await actions.createChannel("tea", isPrivate, "leaves")).toBe("C9");
  expect(asked).toEqual([
    ["/api/conversations.create", { name: "tea", is_private: isPrivate }],
    ["/api/conversations.setPurpose", { channel: "C9", purpose: "leaves" }],
  ]);
  expect(workspace.membership("C9")?.kind).toBe(isPrivate ? "private" : "public");
});

test("one joins, leaves, and puts out of sight, and sees it at once", async () => {
  answers["conversations.join"] = { channel: { id: "C2", name: "blue" } };
  await actions.join("C2");
  expect(workspace.membership("C2")?.name).toBe("blue");
  await actions.leave("C1");
  expect(workspace.membership("C1")).toBeUndefined();
  await actions.close("D1");
  await Promise.resolve();
  expect(workspace.conversations.value.has("D1")).toBe(false);
  const [last] = asked.slice(-1);
  expect(last?.[0]).toBe("/api/users.prefs.set");
  expect(JSON.stringify(last?.[1])).toContain("7.000000");
});

test("preferences hold at once, also where they could not be told", async () => {
  answers["users.prefs.set"] = { ok: false, error: "restricted_action" };
  actions.setPreferences({ theme: "dark", mutedIds: ["C1"] });
  expect(workspace.preferences.value).toMatchObject({ theme: "dark", mutedIds: ["C1"] });
  await vi.waitFor(() => expect(asked[0]?.[0]).toBe("/api/users.prefs.set"));
});

test("an invitation is a link to send on", async () => {
  answers["admin.users.invite"] = { url: "https://x/join" };
  expect(await actions.inviteToWorkspace("a@b.c")).toBe("https://x/join");
  expect(asked).toEqual([["/api/admin.users.invite", { email: "a@b.c", resend: true }]]);
});

test("what is refused changes nothing here, and is told in words", async () => {
  const refused = { ok: false, error: "restricted_action" };
  answers = { "conversations.leave": refused, "conversations.create": refused, "conversations.close": refused };
  for (const act of [
    () => actions.leave("C1"),
    () => actions.createChannel("x", false, ""),
    () => actions.close("D1"),
  ]) {
    const error = await act().catch((each: unknown) => each);
    expect(error).toBeInstanceOf(Refusal);
    expect(error).toMatchObject({ code: "restricted_action", message: "You are not allowed to do that." });
  }
  expect([...workspace.conversations.value.keys()]).toEqual(["C1", "D1"]);
  expect(asked).toHaveLength(3);
});
