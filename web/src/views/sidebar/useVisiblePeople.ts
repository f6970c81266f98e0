/** Presence is asked for of those people only whose row is on screen: rows are found by `data-watch`. */
import type { RefObject } from "preact";
import { useEffect } from "preact/hooks";
import type { Id } from "../../core/contract";
import { useClient } from "../../ui/context";

/** Scrolling through is not looking: how long a row must rest before it is asked for. */
const SETTLE_MS = 150;

/** `rowsKey` names the rows that are there: when it changes, they are looked up again. */
export function useVisiblePeople(list: RefObject<HTMLElement>, rowsKey: string): void {
  const client = useClient();
  // biome-ignore lint/correctness/useExhaustiveDependencies: rowsKey stands for the rows, which are found in the page
  useEffect(() => {
    const root = list.current;
    if (!root || typeof IntersectionObserver === "undefined") return;
    const visible = new Set<Id>();
    let stop: (() => void) | undefined;
    let timer: number | undefined;
    const settle = () => {
      const before = stop;
      stop = client.watchPresence([...visible]);
      before?.(); // after the new ones: who stays is not let go in between
    };
    const observer = new IntersectionObserver(
      (entries) => {
        for (const { target, isIntersecting } of entries) {
          const id = (target as HTMLElement).dataset.watch ?? "";
          if (isIntersecting) visible.add(id);
          else visible.delete(id);
        }
        window.clearTimeout(timer);
        timer = window.setTimeout(settle, SETTLE_MS);
      },
      { root },
    );
    for (const row of root.querySelectorAll("[data-watch]")) observer.observe(row);
    return () => {
      observer.disconnect();
      window.clearTimeout(timer);
      stop?.();
    };
  }, [client, list, rowsKey]);
}
