/** For tests: a conversation as the server keeps it, which answers as the Web API does and tells what happens. */
import type { Id } from "../contract";
import type { Calls } from "../net/api";
import type { Json } from "../net/json";

interface Kept {
  ts: string;
  user: Id;
  text: string;
  clientMsgId: string;
  threadTs: string;
  subtype: string;
  edited: string;
  isPinned: boolean;
  reactions: Map<string, Id[]>;
}

export const CHANNEL = "C1";
/** Of those who reacted, so many are named. */
const NAMED_MAX = 50;

/** "1700000000.000001" and on, `step` seconds apart. */
export const stamp = (at: number): string =>
  `${1_700_000_000 + Math.floor(at)}.${String(Math.round((at % 1) * 1e6)).padStart(6, "0")}`;

export class FakeConversation {
  readonly kept = new Map<string, Kept>();
  readonly events: Json[] = [];
  private readonly threads = new Map<string, Kept[]>();
  private sorted: readonly Kept[] | null = null;
  private clock = 0;

  constructor(private readonly told: (event: Json) => void = () => {}) {}

  tick(seconds = 1): string {
    this.clock += seconds;
    return stamp(this.clock);
  }

  get nowS(): number {
    return 1_700_000_000 + this.clock + 1;
  }

  post(user: Id, text: string, more: { threadTs?: string; broadcast?: boolean; clientMsgId?: string } = {}): Json {
    const isSame = (each: Kept) => each.user === user && each.clientMsgId === more.clientMsgId;
    const known = more.clientMsgId ? [...this.kept.values()].find(isSame) : undefined;
    if (known) return this.shape(known);
    const kept: Kept = {
      ts: this.tick(),
      user,
      text,
      clientMsgId: more.clientMsgId ?? "",
      threadTs: more.threadTs ?? "",
      subtype: more.broadcast ? "thread_broadcast" : "",
      edited: "",
      isPinned: false,
      reactions: new Map(),
    };
    this.kept.set(kept.ts, kept);
    if (kept.threadTs) this.threads.set(kept.threadTs, [...this.repliesOf(kept.threadTs), kept]);
    this.sorted = null;
    this.tell({ ...this.shape(kept), channel: CHANNEL });
    const parent = this.kept.get(kept.threadTs);
    if (parent)
      this.tell({ type: "message", subtype: "message_replied", channel: CHANNEL, message: this.shape(parent) });
    return this.shape(kept);
  }

  edit(ts: string, text: string): void {
    const kept = this.kept.get(ts);
    if (!kept) return;
    Object.assign(kept, { text, edited: this.tick() });
    this.tell({ type: "message", subtype: "message_changed", channel: CHANNEL, message: this.shape(kept) });
  }

  delete(ts: string): void {
    const kept = this.kept.get(ts);
    if (!kept || this.repliesOf(ts).length) return;
    const before = this.shape(kept);
    this.forget(kept);
    this.tell({
      type: "message",
      subtype: "message_deleted",
      channel: CHANNEL,
      deleted_ts: ts,
      previous_message: before,
    });
  }

  /** Without a word of it. */
  forget(kept: Kept): void {
    this.kept.delete(kept.ts);
    const left = this.repliesOf(kept.threadTs).filter((each) => each !== kept);
    if (kept.threadTs) this.threads.set(kept.threadTs, left);
    this.sorted = null;
  }

  react(ts: string, user: Id, name: string, on: boolean): void {
    const kept = this.kept.get(ts);
    const had = kept?.reactions.get(name) ?? [];
    if (!kept || had.includes(user) === on) return;
    const now = on ? [...had, user] : had.filter((each) => each !== user);
    if (now.length) kept.reactions.set(name, now);
    else kept.reactions.delete(name);
    const type = on ? "reaction_added" : "reaction_removed";
    this.tell({ type, user, reaction: name, item: { type: "message", channel: CHANNEL, ts } });
  }

  pin(ts: string, on: boolean): void {
    const kept = this.kept.get(ts);
    if (!kept) return;
    kept.isPinned = on;
    const item = { type: "message", channel: CHANNEL, message: this.shape(kept) };
    this.tell({ type: on ? "pin_added" : "pin_removed", channel_id: CHANNEL, item });
  }

  /** What history shows, oldest first. */
  get inChannel(): readonly Kept[] {
    const shown = (each: Kept) => !each.threadTs || each.subtype === "thread_broadcast";
    this.sorted ??= [...this.kept.values()].filter(shown).sort(byTs);
    return this.sorted;
  }

  history(args: Json): Json {
    const { latest, oldest, inclusive, limit } = args;
    const among = this.inChannel.filter((each) => isWithin(each.ts, oldest, latest, Boolean(inclusive)));
    const count = Number(limit ?? 100);
    const page = among.slice(-count).reverse();
    return { ok: true, messages: page.map((each) => this.shape(each)), has_more: among.length > count };
  }

  replies(args: Json): Json {
    const parent = this.kept.get(String(args.ts));
    if (!parent) return { ok: true, messages: [], has_more: false };
    const { latest, oldest, inclusive } = args;
    const among = this.repliesOf(parent.ts).filter((each) => isWithin(each.ts, oldest, latest, Boolean(inclusive)));
    const page = among.slice(0, Math.max(1, Number(args.limit ?? 100) - 1));
    const messages = [parent, ...page].map((each) => this.shape(each));
    return { ok: true, messages, has_more: among.length > page.length };
  }

  shape(kept: Kept): Json {
    const replies = this.repliesOf(kept.ts);
    const last = replies.at(-1);
    return {
      type: "message",
      ts: kept.ts,
      user: kept.user,
      text: kept.text,
      ...(kept.subtype ? { subtype: kept.subtype } : {}),
      ...(kept.clientMsgId ? { client_msg_id: kept.clientMsgId } : {}),
      ...(kept.threadTs ? { thread_ts: kept.threadTs } : {}),
      ...(kept.edited ? { edited: { user: kept.user, ts: kept.edited } } : {}),
      ...(kept.isPinned ? { pinned_to: [CHANNEL] } : {}),
      ...(kept.reactions.size
        ? {
            reactions: [...kept.reactions].map(([name, users]) => ({
              name,
              users: users.slice(0, NAMED_MAX),
              count: users.length,
            })),
          }
        : {}),
      ...(last
        ? {
            thread_ts: kept.ts,
            reply_count: replies.length,
            reply_users: [...new Set(replies.map((each) => each.user))],
            latest_reply: last.ts,
          }
        : {}),
    };
  }

  /** The Web API; `delay` is waited before what is asked is read, and again before it is answered. */
  calls(delay: () => Promise<void> = () => Promise.resolve()): Calls & { asked: Json[] } {
    const asked: Json[] = [];
    const call = async (method: string, args: Json = {}): Promise<Json> => {
      asked.push({ method, ...args });
      await delay();
      const answer = method === "conversations.replies" ? this.replies(args) : this.history(args);
      await delay();
      return answer;
    };
    return { call, read: call, asked };
  }

  private repliesOf(ts: string): Kept[] {
    return this.threads.get(ts) ?? [];
  }

  private tell(event: Json): void {
    this.events.push(event);
    this.told(event);
  }
}

const byTs = (one: Kept, other: Kept): number => (one.ts < other.ts ? -1 : 1);

function isWithin(ts: string, oldest: unknown, latest: unknown, inclusive: boolean): boolean {
  if (inclusive && (ts === oldest || ts === latest))
    return (!oldest || ts >= String(oldest)) && (!latest || ts <= String(latest));
  return (!oldest || ts > String(oldest)) && (!latest || ts < String(latest));
}

/** Chance that can be had again: mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
