/** Signing in and out: what is asked for where, what is made of the answers, and what refusals become. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createSignIn } from "./client";
import { Refusal, type SignIn } from "./contract";
import type { Json } from "./net/json";

interface Asked {
  url: string;
  verb: string;
  args: Json | null;
}

let asked: Asked[];
let answer: { status?: number; body: Json };
const signIn: SignIn = createSignIn();

beforeEach(() => {
  asked = [];
  answer = { body: { ok: true } };
  vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
    asked.push({ url, verb: init.method ?? "", args: init.body ? JSON.parse(String(init.body)) : null });
    return { status: answer.status ?? 200, headers: new Headers(), text: async () => JSON.stringify(answer.body) };
  });
});
afterEach(() => {
  vi.unstubAllGlobals();
});

test.each<[string, () => Promise<unknown>, Json]>([
  ["signin", () => signIn.signIn("", "ada", "secret"), { login: "ada", password: "secret" }],
  ["signin", () => signIn.signIn("demo", "ada", "s"), { team: "demo", login: "ada", password: "s" }],
  ["signin/demo", () => signIn.signInAs("U1"), { user: "U1" }],
  [
    "join",
    () => signIn.join("c0de", "ada", "Ada L", "s"),
    { code: "c0de", name: "ada", real_name: "Ada L", password: "s" },
  ],
  ["password", () => signIn.changePassword("old", "fresh"), { old: "old", new: "fresh" }],
  ["signout", () => signIn.signOut(), {}],
])("%s is posted with what it needs, once", async (name, act, args) => {
  await act();
  expect(asked).toEqual([{ url: `/web/${name}`, verb: "POST", args }]);
});

test("who is signed in, and what the page may offer", async () => {
  const demo = { id: "U1", name: "grace", real_name: "Grace H", title: "Admiral" };
  answer = {
    body: {
      ok: true,
      signed_in: true,
      team: { id: "T1", name: "Demo", domain: "demo" },
      user: { id: "U0", name: "ada" },
      demo: true,
      demo_users: [demo],
    },
  };
  expect(await signIn.session()).toEqual({
    isSignedIn: true,
    team: { id: "T1", name: "Demo", domain: "demo" },
    user: { id: "U0", name: "ada" },
    isDemo: true,
    demoUsers: [{ id: "U1", name: "grace", realName: "Grace H", title: "Admiral" }],
  });
  expect(asked).toEqual([{ url: "/web/session", verb: "GET", args: null }]);
  answer = { body: { ok: true, signed_in: false } };
  expect(await signIn.session()).toMatchObject({ isSignedIn: false, team: null, user: null, demoUsers: [] });
});

test("an invitation is looked up by its code, whatever letters are in it", async () => {
  answer = { body: { ok: true, team: { name: "Demo" }, inviter: { name: "grace", real_name: "" }, email: "a@b.c" } };
  expect(await signIn.invitation("a&b=c /")).toEqual({ teamName: "Demo", inviterName: "grace", email: "a@b.c" });
  expect(new URL(asked[0]?.url ?? "", "http://here").searchParams.get("code")).toBe("a&b=c /");
});

test.each([
  ["invalid_login", 200],
  ["too_many_tries", 200],
  ["invalid_origin", 403],
  ["internal_error", 500],
])("%s is told in words, and a password is not tried twice", async (code, status) => {
  answer = { status, body: { ok: false, error: code } };
  const refused = await signIn.signIn("", "ada", "x").catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(Refusal);
  expect(refused).toMatchObject({ code, message: expect.stringMatching(/^[A-Z][^_]+\.$/) });
  expect(asked).toHaveLength(1);
});

test("out is out: who is not signed in signs out without complaint, other refusals are told", async () => {
  answer = { body: { ok: false, error: "not_authed" } };
  await expect(signIn.signOut()).resolves.toBeUndefined();
  answer = { body: { ok: false, error: "invalid_origin" } };
  await expect(signIn.signOut()).rejects.toMatchObject({ code: "invalid_origin" });
});

test("what an app asks for is told as its address says it, and nothing else of it", async () => {
  answer = { body: { ok: true, goes_to: "https://x.example/?code=1" } };
  const query = "client_id=1.2&scope=chat%3Awrite&state=a%26b&token=no";
  const args = { client_id: "1.2", scope: "chat:write", state: "a&b" };
  expect(await signIn.agree({ isFirstVersion: false, query })).toBe("https://x.example/?code=1");
  expect(await signIn.agree({ isFirstVersion: false, query }, "C1")).toBe("https://x.example/?code=1");
  expect(asked).toEqual([
    { url: "/web/consent/agree", verb: "POST", args },
    { url: "/web/consent/agree", verb: "POST", args: { ...args, channel: "C1" } },
  ]);
  answer = {
    body: {
      ok: true,
      app: { name: "Ci" },
      team: { name: "Demo" },
      user: { name: "ada" },
      scopes: ["chat:write"],
      user_scopes: [],
      goes_to: "https://x.example/",
      declined: "https://x.example/?error=access_denied",
    },
  };
  const found = await signIn.consent({ isFirstVersion: true, query: "client_id=1.2" });
  expect(found).toMatchObject({ appName: "Ci", teamName: "Demo", userName: "ada", scopes: ["chat:write"] });
  expect(found.wantsChannel).toBe(false);
  expect(asked[2]?.url).toBe("/web/consent?client_id=1.2&version=1");
});
