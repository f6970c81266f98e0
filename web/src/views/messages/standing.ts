/**
 * Where somebody stands in a list, and which of its rows are drawn for that.
 *
 * One stands at the end, or a row stands at so many pixels below the upper edge: the anchor, known by its key. Only who
 * scrolls changes it. Whatever else happens (rows come or go on either side, heights turn out otherwise, the window
 * changes), the list is scrolled to where the anchor is again. So nothing has to be known about what changed.
 */
import { type Signal, signal } from "@preact/signals";
import type { Row } from "../../core/contract";
import { guessFor } from "./guess";
import { Heights, NOTHING, type Range } from "./heights";

/** At the end, give or take a line: wheels and zoom leave fractions. */
const END_PX = 32;
/**
 * Rows are drawn this far beyond what is in sight, and more when it is less than LEAST. The browser scrolls what is drawn
 * by itself: LEAST is how far it comes before we do, and what lies between the two is drawn at once, within a frame.
 */
const AHEAD_PX = 960;
const LEAST_PX = 720;
/** The first drawing is of what is in sight, about. */
const FIRST_AHEAD_PX = 40;
/** Who scrolled so lately scrolls on: meanwhile the pointer is over nothing, as rows pass below it. */
const SCROLLING_MS = 150;

export type Side = "top" | "center" | "bottom";

interface Anchor {
  readonly key: string;
  readonly side: Side;
  /** Pixels between that side of the row and that edge of what is in sight. */
  readonly px: number;
}

export class Standing {
  readonly isAtEnd: Signal<boolean> = signal(true);
  /** The first row in sight. */
  readonly first: Signal<number> = signal(0);
  /** Counts up when other rows are to be drawn. */
  readonly version: Signal<number> = signal(0);
  range: Range = NOTHING;
  private readonly heights: Heights;
  private rows: readonly Row[] = [];
  private anchor: Anchor | null = null;
  private scroller: HTMLElement | null = null;
  private drawn: HTMLElement | null = null;
  /** Where the scroller was when it was looked at last. */
  private scrollTop = 0;
  private width: number;
  private height: number;
  private isComplete = false;
  private restTimer: ReturnType<typeof setTimeout> | undefined;

  /** `isOpen`: there is more to come at the end, so that nobody stands there. */
  constructor(
    private readonly isOpen: () => boolean,
    private readonly isCompact: () => boolean,
    size: { readonly width: number; readonly height: number },
  ) {
    this.width = size.width;
    this.height = size.height;
    this.heights = new Heights(guessFor(size.width, isCompact()));
  }

  get viewportHeight(): number {
    return this.height;
  }

  /** Pixels above what is in sight. */
  get above(): number {
    return this.scrollTop;
  }

  /** Pixels below it, as far as is known. */
  get below(): number {
    return this.heights.total - this.scrollTop - this.height;
  }

  /** Begin with a row at so many pixels below the upper edge, and not at the end. */
  begin(key: string, px: number): void {
    this.setAnchor({ key, side: "top", px });
  }

  // Drawing ------------------------------------------------------------------------------------------------------

  /** Before drawing: take the rows, and say which of them to draw. */
  draw(rows: readonly Row[]): { readonly range: Range; readonly before: number; readonly after: number } {
    this.follow();
    if (rows !== this.rows) {
      this.keepAnchor(rows);
      this.rows = rows;
      this.heights.take(rows);
      this.range = NOTHING;
    }
    if (!this.isCovered()) this.range = this.needed();
    const { start, end } = this.range;
    const before = this.heights.top(start);
    return { range: this.range, before, after: this.heights.total - this.heights.top(end) };
  }

  /** After drawing: measure, and be where one stood. */
  settle(scroller: HTMLElement | null, drawn: HTMLElement | null): void {
    this.scroller = scroller;
    this.drawn = drawn;
    if (!scroller || !drawn) return;
    this.measure(drawn);
    this.goToAnchor(scroller);
    this.look();
  }

  /** The window, or a row, has another size. */
  resized(): void {
    const { scroller } = this;
    if (!scroller) return;
    const { clientWidth, clientHeight } = scroller;
    if (clientHeight > 0) this.height = clientHeight;
    if (clientWidth > 0 && clientWidth !== this.width) {
      this.width = clientWidth;
      this.heights.begin(guessFor(clientWidth, this.isCompact()));
      this.version.value += 1;
      return;
    }
    this.settle(scroller, this.drawn);
  }

  /** What is in sight was painted: draw what is around it. */
  complete(): void {
    this.isComplete = true;
    this.look();
  }

  /** The top of a row that is kept in the document though it is out of sight. */
  top(index: number): number {
    return this.heights.top(index);
  }

  // Going about --------------------------------------------------------------------------------------------------

  /** The scroller was scrolled, by whomever. */
  scrolled(): void {
    if (!this.scroller) return;
    this.follow();
    this.look();
  }

  toEnd(): void {
    this.follow(); // what was scrolled until now is over
    this.setAnchor(null);
    this.go();
  }

  /** Show a row, which may be about to come: `side` of it at `px` from that edge. */
  toRow(key: string, side: Side, px: number): void {
    this.follow();
    this.setAnchor({ key, side, px });
    this.go();
  }

  /** Let a row come just into sight, with room above for what floats there. */
  intoSight(key: string, room: number): void {
    const index = this.heights.place(key);
    const top = this.heights.top(index);
    if (index < 0) return;
    if (top - room < this.scrollTop) this.toRow(key, "top", room);
    else if (top + this.heights.height(index) > this.scrollTop + this.height) this.toRow(key, "bottom", 0);
  }

  end(): void {
    clearTimeout(this.restTimer);
  }

  private go(): void {
    const isThere = this.anchor === null || this.heights.place(this.anchor.key) >= 0;
    if (isThere && this.isCovered()) this.settle(this.scroller, this.drawn);
    else this.version.value += 1;
  }

  /** Somebody scrolled, and it may not have been told yet: what is at the upper edge now is what to keep there. */
  private follow(): void {
    const { scroller } = this;
    if (!scroller?.isConnected) return;
    const at = scroller.scrollTop;
    if (Math.abs(at - this.scrollTop) < 1) return;
    this.scrollTop = at;
    this.anchorHere();
    this.rest();
  }

  private anchorHere(): void {
    if (this.below < END_PX && !this.isOpen()) {
      this.setAnchor(null);
      return;
    }
    let index = this.heights.at(this.scrollTop);
    // Days and lines have other places when rows come: a message is what one reads.
    while (index < this.rows.length - 1 && this.rows[index]?.kind !== "message") index += 1;
    const row = this.rows[index];
    if (row) this.setAnchor({ key: row.key, side: "top", px: this.heights.top(index) - this.scrollTop });
  }

  private setAnchor(anchor: Anchor | null): void {
    this.anchor = anchor;
    this.isAtEnd.value = anchor === null;
  }

  /** Other rows: where the anchor is not among them, the nearest one that is takes its place. */
  private keepAnchor(rows: readonly Row[]): void {
    const { anchor, heights } = this;
    if (anchor === null || rows.some((row) => row.key === anchor.key)) return;
    const left = new Set(rows.flatMap((row) => (row.kind === "message" ? [row.key] : [])));
    const from = heights.place(anchor.key);
    const index = from < 0 ? -1 : nearest(this.rows.length, from, (each) => left.has(this.rows[each]?.key ?? ""));
    const key = this.rows[index]?.key;
    this.setAnchor(key === undefined ? null : { key, side: "top", px: heights.top(index) - this.scrollTop });
  }

  // Where things are ---------------------------------------------------------------------------------------------

  /** How far the list is to be scrolled. */
  private wanted(): number {
    const { anchor, heights, height } = this;
    const end = Math.max(0, heights.total - height);
    if (anchor === null) return end;
    const index = heights.place(anchor.key);
    if (index < 0) return end;
    const tall = heights.height(index);
    const { side, px } = anchor;
    const from = side === "top" ? px : side === "bottom" ? height - tall - px : Math.max(0, (height - tall) / 2);
    return Math.max(0, Math.min(heights.top(index) - from, end));
  }

  private isCovered(): boolean {
    const from = this.wanted();
    const least = this.isComplete ? LEAST_PX : 0;
    return this.heights.isWithin(this.range, from - least, from + this.height + least);
  }

  private needed(): Range {
    const from = this.wanted();
    const ahead = this.isComplete ? AHEAD_PX : FIRST_AHEAD_PX;
    return this.heights.between(from - ahead, from + this.height + ahead);
  }

  private look(): void {
    this.first.value = this.heights.at(this.scrollTop + 1);
    if (!this.isCovered()) this.version.value += 1;
  }

  private measure(drawn: HTMLElement): void {
    let index = this.range.start;
    for (const element of drawn.children) {
      if ((element as HTMLElement).dataset.kept !== undefined) continue;
      this.heights.measure(index, element.getBoundingClientRect().height);
      index += 1;
    }
  }

  private goToAnchor(scroller: HTMLElement): void {
    const end = scroller.scrollHeight - scroller.clientHeight;
    const by = (this.anchor === null ? end : Math.min(this.wanted(), end)) - scroller.scrollTop;
    // By so much, and not to a place: a wheel that turns meanwhile goes on from there.
    if (Math.abs(by) >= 1) scroller.scrollBy({ top: by, behavior: "instant" });
    this.scrollTop = scroller.scrollTop;
    if (this.isLoose()) this.anchorHere();
  }

  /** What the anchor says holds for now only: there is no room for it, or it is no message. */
  private isLoose(): boolean {
    const { anchor, heights } = this;
    if (anchor === null) return false;
    const index = heights.place(anchor.key);
    const isMessage = this.rows[index]?.kind === "message";
    return !isMessage || anchor.side !== "top" || Math.abs(heights.top(index) - anchor.px - this.scrollTop) >= 1;
  }

  private rest(): void {
    const { drawn } = this;
    if (!drawn) return;
    drawn.style.pointerEvents = "none";
    clearTimeout(this.restTimer);
    this.restTimer = setTimeout(() => {
      drawn.style.pointerEvents = "";
    }, SCROLLING_MS);
  }
}

/** The place next to `from` that is as wanted, later ones first; -1: there is none. */
function nearest(count: number, from: number, isWanted: (index: number) => boolean): number {
  for (let away = 1; away < count; away++) {
    for (const index of [from + away, from - away]) if (isWanted(index)) return index;
  }
  return -1;
}
