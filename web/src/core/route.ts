/** Where one is, as the address says it. Pure. */
import type { Id, Ts } from "./contract";

export type Route =
  | { readonly page: "home" }
  | { readonly page: "signin" }
  | { readonly page: "join"; readonly code: string }
  /** An app asks for something; `query` is what its address says. */
  | { readonly page: "consent"; readonly isFirstVersion: boolean; readonly query: string }
  | {
      readonly page: "conversation";
      readonly conversationId: Id;
      /** Show this message. */
      readonly at: Ts | null;
      readonly pane: { readonly kind: "thread"; readonly ts: Ts } | { readonly kind: "details" } | null;
    }
  | { readonly page: "search"; readonly query: string }
  | { readonly page: "activity" }
  | { readonly page: "saved" }
  | { readonly page: "browse" };

const TS = /^\d{1,16}\.\d{6}$/;
const CONVERSATION = /^[CDG][A-Z0-9]{2,20}$/;

/** Read an address. What is none of ours is "home". */
export function parse(path: string, search = ""): Route {
  const [first, second = "", third, fourth] = path.split("/").filter(Boolean).map(decode);
  const query = new URLSearchParams(search);
  switch (first) {
    case "signin":
      return { page: "signin" };
    case "join":
      return second ? { page: "join", code: second } : { page: "home" };
    case "oauth":
      return consent([second, third ?? ""].filter(Boolean).join("/"), search);
    case "client":
      return inside(second, third, fourth, query);
    default:
      return { page: "home" };
  }
}

function consent(rest: string, search: string): Route {
  if (rest !== "authorize" && rest !== "v2/authorize") return { page: "home" };
  return { page: "consent", isFirstVersion: rest === "authorize", query: search.replace(/^\?/, "") };
}

function inside(second: string, third: string | undefined, fourth: string | undefined, query: URLSearchParams): Route {
  if (second === "search") return { page: "search", query: query.get("q") ?? "" };
  if (second === "activity" || second === "saved" || second === "browse") return { page: second };
  if (!CONVERSATION.test(second)) return { page: "home" };
  const at = query.get("at") ?? "";
  const pane = third === "thread" && TS.test(fourth ?? "") ? ({ kind: "thread", ts: fourth ?? "" } as const) : null;
  const details = third === "details" ? ({ kind: "details" } as const) : null;
  return { page: "conversation", conversationId: second, at: TS.test(at) ? at : null, pane: pane ?? details };
}

/** The address of a route; `parse` reads it back. */
export function href(route: Route): string {
  switch (route.page) {
    case "home":
      return "/";
    case "signin":
      return "/signin";
    case "join":
      return `/join/${encodeURIComponent(route.code)}`;
    case "consent":
      return `/oauth/${route.isFirstVersion ? "" : "v2/"}authorize${route.query && `?${route.query}`}`;
    case "search":
      return `/client/search?${new URLSearchParams({ q: route.query })}`;
    case "conversation": {
      const { conversationId, at, pane } = route;
      const tail = pane === null ? "" : pane.kind === "thread" ? `/thread/${pane.ts}` : "/details";
      return `/client/${conversationId}${tail}${at === null ? "" : `?at=${at}`}`;
    }
    default:
      return `/client/${route.page}`;
  }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return ""; // half an escape: nobody's address
  }
}
