/** What stands in the sidebar, in which section and in which order. Pure. */
import type { Conversation, Id } from "../../core/contract";

export type SectionName = "starred" | "channels" | "direct";

export interface Section {
  readonly name: SectionName;
  readonly conversations: readonly Conversation[];
  /** Direct conversations that are older than those shown. */
  readonly hidden: number;
}

/** How many direct conversations are listed, the latest first; unread ones are listed in any case. */
export const DIRECT_MAX = 40;

export function sectionsOf(all: Iterable<Conversation>, current: Id | null = null): Section[] {
  const starred: Conversation[] = [];
  const channels: Conversation[] = [];
  const direct: Conversation[] = [];
  for (const one of all) {
    if (one.isArchived) continue;
    if (one.isStarred) starred.push(one);
    else if (isDirect(one)) direct.push(one);
    else channels.push(one);
  }
  direct.sort((one, other) => compare(other.latest, one.latest) || compare(one.id, other.id));
  const listed = direct.filter((one, index) => index < DIRECT_MAX || one.isUnread || one.id === current);
  const sections: Section[] = [
    { name: "starred", conversations: starred.sort(byName), hidden: 0 },
    { name: "channels", conversations: channels.sort(byName), hidden: 0 },
    { name: "direct", conversations: listed, hidden: direct.length - listed.length },
  ];
  return sections.filter((section) => section.name !== "starred" || section.conversations.length > 0);
}

/** What is drawn of a section that is folded: the unread, and where one is. */
export const keptOfFolded = (section: Section, current: Id | null): readonly Conversation[] =>
  section.conversations.filter((one) => one.id === current || demands(one));

/** It is to be seen: something is unread there, and it is not muted, or one is mentioned. */
export const demands = (one: Conversation): boolean => one.mentions > 0 || (one.isUnread && !one.isMuted);

export const isDirect = (one: Conversation): boolean => one.kind === "im" || one.kind === "mpim";

/** The next in the order of the sidebar, `step` up or down, around the ends; only those that demand if `unread`. */
export function neighbour(sections: readonly Section[], current: Id | null, step: 1 | -1, unread: boolean): Id | null {
  const all = sections.flatMap((section) => section.conversations);
  const at = all.findIndex((one) => one.id === current);
  for (let distance = 1; distance <= all.length; distance += 1) {
    const from = at < 0 && step < 0 ? all.length : at;
    const one = all[(from + step * distance + all.length * 2) % all.length];
    if (one && one.id !== current && (!unread || demands(one))) return one.id;
  }
  return null;
}

/** Counts for the title and the badge: messages that call for one, and whether anything is unread at all. */
export function totals(all: Iterable<Conversation>): { mentions: number; isUnread: boolean } {
  let mentions = 0;
  let isUnread = false;
  for (const one of all) {
    mentions += one.mentions;
    isUnread ||= demands(one);
  }
  return { mentions, isUnread };
}

/** Where to go when no place is named: where one was, else where everybody is, else anywhere. */
export function landing(all: ReadonlyMap<Id, Conversation>, last: Id): Id | null {
  if (all.has(last)) return last;
  const list = [...all.values()];
  return (list.find((one) => one.isGeneral) ?? list.find((one) => !isDirect(one)) ?? list[0])?.id ?? null;
}

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);
const byName = (one: Conversation, other: Conversation): number =>
  Number(isDirect(one)) - Number(isDirect(other)) ||
  collator.compare(one.name, other.name) ||
  compare(one.id, other.id);
const collator = new Intl.Collator("en", { sensitivity: "base", numeric: true });
