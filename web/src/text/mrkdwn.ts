/**
 * Slack's text, read to a tree: what is code between three backticks, quotes, lists, paragraphs, and in each of them
 * lines (`inline.ts`). Anything is a text: nothing throws, and time grows with length alone.
 */
import { readCode, readInline, type Source } from "./inline";
import { readMarks } from "./marks";
import { type Block, type Inline, joined, type List, type ListItem } from "./tree";

interface Span {
  readonly start: number;
  readonly end: number;
}

/** Read a message. */
export function parse(said: string): Block[] {
  const from = readMarks(said);
  const blocks: Block[] = [];
  for (const part of fenced(from.source)) {
    if (part.isCode) pushCode(blocks, { kind: "pre", children: readCode(from, part.start, part.end) });
    else blocks.push(...readLines(from, lines(from.source, part), true));
  }
  return blocks;
}

/** A fence right behind the sign of a quote is in the quote. */
function pushCode(blocks: Block[], code: Block): void {
  const last = blocks.at(-1);
  if (last?.kind === "quote" && last.blocks.length === 0) blocks[blocks.length - 1] = { kind: "quote", blocks: [code] };
  else blocks.push(code);
}

/** Read what stands on one line, a topic or a status. Line ends are spaces. */
export function parseLine(said: string): Inline[] {
  const from = readMarks(said.replace(/\s*\n\s*/g, " "));
  return readInline(from, 0, from.source.length);
}

/** A text cut at its fences: what is between one and the next is code, if it is anything. */
function* fenced(source: string): Generator<Span & { isCode: boolean }> {
  let from = 0;
  let search = 0;
  while (true) {
    const open = source.indexOf("```", search);
    if (open < 0) break;
    const inside = afterTicks(source, open);
    const close = source.indexOf("```", inside);
    if (close < 0) break;
    const code = withoutEnds(source, inside, close);
    search = close;
    if (source.slice(code.start, code.end).trim() === "") continue;
    if (open > from) yield { start: from, end: open, isCode: false };
    yield { ...code, isCode: true };
    const after = afterTicks(source, close);
    from = search = source[after] === "\n" ? after + 1 : after;
  }
  if (from < source.length) yield { start: from, end: source.length, isCode: false };
}

/** Past the three backticks, and past more of them. */
function afterTicks(source: string, from: number): number {
  let at = from + 3;
  while (source[at] === "`") at++;
  return at;
}

function withoutEnds(source: string, start: number, end: number): Span {
  const first = source[start] === "\n" ? start + 1 : start;
  const last = end > first && source[end - 1] === "\n" ? end - 1 : end;
  return { start: first, end: last };
}

function* lines(source: string, part: Span): Generator<Span> {
  let start = part.start;
  while (start <= part.end) {
    const found = source.indexOf("\n", start);
    const end = found < 0 || found > part.end ? part.end : found;
    yield { start, end };
    start = end + 1;
  }
}

const QUOTE = /(?:&gt;|>)(?: |(?=[^ ]|$))/y;
const QUOTE_REST = /(?:&gt;|>){3} ?/y;
const ITEM = /([ \t]{0,24})(?:[•◦▪▫‣⁃*-]|(\d{1,3})[.)])[ \t]+(?=\S)/y;

function matchAt(pattern: RegExp, source: string, at: number, end: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  const found = pattern.exec(source);
  return found && at + found[0].length <= end ? found : null;
}

function readLines(from: Source, all: Iterable<Span>, mayQuote: boolean): Block[] {
  const reader = new Lines(from);
  let isQuotedOn = false;
  for (const line of all) {
    const rest: RegExpExecArray | null =
      mayQuote && !isQuotedOn ? matchAt(QUOTE_REST, from.source, line.start, line.end) : null;
    const quote = rest ?? (mayQuote && !isQuotedOn ? matchAt(QUOTE, from.source, line.start, line.end) : null);
    isQuotedOn ||= rest !== null;
    if (quote || isQuotedOn) reader.quote({ start: line.start + (quote?.[0].length ?? 0), end: line.end });
    else reader.line(line);
  }
  return reader.done();
}

/** A line of a list, before it is nested. */
export interface Item {
  readonly indent: number;
  readonly number: number | null;
  readonly children: readonly Inline[];
}

/** Gathers lines that belong together. */
class Lines {
  private readonly blocks: Block[] = [];
  private paragraph: Inline[] = [];
  private items: Item[] = [];
  private quoted: Span[] = [];

  constructor(private readonly from: Source) {}

  quote(line: Span): void {
    this.endParagraph();
    this.endList();
    this.quoted.push(line);
  }

  line(line: Span): void {
    this.endQuote();
    const { source } = this.from;
    const item = matchAt(ITEM, source, line.start, line.end);
    if (item) {
      this.endParagraph();
      const indent = (item[1] ?? "").replace(/\t/g, "    ").length;
      const children = readInline(this.from, line.start + item[0].length, line.end);
      this.items.push({ indent, number: item[2] === undefined ? null : Number(item[2]), children });
      return;
    }
    this.endList();
    if (source.slice(line.start, line.end).trim() === "") {
      this.endParagraph();
      return;
    }
    if (this.paragraph.length > 0) this.paragraph.push({ kind: "break" });
    for (const node of readInline(this.from, line.start, line.end)) this.paragraph.push(node);
  }

  done(): Block[] {
    this.endQuote();
    this.endParagraph();
    this.endList();
    return this.blocks;
  }

  private endParagraph(): void {
    if (this.paragraph.length > 0) this.blocks.push({ kind: "paragraph", children: joined(this.paragraph) });
    this.paragraph = [];
  }

  private endList(): void {
    if (this.items.length > 0) this.blocks.push(...nested(this.items));
    this.items = [];
  }

  private endQuote(): void {
    if (this.quoted.length > 0) this.blocks.push({ kind: "quote", blocks: readLines(this.from, this.quoted, false) });
    this.quoted = [];
  }
}

/** Lists in lists are drawn by calls in calls: not deeper than anybody writes. */
const DEEPEST = 6;

interface Growing extends List {
  readonly items: (ListItem & { readonly lists: Growing[] })[];
}

/** Items as lists in lists, by how far each is indented; another kind of item at the same place begins another list. */
export function nested(items: readonly Item[]): List[] {
  const outermost: Growing[] = [];
  const open: { readonly list: Growing; readonly indent: number }[] = [];
  for (const { indent, number, children } of items) {
    const isOrdered = number !== null;
    while (open.length > 1 && (open.at(-1)?.indent ?? 0) > indent) open.pop();
    const last = open.at(-1);
    const isDeeper = last !== undefined && indent > last.indent + 1 && open.length < DEEPEST;
    if (last && !isDeeper && last.list.isOrdered === isOrdered) {
      last.list.items.push({ children, lists: [] });
      continue;
    }
    if (last && !isDeeper) open.pop();
    const list: Growing = { kind: "list", isOrdered, start: number ?? 1, items: [{ children, lists: [] }] };
    (open.at(-1)?.list.items.at(-1)?.lists ?? outermost).push(list);
    open.push({ list, indent });
  }
  return outermost;
}
