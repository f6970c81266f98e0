/** Going to the message that the address names. */
import { useCallback, useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { Timeline, Ts } from "../../core/contract";
import { useNavigation, useScreen } from "../../ui/context";
import type { ListState } from "./list";
import { useFocusSoon } from "./useFeedKeys";
import type { Scroll } from "./useScroll";

const FLASH_MS = 2200;

export function useJump(timeline: Timeline, scroll: Scroll, list: ListState, at: Ts | null): void {
  const screen = useScreen();
  const navigation = useNavigation();
  const focusSoon = useFocusSoon(list);
  const wanted = useRef<Ts | null>(null);
  const rows = timeline.rows.value;
  const { toRow } = scroll;

  const show = useCallback(() => {
    const ts = wanted.current;
    const current = timeline.rows.peek();
    const index = ts === null ? -1 : current.findIndex((row) => row.kind === "message" && row.message.ts === ts);
    const row = current[index];
    if (!row) return;
    wanted.current = null;
    toRow(row.key, "center");
    list.active.value = row.key;
    list.flashing.value = row.key;
    if (navigation.isByKey()) focusSoon(row.key);
    setTimeout(() => {
      if (list.flashing.peek() === row.key) list.flashing.value = null;
    }, FLASH_MS);
  }, [timeline, list, toRow, navigation, focusSoon]);

  useEffect(() => {
    if (at === null) return;
    let isCurrent = true;
    const arrived = (isThere: boolean) => {
      if (!isCurrent) return;
      if (!isThere) return screen.toast("That message is not here any more.");
      wanted.current = at;
      show();
    };
    timeline.jumpTo(at).then(arrived, (error: unknown) => isCurrent && screen.fail(error));
    return () => {
      isCurrent = false;
    };
  }, [timeline, at, screen, show]);

  useLayoutEffect(() => {
    if (wanted.current !== null && rows.length > 0) show();
  }, [rows, show]);
}
