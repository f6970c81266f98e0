/** What is shown first, as far as it is known before anybody was asked. */
import type { Route } from "../core/route";
import { isString, readStored } from "../ui/stored";

/** The conversation whose messages should come with the boot. */
export function firstConversation(route: Route): string | undefined {
  if (route.page === "conversation") return route.conversationId;
  return readStored("last", "", isString) || undefined;
}
