/**
 * The scrolling of a list of messages: stays at the end when it is there, keeps its place whatever comes (`standing.ts`),
 * fetches what is next before it is reached, and knows which day and which rows are in sight.
 */
import type { Signal } from "@preact/signals";
import { useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { Row, Timeline, Ts } from "../../core/contract";
import { useClient } from "../../ui/context";
import { dayPlaces, justSent } from "./place";
import { Standing } from "./standing";
import { useDay } from "./useDay";

/** What stays in sight above a row that was gone to: of the line of the unread more than of a step by keys. */
const ABOVE_PX = 72;
const NEAR_PX = 44;
/** Fetch this many screens ahead: what takes a second to come is there when a quick wheel is. */
const AHEAD = 4;
/** What else there is beside and above a list, for a first guess. */
const BESIDE_PX = 260;
const AROUND_PX = 180;

export type Align = "start" | "center" | "nearest";

export interface Scroll {
  readonly scroller: RefObject<HTMLDivElement>;
  readonly drawn: RefObject<HTMLDivElement>;
  readonly standing: Standing;
  readonly isAtEnd: Signal<boolean>;
  /** The day of the first row in sight, while one scrolls; null when its own divider is there. */
  readonly day: Signal<number | null>;
  /** The first row in sight. */
  readonly first: Signal<number>;
  onScroll(): void;
  toEnd(): void;
  toRow(key: string, align: Align): void;
}

/** `at`: the message that is to be shown first; null: where one left off. */
export function useScroll(timeline: Timeline, rows: readonly Row[], at: Ts | null): Scroll {
  const { selfId, preferences } = useClient();
  const scroller = useRef<HTMLDivElement>(null);
  const drawn = useRef<HTMLDivElement>(null);
  const day = useSignal<number | null>(null);
  const standing = useMemo(
    () =>
      new Standing(
        () => timeline.hasNewer.peek(),
        () => preferences.peek().density === "compact",
        guessSize(),
      ),
    [timeline, preferences],
  );
  useEffect(() => () => standing.end(), [standing]);
  const days = useMemo(() => dayPlaces(rows), [rows]);
  const latest = useRef({ rows, days });
  latest.current = { rows, days };
  const isBegun = useRef(false);
  if (!isBegun.current && rows.length > 0) {
    isBegun.current = true;
    const unread = rows.find((row) => row.kind === "unread");
    if (unread && at === null) standing.begin(unread.key, ABOVE_PX);
  }

  const isShown = useRef(false);
  const fetch = useCallback(() => {
    if (!isShown.current) return;
    const ahead = AHEAD * standing.viewportHeight;
    if (standing.above < ahead && timeline.hasOlder.peek()) void timeline.loadOlder();
    else if (standing.below < ahead && timeline.hasNewer.peek()) void timeline.loadNewer();
  }, [timeline, standing]);
  const tellDay = useDay(latest, standing.first, day);
  const onScroll = useCallback(() => {
    standing.scrolled();
    fetch();
    tellDay();
  }, [standing, fetch, tellDay]);
  const toEnd = useCallback(() => standing.toEnd(), [standing]);
  const toRow = useCallback(
    (key: string, align: Align) => {
      if (align === "nearest") standing.intoSight(key, NEAR_PX);
      else standing.toRow(key, align === "start" ? "top" : "center", align === "start" ? ABOVE_PX : 0);
    },
    [standing],
  );

  const sent = justSent(rows, selfId);
  useLayoutEffect(() => {
    // Who sends wants to see it there, wherever one was reading.
    if (sent === null) return;
    if (timeline.hasNewer.peek()) void timeline.jumpToNow();
    toEnd();
  }, [sent, timeline, toEnd]);
  const hasRows = rows.length > 0;
  useEffect(() => {
    if (!hasRows || !scroller.current || !drawn.current) return;
    const observer = new ResizeObserver(() => standing.resized());
    observer.observe(scroller.current);
    observer.observe(drawn.current);
    // What is there already is painted first: more of it, out of sight, can wait for two frames.
    let frame = requestAnimationFrame(() => {
      frame = requestAnimationFrame(() => {
        isShown.current = true;
        standing.complete();
        fetch();
      });
    });
    return () => {
      observer.disconnect();
      cancelAnimationFrame(frame);
    };
  }, [hasRows, standing, fetch]);
  useEffect(() => {
    // What fills less than the screen is never scrolled: ask for more all the same.
    if (rows.length > 0) fetch();
  }, [rows, fetch]);

  return { scroller, drawn, standing, isAtEnd: standing.isAtEnd, day, first: standing.first, onScroll, toEnd, toRow };
}

/** Of a list in this window, before there is one. */
const guessSize = () => ({
  width: window.innerWidth > 720 ? window.innerWidth - BESIDE_PX : window.innerWidth,
  height: Math.max(200, window.innerHeight - AROUND_PX),
});
