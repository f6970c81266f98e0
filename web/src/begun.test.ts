/** What is asked for before there is a client goes to whoever asks the same, and to nobody else. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { begin, firstBoot } from "./begun";

let asked: string[];

beforeEach(() => {
  localStorage.clear();
  asked = [];
  vi.stubGlobal("fetch", async (path: string, init: RequestInit) => {
    asked.push(`${init.method ?? "GET"} ${path} ${init.body ?? ""}`.trim());
    return { path };
  });
});
afterEach(() => {
  vi.unstubAllGlobals();
});

test("the session and the boot of the conversation in the address are asked for at once", () => {
  begin({ pathname: "/client/C0ABC", search: "" });
  expect(asked).toEqual(["GET /web/session", `POST /api/client.boot ${firstBoot("C0ABC")}`]);
});

test("without one, it is where somebody was last; on the way in nothing is asked", () => {
  localStorage.setItem("parley.last", '"C0LAST"');
  begin({ pathname: "/", search: "" });
  expect(asked.at(-1)).toContain('"channel":"C0LAST"');
  asked = [];
  begin({ pathname: "/signin", search: "" });
  begin({ pathname: "/join/abc", search: "" });
  expect(asked).toEqual([]);
});

test("an answer goes to the first who asks the very same", async () => {
  const begun = begin({ pathname: "/client/C0ABC", search: "" });
  expect(await begun.take("/web/session", null)).toEqual({ path: "/web/session" });
  expect(begun.take("/api/client.objects", "{}")).toBeNull();
  expect(await begun.take("/api/client.boot", firstBoot("C0ABC"))).toEqual({ path: "/api/client.boot" });
  expect(begun.take("/api/client.boot", firstBoot("C0ABC"))).toBeNull();
});

test("another boot is another's, and so is that of who signs in later", () => {
  const begun = begin({ pathname: "/client/C0ABC", search: "" });
  expect(begun.take("/api/client.boot", firstBoot("C0OTHER"))).toBeNull();
  const other = begin({ pathname: "/client/C0ABC", search: "" });
  other.take("/web/session", null);
  expect(other.take("/web/signin", "{}")).toBeNull();
  expect(other.take("/api/client.boot", firstBoot("C0ABC"))).toBeNull();
});
