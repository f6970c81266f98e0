/** Going to a message: the one that the address names, or where one left off when nothing is named. */
import { useCallback, useEffect, useRef } from "preact/hooks";
import type { Timeline, Ts } from "../../core/contract";
import { useScreen } from "../../ui/context";
import type { ListState } from "./list";
import type { Scroll } from "./useScroll";

const FLASH_MS = 2200;

export function useJump(timeline: Timeline, scroll: Scroll, list: ListState, at: Ts | null): void {
  const screen = useScreen();
  const wanted = useRef<Ts | null>(null);
  const isPlaced = useRef(false);
  const rows = timeline.rows.value;
  const { isAtEnd, toEnd, toRow, list: virtual } = scroll;

  const show = useCallback(() => {
    const ts = wanted.current;
    const current = timeline.rows.peek();
    const index = ts === null ? -1 : current.findIndex((row) => row.kind === "message" && row.message.ts === ts);
    const row = current[index];
    if (!row || !virtual.current) return;
    wanted.current = null;
    isAtEnd.value = false;
    toRow(index, "center");
    list.active.value = row.key;
    list.flashing.value = row.key;
    setTimeout(() => {
      if (list.flashing.peek() === row.key) list.flashing.value = null;
    }, FLASH_MS);
  }, [timeline, list, virtual, isAtEnd, toRow]);

  useEffect(() => {
    if (at === null) return;
    let isCurrent = true;
    const arrived = (isThere: boolean) => {
      if (!isCurrent) return;
      isPlaced.current = true;
      if (!isThere) return screen.toast("That message is not here any more.");
      wanted.current = at;
      show();
    };
    timeline.jumpTo(at).then(arrived, (error: unknown) => isCurrent && screen.fail(error));
    return () => {
      isCurrent = false;
    };
  }, [timeline, at, screen, show]);

  useEffect(() => {
    if (wanted.current !== null) return show();
    if (isPlaced.current || rows.length === 0 || at !== null) return;
    isPlaced.current = true;
    const unread = rows.findIndex((row) => row.kind === "unread");
    if (unread < 0) return toEnd();
    isAtEnd.value = false;
    toRow(unread, "start");
  }, [rows, at, show, toEnd, toRow, isAtEnd]);
}
