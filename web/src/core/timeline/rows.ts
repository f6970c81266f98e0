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

/** What is worked out of a message once. */
interface Known {
  row: MessageRow;
  readonly ts: Ts;
  readonly seconds: number;
  readonly day: number;
  build: number;
}

/** Rows, those that are as they were the very same objects, so that nothing is drawn again that did not change. */
export class Rows {
  private readonly known = new Map<string, Known>();
  private builds = 0;

  build(messages: readonly Message[], pending: readonly Message[], framing: Framing): readonly Row[] {
    this.builds += 1;
    const rows: Row[] = [];
    if (framing.hasBeginning) rows.push({ kind: "beginning", key: "beginning" });
    let last: Known | null = null;
    let day = 0;
    let isMarked = framing.unreadAfter === null;
    const add = (message: Message): void => {
      const known = this.of(message);
      if (known.build === this.builds) return; // own, and named by the server meanwhile
      known.build = this.builds;
      if (known.day !== day) {
        day = known.day;
        last = null;
        rows.push({ kind: "day", key: `day:${day}`, at: startOfDay(known.seconds) });
      }
      if (!isMarked && message.ts > (framing.unreadAfter ?? "") && message.authorId !== framing.selfId) {
        isMarked = true;
        last = null;
        rows.push({ kind: "unread", key: "unread" });
      }
      const isContinued = last !== null && goesOn(last, known, message, framing.isThread);
      const { row } = known;
      if (row.message !== message || row.isContinued !== isContinued)
        known.row = { kind: "message", key: message.key, message, isContinued };
      rows.push(known.row);
      last = known;
    };
    for (const each of messages) add(each);
    for (const each of pending) add(each);
    this.forget(rows.length);
    return rows;
  }

  private of(message: Message): Known {
    const had = this.known.get(message.key);
    if (had?.ts === message.ts) return had;
    const seconds = Number.parseFloat(message.ts);
    const row: MessageRow = { kind: "message", key: message.key, message, isContinued: false };
    const known = { row, ts: message.ts, seconds, day: dayOf(seconds), build: had?.build ?? 0 };
    this.known.set(message.key, known);
    return known;
  }

  /** What is shown no more, now and then. */
  private forget(shown: number): void {
    if (this.known.size < 2 * shown + 100) return;
    for (const [key, each] of this.known) if (each.build !== this.builds) this.known.delete(key);
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

/** A number for each day, where the reader is. */
function dayOf(seconds: number): number {
  const at = new Date(seconds * 1000);
  return at.getFullYear() * 10_000 + at.getMonth() * 100 + at.getDate();
}

/** Unix milliseconds. */
const startOfDay = (seconds: number): number => new Date(seconds * 1000).setHours(0, 0, 0, 0);

const PLAIN = new Set(["", "file_share", "bot_message"]);

function goesOn(last: Known, known: Known, message: Message, isThread: boolean): boolean {
  const before = last.row.message;
  if (message.authorId !== before.authorId || message.authorName !== before.authorName) return false;
  if (known.seconds - last.seconds >= CONTINUED_S || (isThread && before.threadTs === null)) return false;
  return PLAIN.has(message.subtype) && PLAIN.has(before.subtype) && !message.isEphemeral && !before.isEphemeral;
}
