/** Where things are in a list of rows, and what of it was read. Pure. */
import type { Row, Ts } from "../../core/contract";

/** The place of every day's divider, for finding the day of a row. */
export const dayPlaces = (rows: readonly Row[]): number[] =>
  rows.flatMap((row, index) => (row.kind === "day" ? [index] : []));

/** The day that the row at `index` is of: that of the last divider at or before it. */
export function dayAt(rows: readonly Row[], days: readonly number[], index: number): number | null {
  let low = 0;
  let high = days.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((days[middle] ?? 0) <= index) low = middle + 1;
    else high = middle;
  }
  const row = rows[days[low - 1] ?? -1];
  return row?.kind === "day" ? row.at : null;
}

/** The next message from `index` that way; itself where there is none. -1 stands before all. */
export function stepFrom(rows: readonly Row[], index: number, step: 1 | -1): number {
  for (let at = index + step; at >= 0 && at < rows.length; at += step) if (rows[at]?.kind === "message") return at;
  return rows[index]?.kind === "message" ? index : -1;
}

export const lastMessageAt = (rows: readonly Row[]): number => rows.findLastIndex((row) => row.kind === "message");

/** The newest that the server has named: how far one may have read. */
export function newestSent(rows: readonly Row[]): Ts | null {
  for (let at = rows.length - 1; at >= 0; at--) {
    const row = rows[at];
    if (row?.kind === "message" && row.message.delivery === "sent" && !row.message.isEphemeral) return row.message.ts;
  }
  return null;
}

/** How many messages of others came after the one with this key; 0 when it is not there any more. */
export function countAfter(rows: readonly Row[], key: string, selfId: string): number {
  let count = 0;
  for (let at = rows.length - 1; at >= 0; at--) {
    const row = rows[at];
    if (row?.key === key) return count;
    if (row?.kind === "message" && row.message.authorId !== selfId) count++;
  }
  return 0;
}

/** How many messages of others there are from the line of the unread on. */
export function countUnread(rows: readonly Row[], selfId: string): number {
  const line = rows.findLastIndex((row) => row.kind === "unread");
  if (line < 0) return 0;
  return rows.slice(line).filter((row) => row.kind === "message" && row.message.authorId !== selfId).length;
}

/** The key of one's own message that is on its way and stands last, or null: one has just sent it. */
export function justSent(rows: readonly Row[], selfId: string): string | null {
  const last = rows.at(-1);
  if (last?.kind !== "message" || last.message.authorId !== selfId || last.message.delivery === "sent") return null;
  return last.key;
}
