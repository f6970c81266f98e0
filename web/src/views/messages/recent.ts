/** Who spoke lately in a list. Pure. */
import type { Id, Row } from "../../core/contract";

const PEOPLE_MAX = 30;
const ROWS_MAX = 200;

/** The latest first. */
export function recentAuthors(rows: readonly Row[]): Id[] {
  const ids = new Set<Id>();
  for (let at = rows.length - 1; at >= Math.max(0, rows.length - ROWS_MAX) && ids.size < PEOPLE_MAX; at--) {
    const row = rows[at];
    if (row?.kind === "message" && row.message.authorId && !row.message.isBot) ids.add(row.message.authorId);
  }
  return [...ids];
}
