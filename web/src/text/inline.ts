/**
 * One line of a message, read from left to right in one pass: emphasis, code, emoji, addresses, and what is between `<`
 * and `>`. Each character is looked at a bounded number of times, and what is nested is nested at most three deep, so
 * that no text takes long or overflows the stack.
 */
import { readAngle } from "./angle";
import { unescaped } from "./entities";
import { bareLinkEnd, safeHref } from "./links";
import { type Inline, joined, text } from "./tree";

/** Ends with the line at the latest: what is read is one line, and the rest is not to be looked at for each. */
const PLAIN = /[^&<`:*_~hH\n]+/y;
const ENTITY = /&(?:amp|lt|gt);/y;
const ANGLE = /<([^<>\n]{1,8000})>/y;
const EMOJI = /:([\p{L}\p{N}_+'’-]{1,100}):(?::skin-tone-([2-6]):)?/uy;
const WORD = /[\p{L}\p{N}]/u;
const EMPHASIS = { "*": "bold", _: "italic", "~": "strike" } as const;
type Sign = keyof typeof EMPHASIS;

/** What is read inside: all, nothing but `<…>` (code), or all but `<…>` and addresses (a link's label). */
type Reach = "all" | "code" | "label";

export interface Source {
  readonly source: string;
  readonly marks: Uint8Array | null;
}

export const readInline = (from: Source, start: number, end: number): Inline[] =>
  new Line(from, start, end, "all").read();

/** Between backticks: addresses and mentions are what they are, nothing else is. */
export const readCode = (from: Source, start: number, end: number): Inline[] =>
  new Line(from, start, end, "code").read();

class Line {
  private at: number;
  private readonly nodes: Inline[] = [];
  /** Signs that may begin emphasis, with their place among the nodes: the latest of each. */
  private readonly open = new Map<Sign, number>();
  private hasNoTick = false;

  constructor(
    private readonly from: Source,
    private readonly start: number,
    private readonly end: number,
    private readonly reach: Reach,
  ) {
    this.at = start;
  }

  read(): Inline[] {
    while (this.at < this.end) if (!this.special()) this.take(this.at + this.plainLength());
    return joined(this.nodes);
  }

  private plainLength(): number {
    PLAIN.lastIndex = this.at;
    return Math.max(1, PLAIN.exec(this.from.source)?.[0].length ?? 1);
  }

  /** What begins here, if something does. */
  private special(): boolean {
    const letter = this.from.source[this.at] ?? "";
    if (letter === "&") return this.entity();
    if (letter === "<") return this.reach !== "label" && this.angle();
    if (this.reach === "code") return false;
    if (letter === "`") return this.code();
    if (letter === ":") return this.emoji();
    if (letter === "h" || letter === "H") return this.reach === "all" && this.address();
    return letter in EMPHASIS && this.emphasis(letter as Sign);
  }

  /** Text up to `until`, in as many pieces as its marks have. */
  private take(until: number): void {
    const { source, marks } = this.from;
    const to = Math.min(until, this.end);
    while (this.at < to) {
      const isMarked = this.isMarked(this.at);
      let next = marks ? this.at + 1 : to;
      while (next < to && this.isMarked(next) === isMarked) next++;
      this.nodes.push(text(source.slice(this.at, next), isMarked));
      this.at = next;
    }
  }

  private isMarked(at: number): boolean {
    return this.from.marks?.[at] === 1;
  }

  private anyMarked(until: number): boolean {
    const found = this.from.marks?.subarray(this.at, until).indexOf(1) ?? -1;
    return found >= 0;
  }

  private match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.from.source);
    return found && this.at + found[0].length <= this.end ? found : null;
  }

  private entity(): boolean {
    const found = this.match(ENTITY);
    if (!found) return false;
    this.nodes.push(text(unescaped(found[0]), this.isMarked(this.at)));
    this.at += found[0].length;
    return true;
  }

  private angle(): boolean {
    const found = this.match(ANGLE);
    if (!found) return false;
    const until = this.at + found[0].length;
    const inside = this.at + 1;
    const label = (from: number) => new Line(this.from, inside + from, until - 1, "label").read();
    const read = readAngle(found[1] ?? "", this.anyMarked(until), label);
    this.nodes.push(...read);
    this.at = until;
    return true;
  }

  private code(): boolean {
    const close = this.hasNoTick ? -1 : this.from.source.indexOf("`", this.at + 1);
    if (close < 0 || close >= this.end) {
      this.hasNoTick = true;
      return false;
    }
    if (close === this.at + 1) {
      this.take(close + 1);
      return true;
    }
    this.nodes.push({ kind: "code", children: readCode(this.from, this.at + 1, close) });
    this.at = close + 1;
    return true;
  }

  private emoji(): boolean {
    const found = this.match(EMOJI);
    if (!found) return false;
    const until = this.at + found[0].length;
    const name = found[1] ?? "";
    this.nodes.push({ kind: "emoji", name, tone: Number(found[2] ?? 0), isMarked: this.anyMarked(until) });
    this.at = until;
    return true;
  }

  private address(): boolean {
    const { source } = this.from;
    if (this.isWord(this.at - 1)) return false;
    const until = bareLinkEnd(source, this.at, this.end);
    if (until === this.at) return false;
    const said = unescaped(source.slice(this.at, until));
    const href = safeHref(said);
    if (!href) return false;
    this.nodes.push({ kind: "link", href, children: [text(said, this.anyMarked(until))] });
    this.at = until;
    return true;
  }

  /** One sign; two and more in a row are what they are. */
  private emphasis(sign: Sign): boolean {
    const { source } = this.from;
    let run = this.at + 1;
    while (run < this.end && source[run] === sign) run++;
    if (run > this.at + 1) {
      this.take(run);
      return true;
    }
    if (this.closes(sign)) return true;
    const mayOpen = !this.isWord(this.at - 1) && run < this.end && !this.isSpace(run);
    this.take(run);
    if (mayOpen) this.open.set(sign, this.nodes.length - 1);
    return true;
  }

  private closes(sign: Sign): boolean {
    const opener = this.open.get(sign);
    if (opener === undefined || this.isSpace(this.at - 1) || this.isWord(this.at + 1)) return false;
    if (opener === this.nodes.length - 1) return false; // nothing between
    const children = joined(this.nodes.splice(opener + 1));
    this.nodes[opener] = { kind: EMPHASIS[sign], children };
    for (const [other, place] of this.open) if (place >= opener) this.open.delete(other);
    this.at++;
    return true;
  }

  private isWord(at: number): boolean {
    return at >= this.start && at < this.end && WORD.test(codePointAround(this.from.source, at));
  }

  private isSpace(at: number): boolean {
    return at < this.start || at >= this.end || /\s/.test(this.from.source[at] ?? " ");
  }
}

/** The whole character at `at`, which may be either half of a pair. */
function codePointAround(source: string, at: number): string {
  const code = source.charCodeAt(at);
  const first = code >= 0xdc00 && code <= 0xdfff ? at - 1 : at;
  const point = source.codePointAt(first);
  return point === undefined ? "" : String.fromCodePoint(point);
}
