/** What a search found, marked in its text by two characters nobody writes. Read before all else: they may stand anywhere. */

export const MARK_ON = "\uE000";
export const MARK_OFF = "\uE001";

/** A text without its marks, and which of its characters were between them. */
export interface Marked {
  readonly source: string;
  /** One byte a character; null when nothing is marked. */
  readonly marks: Uint8Array | null;
}

export function readMarks(said: string): Marked {
  if (!said.includes(MARK_ON) && !said.includes(MARK_OFF)) return { source: said, marks: null };
  const marks = new Uint8Array(said.length);
  const parts: string[] = [];
  let length = 0;
  let on = false;
  for (const part of said.split(/([\uE000\uE001])/)) {
    if (part === MARK_ON || part === MARK_OFF) {
      on = part === MARK_ON;
      continue;
    }
    if (on) marks.fill(1, length, length + part.length);
    length += part.length;
    parts.push(part);
  }
  return { source: parts.join(""), marks };
}

export const withoutMarks = (said: string): string => said.replace(/[\uE000\uE001]/g, "");
