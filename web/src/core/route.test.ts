import { describe, expect, it } from "vitest";
import { href, parse, type Route } from "./route";

const ROUTES: Route[] = [
  { page: "home" },
  { page: "signin" },
  { page: "join", code: "a/b c" },
  { page: "consent", isFirstVersion: false, query: "client_id=1.2&scope=chat%3Awrite" },
  { page: "consent", isFirstVersion: true, query: "client_id=1.2" },
  { page: "conversation", conversationId: "C0123456789", at: null, pane: null },
  { page: "conversation", conversationId: "D0123456789", at: "1700000000.000100", pane: null },
  { page: "conversation", conversationId: "G01", at: null, pane: { kind: "thread", ts: "1700000000.000100" } },
  { page: "conversation", conversationId: "G01", at: "1700000000.000100", pane: { kind: "details" } },
  { page: "search", query: "in:#general a&b=c" },
  { page: "activity" },
  { page: "saved" },
  { page: "browse" },
];

describe("a route", () => {
  it.each(ROUTES)("is read back from its address: %o", (route) => {
    const url = new URL(href(route), "http://x");
    expect(parse(url.pathname, url.search)).toEqual(route);
  });

  it.each([
    "/client/javascript:alert(1)",
    "/client/%E0%A4%A",
    "/nowhere",
    "/client/U0123",
    "/join/",
    "/oauth/v3/authorize",
  ])("is home for what is none of ours: %s", (path) => {
    expect(parse(path)).toEqual({ page: "home" });
  });
});
