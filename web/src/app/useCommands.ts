/** Keys become deeds: one listener for the whole window. */
import { useLayoutEffect } from "preact/hooks";
import type { Client } from "../core/contract";
import type { Route } from "../core/route";
import { type Navigation, type Screen, toConversation } from "../ui/context";
import { isMac } from "../ui/platform";
import { neighbour, sectionsOf } from "../views/sidebar/sections";
import { type Command, commandOf } from "./shortcuts";

export function useCommands(client: Client, navigation: Navigation, screen: Screen): void {
  // Before anything is painted: a key that is pressed as soon as one sees something counts.
  useLayoutEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing) return;
      const command = commandOf(event, isTyping(event.target), isMac());
      if (!command) return;
      // Behind a dialog nothing moves; only another dialog may take its place.
      const isCovered = document.querySelector("dialog[open]") !== null;
      if (isCovered && command !== "switcher" && command !== "shortcuts") return;
      if (carryOut(command, client, navigation, screen)) event.preventDefault();
    };
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, [client, navigation, screen]);
}

/** Whether there was something to do. */
function carryOut(command: Command, client: Client, navigation: Navigation, screen: Screen): boolean {
  switch (command) {
    case "switcher":
    case "shortcuts":
    case "preferences":
      screen.open({ kind: command });
      return true;
    case "search":
      focusSearch(navigation);
      return true;
    case "activity":
      navigation.navigate({ page: "activity" });
      return true;
    case "next":
    case "previous":
    case "next_unread":
    case "previous_unread":
      return step(command, client, navigation);
    case "region":
    case "region_back":
      return moveRegion(command === "region" ? 1 : -1);
    case "all_read":
      markAllRead(client, screen);
      return true;
    case "escape":
      return leaveOff(client, navigation, screen);
  }
}

function step(command: Command, client: Client, { route, navigate }: Navigation): boolean {
  const current = currentOf(route.peek());
  const sections = sectionsOf(client.conversations.peek().values(), current);
  const next = neighbour(sections, current, command.startsWith("next") ? 1 : -1, command.endsWith("unread"));
  if (next) navigate(toConversation(next));
  return true;
}

const currentOf = (route: Route) => (route.page === "conversation" ? route.conversationId : null);

function leaveOff(client: Client, { route, navigate }: Navigation, screen: Screen): boolean {
  const here = route.peek();
  if (here.page !== "conversation") return false;
  if (here.pane) {
    navigate({ ...here, at: null, pane: null });
    return true;
  }
  const conversation = client.conversations.peek().get(here.conversationId);
  if (!conversation?.isUnread) return false;
  client.markRead(conversation.id, conversation.latest);
  screen.announce("Marked as read");
  return true;
}

function markAllRead(client: Client, screen: Screen): void {
  const unread = [...client.conversations.peek().values()].filter((one) => one.isUnread || one.mentions > 0);
  for (const one of unread) client.markRead(one.id, one.latest);
  if (unread.length === 0) return;
  const undo = () => {
    for (const one of unread) client.markRead(one.id, one.lastRead);
  };
  screen.toast("Everything is marked as read", { action: { label: "Undo", run: undo } });
}

function focusSearch({ navigate }: Navigation): void {
  const field = document.querySelector<HTMLInputElement>("[data-search-field]");
  if (field?.offsetParent) field.focus();
  else navigate({ page: "search", query: "" });
}

/** The parts of the window are marked with `data-region`; within one, `data-region-focus` takes the focus. */
function moveRegion(by: 1 | -1): boolean {
  const regions = [...document.querySelectorAll<HTMLElement>("[data-region]")].filter(
    (one) => one.offsetParent !== null,
  );
  if (regions.length === 0) return false;
  const at = regions.findIndex((one) => one.contains(document.activeElement));
  const next = regions[at < 0 ? 0 : (at + by + regions.length) % regions.length];
  (next?.querySelector<HTMLElement>("[data-region-focus], [tabindex='0'][aria-current]") ?? next)?.focus();
  return true;
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}
