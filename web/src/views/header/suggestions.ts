/** What the search field offers: earlier searches, this conversation, and the modifiers. Pure. */
import type { Conversation } from "../../core/contract";

export interface Suggestion {
  /** The text of the field after choosing it. */
  readonly query: string;
  readonly label: string;
  readonly hint: string;
  /** It is a search; otherwise a beginning to go on from. */
  readonly isWhole: boolean;
  readonly isRecent: boolean;
}

export const MODIFIERS: readonly (readonly [modifier: string, hint: string])[] = [
  ["from:", "by somebody: from:@jonas"],
  ["in:", "in a conversation: in:#design"],
  ["before:", "before a day: before:2026-03-01"],
  ["after:", "after a day: after:2026-02-01"],
  ["has:", "with a link, file, reaction or pin: has:file"],
];

const RECENT_SHOWN = 4;

export function suggestions(text: string, recent: readonly string[], here: Conversation | undefined): Suggestion[] {
  const typed = text.trim().toLowerCase();
  const isChannel = here?.kind === "public" || here?.kind === "private";
  const place = here && isChannel ? `in:#${here.name} ` : "";
  const offers: Suggestion[] = recent
    .filter((one) => one.toLowerCase().startsWith(typed) && one !== text)
    .slice(0, RECENT_SHOWN)
    .map((query) => ({ query, label: query, hint: "", isWhole: true, isRecent: true }));
  if (place && typed && !typed.includes("in:")) {
    const query = place + text.trim();
    offers.push({ query, label: query, hint: "", isWhole: true, isRecent: false });
  }
  const last = text.endsWith(" ") ? "" : (text.split(" ").at(-1) ?? "").toLowerCase();
  if (last.includes(":")) return offers;
  const before = text.slice(0, text.length - last.length);
  const fitting = MODIFIERS.filter(([modifier]) => (typed === "" ? true : last !== "" && modifier.startsWith(last)));
  for (const [modifier, hint] of fitting) {
    offers.push({ query: before + modifier, label: modifier, hint, isWhole: false, isRecent: false });
  }
  return offers;
}
