/** The keys of a list of messages: arrows, pages and ends move the focus between messages; letters act on the one that has it. */
import { useCallback, useEffect, useRef } from "preact/hooks";
import type { Row } from "../../core/contract";
import type { ListState } from "./list";
import { lastMessageAt, stepFrom } from "./place";
import type { Scroll } from "./useScroll";

const PAGE_ROWS = 8;
/** A second, and then the row is not coming. */
const FRAMES_MAX = 60;

export const rowId = (list: ListState, key: string): string => `${list.threadTs ? "t" : "m"}-${key}`;

/** A row from afar has to be drawn and measured before it takes the focus: that is some frames away. */
export function useFocusSoon(list: ListState): (key: string) => void {
  const frame = useRef(0);
  useEffect(() => () => cancelAnimationFrame(frame.current), []);
  return useCallback(
    (key: string) => {
      cancelAnimationFrame(frame.current);
      let left = FRAMES_MAX;
      const attempt = () => {
        const element = document.getElementById(rowId(list, key));
        element?.focus({ preventScroll: true });
        left -= 1;
        if (document.activeElement !== element && left > 0) frame.current = requestAnimationFrame(attempt);
      };
      attempt();
    },
    [list],
  );
}

export function useFeedKeys(rows: readonly Row[], scroll: Scroll, list: ListState) {
  const activeKey = list.active.value;
  const focusSoon = useFocusSoon(list);

  // Without a stop Tab would pass the list by: the newest message is one at first.
  useEffect(() => {
    const isThere = activeKey !== null && rows.some((row) => row.key === activeKey);
    if (!isThere) list.active.value = rows[lastMessageAt(rows)]?.key ?? null;
  }, [rows, activeKey, list]);

  const go = useCallback(
    (index: number) => {
      const row = rows[index];
      if (row?.kind !== "message") return;
      list.active.value = row.key;
      list.hasFocus.value = true;
      scroll.toRow(row.key, "nearest");
      focusSoon(row.key);
    },
    [rows, scroll.toRow, list, focusSoon],
  );

  const onKeyDown = (event: KeyboardEvent) => {
    const isRow = (event.target as HTMLElement).tagName === "ARTICLE";
    if (!isRow || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const at = rows.findIndex((row) => row.key === list.active.peek());
    const next = target(event.key, rows, at);
    if (next === null) return;
    event.preventDefault();
    go(next);
  };

  const onFocusIn = (event: FocusEvent) => {
    const key = (event.target as HTMLElement).closest<HTMLElement>("[data-row]")?.dataset.row;
    if (key) list.active.value = key;
    const element = event.target as HTMLElement;
    // A press focuses as well, and shows no bar where the pointer may go on; where there is no pointer, it does.
    list.hasFocus.value = element.matches(":focus-visible") || matchMedia("(pointer: coarse)").matches;
  };
  const onFocusOut = () => {
    list.hasFocus.value = false;
  };

  return { onKeyDown, onFocusIn, onFocusOut };
}

function target(key: string, rows: readonly Row[], at: number): number | null {
  const step = (count: number, way: 1 | -1) => {
    let index = at;
    for (let done = 0; done < count; done++) index = stepFrom(rows, index, way);
    return index;
  };
  switch (key) {
    case "ArrowDown":
      return step(1, 1);
    case "ArrowUp":
      return step(1, -1);
    case "PageDown":
      return step(PAGE_ROWS, 1);
    case "PageUp":
      return step(PAGE_ROWS, -1);
    case "Home":
      return stepFrom(rows, -1, 1);
    case "End":
      return lastMessageAt(rows);
    default:
      return null;
  }
}
