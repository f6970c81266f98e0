/**
 * A window on the messages of a conversation or a thread: pages are merged into it, events keep it right, and its far
 * ends are dropped. Pure; belongs to one timeline.
 *
 * It knows every message from `low` to `high`, and none outside. Of what the server tells in pages and what it tells in
 * events neither is always newer: a page may have been read before an edit that was heard of before the page arrived. So
 * what happens is kept in a journal for as long as a request is out, and a moment before it, and is done again on top of
 * the page. Doing it again changes nothing, because an event says what has become of a message, not what to add to it.
 */
import type { Id, Message, Ts } from "../contract";
import type { Json } from "../net/json";
import { isUntold, keepingOwn, withReaction, withThread } from "./messages";

/** Below and above every time that there is. */
export const BEGINNING: Ts = "";
export const NOW: Ts = "~";

/** What a page shows may be this much older than its request: servers cache, too. */
export const LAG_MS = 2_000;
/** Events that are kept to be done again; beyond them the oldest go. */
const JOURNAL_MAX = 4_000;

/** What happened to a message. */
export type Op =
  | { readonly op: "post"; readonly message: Message }
  | { readonly op: "change"; readonly message: Message }
  | { readonly op: "delete"; readonly ts: Ts; readonly threadTs: Ts | null }
  | { readonly op: "react"; readonly ts: Ts; readonly name: string; readonly userId: Id; readonly on: boolean }
  | { readonly op: "pin" | "save"; readonly ts: Ts; readonly on: boolean }
  | { readonly op: "thread"; readonly ts: Ts; readonly parent: Json };

/** Messages, oldest first: all that there are from `low` to `high`. */
export interface Page {
  readonly messages: readonly Message[];
  readonly low: Ts;
  readonly high: Ts;
}

interface Noted {
  readonly at: number;
  readonly op: Op;
}

export class Window {
  /** Oldest first. Changed in place: whoever shows them copies. */
  readonly messages: Message[] = [];
  low: Ts = NOW;
  high: Ts = BEGINNING;
  /** Counts up when the window was begun anew: pages that were asked for before are of no use. */
  generation = 0;
  private journal: Noted[] = [];
  private unsure: ReadonlySet<Ts> = new Set();
  /** When the requests began that are out. */
  private readonly open: number[] = [];

  constructor(
    private readonly belongs: (message: Message) => boolean,
    private readonly selfId: Id,
  ) {}

  get isLoaded(): boolean {
    return this.low <= this.high;
  }

  get isAtStart(): boolean {
    return this.low === BEGINNING;
  }

  get isAtEnd(): boolean {
    return this.high === NOW && this.isLoaded;
  }

  get(ts: Ts): Message | undefined {
    const at = this.place(ts);
    const found = this.messages[at];
    return found?.ts === ts ? found : undefined;
  }

  /** Of which messages the last page may or may not have had what happened while it was on its way: read these again. */
  get unsureOf(): ReadonlySet<Ts> {
    return this.unsure;
  }

  /** Something was missed: what was heard of before says nothing about what became of it. */
  doubt(): void {
    this.journal = [];
  }

  /** A request begins; to be ended with `settled`, whatever becomes of it. */
  asked(now: number): void {
    this.open.push(now);
  }

  settled(askedAt: number): void {
    const at = this.open.indexOf(askedAt);
    if (at >= 0) this.open.splice(at, 1);
  }

  /** Take what happened. Says whether it is to be seen, and which parent has to be read again. */
  apply(op: Op, now: number): { readonly changed: boolean; readonly reread: Ts | null } {
    this.note(op, now);
    const changed = this.do(op);
    // What becomes of a thread whose reply is removed, nobody tells.
    const parent = op.op === "delete" ? op.threadTs : null;
    return { changed, reread: parent !== null && this.get(parent) ? parent : null };
  }

  /** Begin anew with a page that was asked for at `askedAt`. */
  reset(page: Page, askedAt: number): void {
    this.generation += 1;
    this.messages.length = 0;
    this.low = NOW;
    this.high = BEGINNING;
    this.merge(page, askedAt);
  }

  /** Forget everything, and whatever is on its way. */
  clear(): void {
    this.generation += 1;
    this.messages.length = 0;
    this.low = NOW;
    this.high = BEGINNING;
  }

  /** Take a page that touches the window, or is of its inside. False: there would be a gap, so it was not taken. */
  merge(page: Page, askedAt: number): boolean {
    if (this.isLoaded && (page.high < this.low || page.low > this.high)) return false;
    const inside = this.messages.filter((each) => each.ts < page.low || each.ts > page.high);
    const keys = new Map(this.messages.map((each) => [each.ts, each.key]));
    const fresh = page.messages.map((each) => ({ ...each, key: keys.get(each.ts) ?? each.key }));
    const at = lowest(inside, page.low);
    inside.splice(at, 0, ...fresh);
    this.messages.splice(0, this.messages.length, ...inside);
    this.low = page.low < this.low ? page.low : this.low;
    this.high = page.high > this.high ? page.high : this.high;
    this.again(askedAt);
    return true;
  }

  /** Do again what was heard of since shortly before `askedAt`. */
  private again(askedAt: number): void {
    const noted = this.journal.filter((each) => each.at >= askedAt - LAG_MS);
    const ops = noted.map((each) => each.op);
    const unsure = new Set<Ts>();
    noted.forEach(({ at, op }, index) => {
      // What was told of a thread before a reply of it was removed is not so any more; the page knows better.
      if (op.op === "thread" && ops.some((each, later) => later > index && isReplyRemoved(each, op.ts))) return;
      if (op.op === "react" && isUntold(this.get(op.ts), op.name, op.userId)) {
        // The page counts whoever did this before it was asked for.
        if (at >= askedAt) unsure.add(op.ts);
        return;
      }
      if (op.op === "react" && ops.some((each, later) => later > index && isSameReaction(each, op))) return;
      this.do(op);
    });
    this.unsure = unsure;
  }

  /** Keep at most `max` messages, those at the end that one looks at. */
  trim(max: number, keep: "old" | "new"): boolean {
    const surplus = this.messages.length - max;
    if (surplus <= 0) return false;
    if (keep === "new") {
      this.messages.splice(0, surplus);
      this.low = this.messages[0]?.ts ?? this.low;
    } else {
      this.messages.splice(max, surplus);
      this.high = this.messages.at(-1)?.ts ?? this.high;
    }
    return true;
  }

  private note(op: Op, now: number): void {
    this.journal.push({ at: now, op });
    const since = Math.min(now, ...this.open) - LAG_MS;
    const isLong = this.journal.length > JOURNAL_MAX;
    if (isLong || (this.journal[0]?.at ?? now) < since - LAG_MS)
      this.journal = this.journal.filter((each) => each.at >= since).slice(-JOURNAL_MAX);
  }

  private do(op: Op): boolean {
    switch (op.op) {
      case "post":
        return this.posted(op.message);
      case "change":
        return this.change(op.message.ts, (had) => ({
          ...keepingOwn(had, op.message, this.selfId),
          key: had.key,
          isSaved: had.isSaved,
        }));
      case "delete":
        return this.deleted(op.ts);
      case "react":
        return this.change(op.ts, (had) => withReaction(had, op.name, op.userId, op.on, op.userId !== this.selfId));
      case "pin":
        return this.change(op.ts, (had) => (had.isPinned === op.on ? had : { ...had, isPinned: op.on }));
      case "save":
        return this.change(op.ts, (had) => (had.isSaved === op.on ? had : { ...had, isSaved: op.on }));
      case "thread":
        return this.change(op.ts, (had) => withThread(had, op.parent));
    }
  }

  /** A message that is there already is newer than the word of its being posted. */
  private posted(message: Message): boolean {
    const { ts } = message;
    if (ts < this.low || ts > this.high || !this.belongs(message)) return false;
    const at = this.place(ts);
    if (this.messages[at]?.ts === ts) return false;
    this.messages.splice(at, 0, message);
    return true;
  }

  private deleted(ts: Ts): boolean {
    const at = this.place(ts);
    if (this.messages[at]?.ts !== ts) return false;
    this.messages.splice(at, 1);
    return true;
  }

  private change(ts: Ts, become: (had: Message) => Message): boolean {
    const at = this.place(ts);
    const had = this.messages[at];
    if (had?.ts !== ts) return false;
    const now = become(had);
    this.messages[at] = now;
    return now !== had;
  }

  private place(ts: Ts): number {
    return lowest(this.messages, ts);
  }
}

const isReplyRemoved = (op: Op, parent: Ts): boolean => op.op === "delete" && op.threadTs === parent;

const isSameReaction = (one: Op, other: Op): boolean =>
  one.op === "react" &&
  other.op === "react" &&
  one.ts === other.ts &&
  one.name === other.name &&
  one.userId === other.userId;

/** Index of the first message at `ts` or after it. */
function lowest(messages: readonly Message[], ts: Ts): number {
  let from = 0;
  let to = messages.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((messages[middle]?.ts ?? "") < ts) from = middle + 1;
    else to = middle;
  }
  return from;
}
