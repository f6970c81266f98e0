/** What floats over a list: the day in sight, the way to what is new, the way back to now. */
import { type ReadonlySignal, useComputed } from "@preact/signals";
import { ArrowDown, ArrowUp, X } from "lucide-preact";
import { useRef } from "preact/hooks";
import type { Timeline } from "../../core/contract";
import { useClient } from "../../ui/context";
import { dayName } from "../../ui/time";
import css from "./Pills.module.css";
import { countUnread } from "./place";
import type { Reading } from "./useReading";
import type { Scroll } from "./useScroll";

/** About as many rows as are in sight. */
const SCREEN_ROWS = 10;

export const StickyDay = ({ day }: { readonly day: ReadonlySignal<number | null> }) =>
  day.value === null ? null : (
    <div class={css.day} aria-hidden="true">
      <span class={css.dayName}>{dayName(day.value, Date.now())}</span>
    </div>
  );

interface PillsProps {
  readonly timeline: Timeline;
  readonly scroll: Scroll;
  readonly reading: Reading;
}

export const Pills = (props: PillsProps) => (
  <>
    {props.timeline.isLoading.value === "older" && <div class={css.loading}>Loading older messages…</div>}
    <UnreadAbove {...props} />
    <ToNow {...props} />
  </>
);

/** The line of the unread is above what is in sight, and was not in sight yet. */
function UnreadAbove({ timeline, scroll, reading }: PillsProps) {
  const { selfId } = useClient();
  const seen = useRef("");
  const line = useComputed(() => timeline.rows.value.findIndex((row) => row.kind === "unread"));
  if (line.value < 0) return null;
  const first = scroll.first.value;
  // The line is known by the message below it: when there is another one it is to be seen again.
  const key = timeline.rows.peek()[line.value + 1]?.key ?? "";
  const toLine = () => scroll.toRow(timeline.rows.peek()[line.peek()]?.key ?? "", "start");
  if (line.value >= first) seen.current = line.value < first + SCREEN_ROWS ? key : seen.current;
  if (line.value >= first || seen.current === key) return null;
  const count = countUnread(timeline.rows.peek(), selfId);
  return (
    <div class={css.top}>
      <button type="button" class={css.pill} onClick={toLine}>
        <ArrowUp size={14} aria-hidden="true" />
        {count === 1 ? "1 new message" : `${count} new messages`}
      </button>
      <button
        type="button"
        class={css.dismiss}
        aria-label="Mark as read"
        data-tooltip="Mark as read"
        onClick={reading.markAllRead}
      >
        <X size={14} aria-hidden="true" />
      </button>
    </div>
  );
}

function ToNow({ timeline, scroll, reading }: PillsProps) {
  if (scroll.isAtEnd.value) return null;
  const missed = reading.missed.value;
  const go = async () => {
    if (timeline.hasNewer.peek()) await timeline.jumpToNow();
    scroll.toEnd();
  };
  const words = missed === 0 ? "Jump to latest" : missed === 1 ? "1 new message" : `${missed} new messages`;
  return (
    <button type="button" class={missed > 0 ? css.now : css.quietNow} onClick={() => void go()}>
      <ArrowDown size={14} aria-hidden="true" />
      {words}
    </button>
  );
}
