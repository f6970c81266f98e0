/** The quick switcher's order: how well a name fits what was typed, then how near the place is to one. Pure. */
import type { Conversation, Id, User } from "../../core/contract";
import { demands, isDirect } from "../sidebar/sections";

export type Choice =
  | { readonly kind: "conversation"; readonly id: Id; readonly conversation: Conversation }
  | { readonly kind: "user"; readonly id: Id; readonly user: User };

export interface Known {
  /** Those one is in. */
  readonly conversations: readonly Conversation[];
  /** Found by the server: of channels that one may be in or not, and of people. */
  readonly channels: readonly Conversation[];
  readonly people: readonly User[];
  /** Where one has been, the latest first. */
  readonly recent: readonly Id[];
  readonly current: Id | null;
  readonly selfId: Id;
}

export const CHOICES_MAX = 24;

/** How well `name` fits: 0 for not at all, then letters in order, inside, a word's beginning, the beginning, all of it. */
export function fits(name: string, typed: string): number {
  const wanted = fold(typed);
  const text = fold(name);
  if (wanted === "") return 1;
  if (text === wanted) return 100;
  if (text.startsWith(wanted)) return 80;
  const words = text.split(/[\s._-]+/);
  if (words.some((word) => word.startsWith(wanted))) return 60;
  const parts = wanted.split(/\s+/);
  if (parts.length > 1 && parts.every((part) => words.some((word) => word.startsWith(part)))) return 55;
  if (wanted.length > 1 && text.includes(wanted)) return 30;
  return wanted.length > 1 && inOrder(text, wanted) ? 10 : 0;
}

/** Without case and accents. */
const fold = (text: string): string => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().trim();

function inOrder(text: string, wanted: string): boolean {
  let at = 0;
  for (const letter of wanted) {
    at = text.indexOf(letter, at) + 1;
    if (at === 0) return false;
  }
  return true;
}

export function choices(typed: string, known: Known): Choice[] {
  const sign = typed[0];
  const wanted = sign === "#" || sign === "@" ? typed.slice(1) : typed;
  const all = [...places(known, sign), ...(sign === "#" ? [] : people(known))];
  const nearness = nearnessIn(known);
  const scored = all
    .map((choice) => ({ choice, fits: fitOf(choice, wanted), near: nearness(choice) }))
    .filter(({ fits }) => fits > 0)
    // Nothing typed: places one has been at, and those where something waits.
    .filter(({ choice }) => wanted !== "" || isNear(choice, known));
  scored.sort((one, other) => other.fits + other.near - (one.fits + one.near) || byLabel(one.choice, other.choice));
  return scored.slice(0, CHOICES_MAX).map(({ choice }) => choice);
}

function places(known: Known, sign: string | undefined): Choice[] {
  const byId = new Map(known.channels.filter((one) => !one.isArchived).map((one) => [one.id, one]));
  for (const one of known.conversations) byId.set(one.id, one);
  return [...byId.values()]
    .filter((one) => sign === undefined || !"#@".includes(sign) || isDirect(one) === (sign === "@"))
    .map((conversation) => ({ kind: "conversation", id: conversation.id, conversation }));
}

/** People with whom there is no conversation in the list yet. */
function people(known: Known): Choice[] {
  const listed = new Set(known.conversations.map((one) => one.userId));
  return known.people
    .filter((user) => !listed.has(user.id) && !user.isDeactivated)
    .map((user) => ({ kind: "user", id: user.id, user }));
}

function fitOf(choice: Choice, wanted: string): number {
  if (choice.kind === "conversation") return fits(choice.conversation.name, wanted);
  return Math.max(fits(choice.user.label, wanted), fits(choice.user.realName, wanted), fits(choice.user.name, wanted));
}

function isNear(choice: Choice, { recent, current }: Known): boolean {
  if (choice.kind === "user" || choice.id === current) return false;
  return recent.includes(choice.id) || demands(choice.conversation);
}

/** Less than a step of `fits`: among names that fit alike, the nearer. */
function nearnessIn({ recent, current }: Known): (choice: Choice) => number {
  return (choice) => {
    if (choice.kind === "user") return 0;
    const { id, isMember, isUnread, mentions, isStarred } = choice.conversation;
    if (id === current) return 0; // one is there
    const at = recent.indexOf(id);
    const visited = at < 0 ? 0 : Math.max(1, 12 - at);
    const waiting = mentions > 0 ? 4 : isUnread ? 2 : 0;
    return visited + waiting + (isStarred ? 1 : 0) + (isMember ? 1 : 0);
  };
}

const labelOf = (choice: Choice): string =>
  choice.kind === "conversation" ? choice.conversation.name : choice.user.label;
const byLabel = (one: Choice, other: Choice): number =>
  labelOf(one).localeCompare(labelOf(other), "en") || (one.id < other.id ? -1 : 1);

/** The places one has been at, after going to `id`. Bounded. */
export const visited = (recent: readonly Id[], id: Id): Id[] =>
  [id, ...recent.filter((one) => one !== id)].slice(0, 20);
