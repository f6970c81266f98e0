/** A list of messages, of a conversation or a thread: only what is in sight is on the page, however many there are. */
import type { ComponentChildren } from "preact";
import type { Timeline } from "../../core/contract";
import { classes } from "../../ui/classes";
import { usePreferences } from "../../ui/context";
import { DrawnRows } from "./DrawnRows";
import { ListContext, type ListState } from "./list";
import css from "./MessageList.module.css";
import { Picking } from "./Picking";
import { Pills, StickyDay } from "./Pills";
import { Skeletons } from "./Skeletons";
import { useFeedKeys } from "./useFeedKeys";
import { useJump } from "./useJump";
import { useReading } from "./useReading";
import { useScroll } from "./useScroll";

interface MessageListProps {
  readonly timeline: Timeline;
  readonly list: ListState;
  /** What it is a list of, for screen readers. */
  readonly label: string;
  /** Show this message. */
  readonly at: string | null;
  /** What stands above the first row of a conversation that begins here. */
  readonly beginning?: ComponentChildren;
}

export function MessageList({ timeline, list, label, at, beginning }: MessageListProps) {
  const rows = timeline.rows.value;
  const scroll = useScroll(timeline, rows, at);
  const isCompact = usePreferences().density === "compact";
  useJump(timeline, scroll, list, at);
  const reading = useReading(timeline, scroll, list);
  const keys = useFeedKeys(rows, scroll, list);
  if (rows.length === 0) return <Unfilled timeline={timeline} />;
  return (
    <ListContext.Provider value={list}>
      <div class={css.frame}>
        {list.threadTs === null && <StickyDay day={scroll.day} />}
        <div
          ref={scroll.scroller}
          class={classes(css.scroller, isCompact && css.compact)}
          role="feed"
          aria-label={label}
          aria-busy={timeline.isLoading.value !== ""}
          onScroll={scroll.onScroll}
          onKeyDown={keys.onKeyDown}
          onFocusIn={keys.onFocusIn}
          onFocusOut={keys.onFocusOut}
        >
          {list.threadTs === null && <div class={css.above} />}
          <DrawnRows
            standing={scroll.standing}
            scroller={scroll.scroller}
            drawn={scroll.drawn}
            rows={rows}
            kept={list.active.value}
            beginning={beginning}
          />
        </div>
        <Pills timeline={timeline} scroll={scroll} reading={reading} />
        <Picking rows={rows} />
      </div>
    </ListContext.Provider>
  );
}

/** Nothing there yet, or nothing that could be had. */
function Unfilled({ timeline }: { readonly timeline: Timeline }) {
  return <Skeletons problem={timeline.problem.value} onRetry={() => void timeline.retry()} />;
}
