/**
 * The scrolling of a list of messages: stays at the end when it is there, keeps its place when older messages come,
 * fetches what is next before it is reached, and knows which day and which rows are in sight.
 */
import { type Signal, useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { VirtualizerHandle } from "virtua";
import type { Row, Timeline } from "../../core/contract";
import { useClient } from "../../ui/context";
import { type Change, changeOf, dayAt, dayPlaces, justSent } from "./place";

/** At the end, give or take a line: wheels and zoom leave fractions. */
const END_PX = 32;
/** What stays in sight above a row that was gone to: of the line of the unread more than of a step by keys. */
const ABOVE_PX = 72;
const NEAR_PX = 44;
const REST_MS = 1200;
/** Fetch this many screens ahead. */
const AHEAD = 2;

export interface Scroll {
  readonly scroller: RefObject<HTMLDivElement>;
  readonly list: RefObject<VirtualizerHandle>;
  readonly isAtEnd: Signal<boolean>;
  /** The day of the first row in sight, while one scrolls; null when its own divider is there. */
  readonly day: Signal<number | null>;
  /** The first row in sight. */
  readonly first: Signal<number>;
  readonly change: Change;
  /** How often the rows were replaced; a list of its own each time. */
  readonly generation: number;
  onScroll(): void;
  onResize(): void;
  toEnd(): void;
  toRow(index: number, align: "start" | "center" | "nearest"): void;
}

export function useScroll(timeline: Timeline, rows: readonly Row[]): Scroll {
  const { selfId } = useClient();
  const scroller = useRef<HTMLDivElement>(null);
  const list = useRef<VirtualizerHandle>(null);
  const isAtEnd = useSignal(true);
  const day = useSignal<number | null>(null);
  const first = useSignal(0);
  const before = useRef<{ rows: readonly Row[]; generation: number }>({ rows: [], generation: 0 });
  const change = changeOf(before.current.rows, rows);
  const generation = before.current.generation + (change === "replaced" ? 1 : 0);
  const days = useMemo(() => dayPlaces(rows), [rows]);
  const latest = useRef({ rows, days });
  latest.current = { rows, days };

  const size = useRef(0);

  const toEnd = useCallback(() => {
    const element = scroller.current;
    if (element) element.scrollTop = element.scrollHeight;
    isAtEnd.value = true;
  }, [isAtEnd]);

  const look = useCallback(() => {
    const handle = list.current;
    if (!handle) return;
    // What the list knows, not what the element would have to be laid out for.
    const { scrollOffset: top, scrollSize, viewportSize } = handle;
    const below = scrollSize - top - viewportSize;
    const isReached = below < END_PX && !timeline.hasNewer.peek();
    // Rows that turn out taller than was guessed push the end away: only who scrolls leaves it.
    const hasGrown = scrollSize !== size.current;
    size.current = scrollSize;
    if (isReached || !hasGrown || timeline.hasNewer.peek()) isAtEnd.value = isReached;
    else if (isAtEnd.peek()) toEnd();
    const at = handle.findItemIndex(top + 1);
    first.value = at;
    const ahead = AHEAD * viewportSize;
    if (top < ahead && timeline.hasOlder.peek()) void timeline.loadOlder();
    else if (below < ahead && timeline.hasNewer.peek()) void timeline.loadNewer();
  }, [timeline, isAtEnd, first, toEnd]);

  // The day is told while one scrolls: at rest it would stand on what one reads.
  const resting = useRef<ReturnType<typeof setTimeout>>();
  useEffect(() => () => clearTimeout(resting.current), []);
  const onScroll = useCallback(() => {
    look();
    const { rows: all, days: dividers } = latest.current;
    const at = first.peek();
    day.value = all[at]?.kind === "message" ? dayAt(all, dividers, at) : null;
    clearTimeout(resting.current);
    resting.current = setTimeout(() => {
      day.value = null;
    }, REST_MS);
  }, [look, first, day]);

  const onResize = useCallback(() => {
    if (isAtEnd.peek()) toEnd();
    look();
  }, [isAtEnd, toEnd, look]);

  const toRow = useCallback((index: number, align: "start" | "center" | "nearest") => {
    const handle = list.current;
    if (!handle) return;
    if (align !== "nearest") return handle.scrollToIndex(index, { align, offset: align === "start" ? -ABOVE_PX : 0 });
    // Room above for the bar of the row and the name of the day, which float there.
    const top = handle.getItemOffset(index);
    const bottom = top + handle.getItemSize(index);
    if (top - NEAR_PX < handle.scrollOffset) handle.scrollToIndex(index, { align: "start", offset: -NEAR_PX });
    else if (bottom > handle.scrollOffset + handle.viewportSize) handle.scrollToIndex(index, { align: "end" });
  }, []);

  const sent = justSent(rows, selfId);
  useLayoutEffect(() => {
    before.current = { rows, generation };
    if (isAtEnd.peek()) toEnd();
  }, [rows, generation, isAtEnd, toEnd]);
  useLayoutEffect(() => {
    // Who sends wants to see it there, wherever one was reading.
    if (sent === null) return;
    if (timeline.hasNewer.peek()) void timeline.jumpToNow();
    toEnd();
  }, [sent, timeline, toEnd]);
  useEffect(() => {
    // What fills less than the screen is never scrolled: ask for more all the same.
    if (rows.length > 0) look();
  }, [rows, look]);

  return { scroller, list, isAtEnd, day, first, change, generation, onScroll, onResize, toEnd, toRow };
}
