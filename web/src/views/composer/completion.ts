/** What of a text is a name being typed, and what becomes of it when one is chosen. Pure. */

export interface Trigger {
  readonly sign: "@" | "#" | ":";
  /** Where the sign stands. */
  readonly from: number;
  /** What was typed behind it. */
  readonly query: string;
}

const TRIGGER = /(^|[^\p{L}\p{N}@#:/])([@#:])([\p{L}\p{N}._+'’-]{0,40}(?: [\p{L}\p{N}._'’-]{1,30})?)$/u;
/** A smiley is no name: ":)" and ": " ask for nothing, and one letter finds too much. */
const EMOJI_LEAST = 2;

export function triggerAt(text: string, caret: number): Trigger | null {
  const line =
    text
      .slice(Math.max(0, caret - 90), caret)
      .split("\n")
      .at(-1) ?? "";
  const found = TRIGGER.exec(line);
  if (!found) return null;
  const sign = found[2] as Trigger["sign"];
  const query = found[3] ?? "";
  if (sign !== "@" && query.includes(" ")) return null;
  if (sign === ":" && query.length < EMOJI_LEAST) return null;
  return { sign, from: caret - query.length - 1, query };
}

/** The text with `insert` in place of what was typed, and where the caret goes: behind it and a space. */
export function completed(
  text: string,
  caret: number,
  trigger: Trigger,
  insert: string,
): { text: string; caret: number } {
  const rest = text.slice(caret);
  const space = /^\s/.test(rest) ? "" : " ";
  const before = text.slice(0, trigger.from) + insert + space;
  return { text: before + rest, caret: before.length + (space ? 0 : 1) };
}
