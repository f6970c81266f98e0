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
import { type Change, changeOf, dayPlaces, justSent } from "./place";
import { useDay } from "./useDay";
import { useHand } from "./useHand";

/** At the end, give or take a line: wheels and zoom leave fractions. */
const END_PX = 32;
/** What stays in sight above a row that was gone to: of the line of the unread more than of a step by keys. */
const ABOVE_PX = 72;
const NEAR_PX = 44;
/** A row that was gone to is on its way for so long: older ones may come meanwhile, and move it. */
const GOING_MS = 10_000;
/** And for so long after they came, heights that turn out otherwise may push it out of sight. */
const SETTLING_MS = 1_000;
/** Fetch this many screens ahead. */
const AHEAD = 2;

export type Align = "start" | "center" | "nearest";

interface Going {
  readonly key: string;
  readonly align: Align;
  readonly until: number;
  readonly settledAt: number;
}

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
  toRow(index: number, align: Align): void;
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
  const isShown = useRef(false);
  const going = useRef<Going | null>(null);
  const isHeld = useHand(scroller, rows.length > 0);

  const toEnd = useCallback(() => {
    const element = scroller.current;
    if (element) element.scrollTop = element.scrollHeight;
    isAtEnd.value = true;
  }, [isAtEnd]);

  const endAt = useRef(Number.NEGATIVE_INFINITY);
  const goToEnd = useCallback(() => {
    endAt.current = performance.now();
    going.current = null;
    toEnd();
  }, [toEnd]);

  const look = useCallback(() => {
    const handle = list.current;
    if (!handle) return;
    // What the list knows, not what the element would have to be laid out for.
    const { scrollOffset: top, scrollSize, viewportSize } = handle;
    const below = scrollSize - top - viewportSize;
    const isReached = below < END_PX && !timeline.hasNewer.peek();
    // Rows that turn out taller than was guessed push the end away: only who scrolls leaves it.
    const isGoing = performance.now() < endAt.current + SETTLING_MS;
    const hasGrown = scrollSize !== size.current && (isGoing || !isHeld());
    size.current = scrollSize;
    if (isHeld()) going.current = null; // who scrolls goes elsewhere
    const to = going.current;
    if (to && performance.now() < to.settledAt) {
      const index = latest.current.rows.findIndex((row) => row.key === to.key);
      const place = index < 0 ? top : handle.getItemOffset(index);
      if (place < top || place > top + viewportSize) goToRow(handle, index, to.align);
    }
    if (isReached || !hasGrown || timeline.hasNewer.peek()) isAtEnd.value = isReached;
    else if (isAtEnd.peek()) toEnd();
    const at = handle.findItemIndex(top + 1);
    first.value = at;
    if (!isShown.current) return;
    const ahead = AHEAD * viewportSize;
    if (top < ahead && timeline.hasOlder.peek()) void timeline.loadOlder();
    else if (below < ahead && timeline.hasNewer.peek()) void timeline.loadNewer();
  }, [timeline, isAtEnd, first, toEnd, isHeld]);

  const tellDay = useDay(latest, first, day);
  const onScroll = useCallback(() => {
    look();
    tellDay();
  }, [look, tellDay]);

  const onResize = useCallback(() => {
    if (isAtEnd.peek()) toEnd();
    look();
  }, [isAtEnd, toEnd, look]);

  const toRow = useCallback((index: number, align: Align) => {
    const key = latest.current.rows[index]?.key;
    const now = performance.now();
    going.current = key === undefined ? null : { key, align, until: now + GOING_MS, settledAt: now + SETTLING_MS };
    if (list.current) goToRow(list.current, index, align);
  }, []);

  const sent = justSent(rows, selfId);
  useLayoutEffect(() => {
    before.current = { rows, generation };
    if (isAtEnd.peek()) return toEnd();
    // Its place in the list is another now.
    const to = going.current;
    if (change !== "prepended" || !to || performance.now() > to.until || isHeld()) return;
    const index = rows.findIndex((row) => row.key === to.key);
    going.current = { ...to, settledAt: performance.now() + SETTLING_MS };
    if (index >= 0 && list.current) goToRow(list.current, index, to.align);
  }, [rows, generation, change, isAtEnd, toEnd, isHeld]);
  useLayoutEffect(() => {
    // Who sends wants to see it there, wherever one was reading.
    if (sent === null) return;
    if (timeline.hasNewer.peek()) void timeline.jumpToNow();
    goToEnd();
  }, [sent, timeline, goToEnd]);
  const hasRows = rows.length > 0;
  useEffect(() => {
    if (!hasRows) return;
    // What is there already is painted first: more of it, out of sight, can wait for two frames.
    let frame = requestAnimationFrame(() => {
      frame = requestAnimationFrame(() => {
        isShown.current = true;
        look();
      });
    });
    return () => cancelAnimationFrame(frame);
  }, [hasRows, look]);
  useEffect(() => {
    // What fills less than the screen is never scrolled: ask for more all the same.
    if (rows.length > 0) look();
  }, [rows, look]);

  return { scroller, list, isAtEnd, day, first, change, generation, onScroll, onResize, toEnd: goToEnd, toRow };
}

function goToRow(handle: VirtualizerHandle, index: number, align: Align): void {
  if (align !== "nearest") {
    handle.scrollToIndex(index, { align, offset: align === "start" ? -ABOVE_PX : 0 });
    return;
  }
  // Room above for the bar of the row and the name of the day, which float there.
  const top = handle.getItemOffset(index);
  const bottom = top + handle.getItemSize(index);
  if (top - NEAR_PX < handle.scrollOffset) handle.scrollToIndex(index, { align: "start", offset: -NEAR_PX });
  else if (bottom > handle.scrollOffset + handle.viewportSize) handle.scrollToIndex(index, { align: "end" });
}
