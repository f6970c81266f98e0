/** Marks put around what is selected, or taken away where they are. Pure: a text and a selection in, others out. */

export type Format = "bold" | "italic" | "strike" | "code" | "block" | "quote" | "list" | "ordered" | "link";

export interface Selected {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const MARKS: Partial<Record<Format, string>> = { bold: "*", italic: "_", strike: "~", code: "`" };

export function formatted(selected: Selected, format: Format): Selected {
  const mark = MARKS[format];
  if (mark) return around(selected, mark);
  if (format === "block") return block(selected);
  if (format === "link") return link(selected);
  return byLine(selected, format);
}

/** On, or off when it is on already: within the selection or right around it. At the end of what was marked, out of it. */
function around({ text, start, end }: Selected, mark: string): Selected {
  const size = mark.length;
  const inner = text.slice(start, end);
  if (start === end && endsHere(text, start, mark)) return { text, start: start + size, end: start + size };
  if (text.slice(start - size, start) === mark && text.slice(end, end + size) === mark)
    return { text: text.slice(0, start - size) + inner + text.slice(end + size), start: start - size, end: end - size };
  if (inner.length > 2 * size && inner.startsWith(mark) && inner.endsWith(mark)) {
    const bare = inner.slice(size, -size);
    return { text: text.slice(0, start) + bare + text.slice(end), start, end: start + bare.length };
  }
  // Spaces stay outside: marks hold on to letters.
  const lead = inner.length - inner.trimStart().length;
  const trail = inner.trim() === "" ? 0 : inner.length - inner.trimEnd().length;
  const from = start + (inner.trim() === "" ? 0 : lead);
  const to = end - trail;
  return {
    text: text.slice(0, from) + mark + text.slice(from, to) + mark + text.slice(to),
    start: from + size,
    end: to + size,
  };
}

/** Whether words before the caret were begun with a mark that ends right after it. */
function endsHere(text: string, at: number, mark: string): boolean {
  if (!text.startsWith(mark, at) || text.slice(0, at).endsWith(mark)) return false;
  const line = text.slice(text.lastIndexOf("\n", at - 1) + 1, at);
  return line.split(mark).length % 2 === 0;
}

function block({ text, start, end }: Selected): Selected {
  const before = start > 0 && text[start - 1] !== "\n" ? "\n```\n" : "```\n";
  const after = end < text.length && text[end] !== "\n" ? "\n```\n" : "\n```";
  return {
    text: text.slice(0, start) + before + text.slice(start, end) + after + text.slice(end),
    start: start + before.length,
    end: end + before.length,
  };
}

const ADDRESS = /^https?:\/\/\S+$/;

/** The selected words are the label, and the address is selected to be written; or the other way round. */
function link({ text, start, end }: Selected): Selected {
  const inner = text.slice(start, end);
  const isAddress = ADDRESS.test(inner);
  const label = isAddress ? "label" : inner || "label";
  const address = isAddress ? inner : "https://";
  const at = isAddress || !inner ? start + 1 : start + label.length + 3;
  const length = isAddress || !inner ? label.length : address.length;
  return { text: `${text.slice(0, start)}[${label}](${address})${text.slice(end)}`, start: at, end: at + length };
}

const LEADS = /^(?:> ?|- |\d+\. )/;

function byLine({ text, start, end }: Selected, format: Format): Selected {
  const from = text.lastIndexOf("\n", start - 1) + 1;
  const next = text.indexOf("\n", end);
  const to = next < 0 ? text.length : next;
  const lines = text.slice(from, to).split("\n");
  const lead = (index: number) => (format === "quote" ? "> " : format === "list" ? "- " : `${index + 1}. `);
  const isOn = lines.every((line, index) => line.startsWith(lead(index)));
  const changed = lines.map((line, index) =>
    isOn ? line.slice(lead(index).length) : lead(index) + line.replace(LEADS, ""),
  );
  const made = changed.join("\n");
  const first = (changed[0]?.length ?? 0) - (lines[0]?.length ?? 0);
  const at = Math.max(from, start + first);
  return {
    text: text.slice(0, from) + made + text.slice(to),
    start: start === end ? at : from,
    end: start === end ? at : from + made.length,
  };
}

const ITEM = /^(\s*)(- |> |(\d{1,3})\. )(.*)$/;

/** What a new line begins with: a list and a quote go on, and end at an empty one. Null: nothing but a line end. */
export function newLine({ text, start, end }: Selected): Selected | null {
  if (isInCode(text, start)) return null;
  const from = text.lastIndexOf("\n", start - 1) + 1;
  const found = ITEM.exec(text.slice(from, start));
  if (!found) return null;
  const [, indent = "", sign = "", number, said = ""] = found;
  if (said.trim() === "") return { text: text.slice(0, from) + text.slice(end), start: from, end: from };
  const lead = `\n${indent}${number ? `${Number(number) + 1}. ` : sign}`;
  return { text: text.slice(0, start) + lead + text.slice(end), start: start + lead.length, end: start + lead.length };
}

/** Within a block of code a line end is a line end. */
export const isInCode = (text: string, at: number): boolean => (text.slice(0, at).match(/```/g)?.length ?? 0) % 2 === 1;
