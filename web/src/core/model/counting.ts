/**
 * A conversation that one is in: read mark, newest message, mentions. Pure.
 *
 * What a boot says is true up to the boot's position; events after it change that. Mentions are counted from there:
 * those that the server told, whose times nobody knows, and those seen since, each with its time.
 */
import type { ConversationKind, Id, Ts } from "../contract";
import { type Json, number, text, texts, time } from "../net/json";

/** Mentions of one conversation whose times are kept; beyond, the oldest count as told. */
const SEEN_MAX = 1_000;
const MARK = /<(?:@([UW][A-Z0-9]{1,20})|!(here|channel|everyone|group))(?:\|[^<>]*)?>/g;
const NOT_TO_READ = new Set([
  "message_changed",
  "message_deleted",
  "message_replied",
  "channel_join",
  "channel_leave",
  "group_join",
  "group_leave",
  "tombstone",
]);
const KINDS: Readonly<Record<string, ConversationKind>> = {
  channel: "public",
  group: "private",
  im: "im",
  mpim: "mpim",
};

export interface Membership {
  readonly id: Id;
  readonly kind: ConversationKind;
  readonly name: string;
  readonly userId: Id | null;
  readonly userIds: readonly Id[];
  readonly isArchived: boolean;
  readonly isGeneral: boolean;
  readonly lastRead: Ts;
  readonly latest: Ts;
  readonly mentions: number;
  /** Mentions up to here are in what the server told; those after it are in `seen`. */
  readonly toldUntil: Ts;
  readonly seen: readonly Ts[];
}

export const isDirect = (kind: ConversationKind): boolean => kind === "im" || kind === "mpim";

export const isUnread = (each: Membership): boolean => each.latest > each.lastRead;

/** Of a boot's entry; what is zero or false is not in it. */
export function fromBoot(entry: Json): Membership {
  const latest = time(entry.latest);
  return {
    id: text(entry.id),
    kind: (text(entry.kind) || "public") as ConversationKind,
    name: text(entry.name),
    userId: text(entry.user) || null,
    userIds: texts(entry.members),
    isArchived: entry.archived === true,
    isGeneral: entry.general === true,
    lastRead: time(entry.last_read),
    latest,
    mentions: number(entry.mentions),
    toldUntil: latest,
    seen: [],
  };
}

/** Of an event that says that one is in it now: channel_joined, im_created… */
export function fromEvent(type: string, shape: Json, peerId: Id): Membership {
  const family = type.slice(0, Math.max(0, type.indexOf("_")));
  const kind = shape.is_mpim === true ? "mpim" : (KINDS[family] ?? "public");
  return {
    id: text(shape.id),
    kind,
    name: text(shape.name),
    userId: kind === "im" ? text(shape.user) || peerId || null : null,
    userIds: texts(shape.members),
    isArchived: shape.is_archived === true,
    isGeneral: shape.is_general === true,
    lastRead: time(shape.last_read),
    latest: "",
    mentions: 0,
    toldUntil: "",
    seen: [],
  };
}

/** Whether only its thread shows a message. */
export function isReply(message: Json): boolean {
  const thread = text(message.thread_ts);
  if (!thread || thread === message.ts) return false;
  return message.subtype !== "thread_broadcast" && message.reply_broadcast !== true;
}

/** Whether a message is there to be read: no notice of who came and went, and no word of what became of another. */
export const isToRead = (message: Json): boolean => message.hidden !== true && !NOT_TO_READ.has(text(message.subtype));

/** Whether a message is meant for somebody: by name, or all of a conversation. */
export function isNamed(message: Json, userId: Id): boolean {
  for (const [, user, all] of text(message.text).matchAll(MARK)) if (user === userId || all) return true;
  return false;
}

/** Take a message that was posted. */
export function withMessage(had: Membership, message: Json, selfId: Id): Membership {
  const at = time(message.ts);
  if (!at || !isToRead(message) || isReply(message)) return had;
  const latest = at > had.latest ? at : had.latest;
  const isTold = at <= had.lastRead || at <= had.toldUntil || had.seen.includes(at);
  const counts = !isTold && message.user !== selfId && (isDirect(had.kind) || isNamed(message, selfId));
  if (!counts) return latest === had.latest ? had : { ...had, latest };
  return { ...had, latest, seen: [...had.seen.slice(1 - SEEN_MAX), at], mentions: had.mentions + 1 };
}

/** Take the removal of a message: what nobody can read any more is not unread. `newest`: of those that are left, if known. */
export function withRemoval(had: Membership, message: Json, at: Ts, newest: Ts | null, selfId: Id): Membership {
  const seen = had.seen.filter((each) => each !== at);
  const wasSeen = seen.length < had.seen.length;
  const isMeant = message.user !== selfId && (isDirect(had.kind) || isNamed(message, selfId)) && !isReply(message);
  const wasTold = !wasSeen && isMeant && at > had.lastRead && at <= had.toldUntil;
  const mentions = Math.max(0, had.mentions - (wasSeen || wasTold ? 1 : 0));
  const latest = at === had.latest && newest !== null ? newest : had.latest;
  if (latest === had.latest && mentions === had.mentions) return had;
  return { ...had, seen, mentions, latest };
}

/**
 * Take a read mark, set at `toldAt`; `told` mentions were unread after it, by what the server knew then. Where all of
 * them were seen here they are counted here, because a message may be on its way still.
 */
export function withMark(had: Membership, at: Ts, told: number, toldAt: Ts): Membership {
  if (had.toldUntil > at || had.lastRead > at) {
    const toldUntil = toldAt > had.toldUntil ? toldAt : had.toldUntil;
    const seen = had.seen.filter((each) => each > toldUntil);
    return { ...had, lastRead: time(at), toldUntil, seen, mentions: told + seen.length };
  }
  const seen = had.seen.filter((each) => each > at);
  return { ...had, lastRead: time(at), seen, mentions: seen.length };
}
