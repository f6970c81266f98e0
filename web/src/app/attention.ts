/** What the tab says while one looks elsewhere: a number in the title, a dot on the picture. */
import { effect } from "@preact/signals";
import type { Client } from "../core/contract";
import type { Route } from "../core/route";
import type { Navigation } from "../ui/context";
import { totals } from "../views/sidebar/sections";

const PAGES = {
  search: "Search",
  activity: "Activity",
  saved: "Saved",
  browse: "Channels",
  home: "",
  signin: "",
  join: "",
  consent: "",
} as const;

/** "(3) #design · Northwind"; a dot where something is unread that does not count. Pure. */
export function titleOf(place: string, team: string, mentions: number, isUnread: boolean): string {
  const mark = mentions > 0 ? `(${mentions > 99 ? "99+" : mentions}) ` : isUnread ? "• " : "";
  return mark + [place, team].filter(Boolean).join(" · ");
}

export const iconOf = (mentions: number, isUnread: boolean): string =>
  mentions > 0 ? "/favicon-mention.svg" : isUnread ? "/favicon-unread.svg" : "/favicon.svg";

/** Until the result is called. */
export function callAttention(page: Document, client: Client, navigation: Navigation): () => void {
  const stop = effect(() => {
    const { mentions, isUnread } = totals(client.conversations.value.values());
    const place = placeOf(navigation.route.value, client);
    page.title = titleOf(place, client.team.value.name || "Parley", mentions, isUnread);
    const icon = page.querySelector<HTMLLinkElement>("link[rel=icon]");
    const address = iconOf(mentions, isUnread);
    if (icon && icon.getAttribute("href") !== address) icon.setAttribute("href", address);
  });
  return () => {
    stop();
    page.title = "Parley";
  };
}

function placeOf(route: Route, client: Client): string {
  if (route.page !== "conversation") return PAGES[route.page];
  const conversation = client.conversation(route.conversationId).value;
  if (!conversation) return "";
  const isDirect = conversation.kind === "im" || conversation.kind === "mpim";
  return isDirect ? conversation.name : `#${conversation.name}`;
}
