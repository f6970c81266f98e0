/** What stands in a list of messages: days, the line above what is new, who goes on speaking. Pure. */
import type { Message, Row, Ts } from "../contract";

/** Somebody who goes on within this time does not need a name again. */
export const CONTINUED_S = 300;

export interface Framing {
  /** The line is drawn above the first message of others after this; null: there is none. */
  readonly unreadAfter: Ts | null;
  readonly selfId: string;
  /** The window reaches back to the first message. */
  readonly hasBeginning: boolean;
  /** A thread: its parent stands alone. */
  readonly isThread: boolean;
}

type MessageRow = Extract<Row, { kind: "message" }>;

/** Rows, those that are as they were the very same objects, so that nothing is drawn again that did not change. */
export class Rows {
  private before = new Map<string, MessageRow>();
  private readonly days = new Map<Ts, string>();

  build(messages: readonly Message[], pending: readonly Message[], framing: Framing): readonly Row[] {
    const rows: Row[] = [];
    const now = new Map<string, MessageRow>();
    if (framing.hasBeginning) rows.push({ kind: "beginning", key: "beginning" });
    let day = "";
    let last: Message | null = null;
    let isMarked = framing.unreadAfter === null;
    const add = (message: Message) => {
      const own = this.dayOf(message.ts);
      if (own !== day) {
        day = own;
        last = null;
        rows.push({ kind: "day", key: `day:${own}`, at: startOfDay(message.ts) });
      }
      if (!isMarked && message.ts > (framing.unreadAfter ?? "") && message.authorId !== framing.selfId) {
        isMarked = true;
        last = null;
        rows.push({ kind: "unread", key: "unread" });
      }
      const row = this.row(message, last !== null && isContinued(last, message, framing.isThread));
      now.set(message.key, row);
      rows.push(row);
      last = message;
    };
    for (const each of messages) add(each);
    for (const each of pending) if (!now.has(each.key)) add(each);
    this.before = now;
    return rows;
  }

  private row(message: Message, isContinued: boolean): MessageRow {
    const had = this.before.get(message.key);
    if (had !== undefined && had.message === message && had.isContinued === isContinued) return had;
    return { kind: "message", key: message.key, message, isContinued };
  }

  /** The day of a time, where the reader is; bounded, since it is asked for every message at every change. */
  private dayOf(ts: Ts): string {
    const known = this.days.get(ts);
    if (known !== undefined) return known;
    const at = new Date(Number.parseFloat(ts) * 1000);
    const day = `${at.getFullYear()}-${at.getMonth() + 1}-${at.getDate()}`;
    if (this.days.size > 10_000) this.days.clear();
    this.days.set(ts, day);
    return day;
  }
}

/** The line above what is new stands before this message; null: nowhere. */
export function firstUnread(messages: readonly Message[], after: Ts, selfId: string): Ts | null {
  for (let at = messages.length - 1, found: Ts | null = null; ; at -= 1) {
    const each = messages[at];
    if (each === undefined || each.ts <= after) return found;
    if (each.authorId !== selfId) found = each.ts;
  }
}

/** Unix milliseconds. */
function startOfDay(ts: Ts): number {
  return new Date(Number.parseFloat(ts) * 1000).setHours(0, 0, 0, 0);
}

const PLAIN = new Set(["", "file_share", "bot_message"]);

function isContinued(last: Message, message: Message, isThread: boolean): boolean {
  if (!PLAIN.has(message.subtype) || !PLAIN.has(last.subtype) || message.isEphemeral || last.isEphemeral) return false;
  if (message.authorId !== last.authorId || message.authorName !== last.authorName) return false;
  if (isThread && last.threadTs === null) return false;
  return Number.parseFloat(message.ts) - Number.parseFloat(last.ts) < CONTINUED_S;
}
