/** The keys of a list of messages: arrows, pages and ends move the focus between messages; letters act on the one that has it. */
import { useCallback, useEffect, useRef } from "preact/hooks";
import type { Row } from "../../core/contract";
import type { ListState } from "./list";
import { lastMessageAt, stepFrom } from "./place";
import type { Scroll } from "./useScroll";

const PAGE_ROWS = 8;

export const rowId = (list: ListState, key: string): string => `${list.threadTs ? "t" : "m"}-${key}`;

export function useFeedKeys(rows: readonly Row[], scroll: Scroll, list: ListState) {
  const wanted = useRef<string | null>(null);
  const activeKey = list.active.value;

  // The row may first have to be drawn: it is focused when it is there.
  useEffect(() => {
    if (wanted.current === null || wanted.current !== activeKey) return;
    const element = document.getElementById(rowId(list, wanted.current));
    if (!element) return;
    wanted.current = null;
    element.focus({ preventScroll: true });
  });

  // Without a stop Tab would pass the list by: the newest message is one at first.
  useEffect(() => {
    const isThere = activeKey !== null && rows.some((row) => row.key === activeKey);
    if (!isThere) list.active.value = rows[lastMessageAt(rows)]?.key ?? null;
  }, [rows, activeKey, list]);

  const go = useCallback(
    (index: number) => {
      const row = rows[index];
      if (row?.kind !== "message") return;
      wanted.current = row.key;
      scroll.toRow(index, "nearest");
      if (list.active.peek() === row.key) document.getElementById(rowId(list, row.key))?.focus();
      list.active.value = row.key;
    },
    [rows, scroll.toRow, list],
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
