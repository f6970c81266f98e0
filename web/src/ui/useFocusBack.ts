/** The focus goes back to where it was, when what took it is closed by a key. */
import type { RefObject } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";

interface Origin {
  readonly element: HTMLElement | null;
  /** What it stands in, should it be gone itself: the bar of a message goes with the focus, the message stays. */
  readonly row: HTMLElement | null;
}

/**
 * Notes what has the focus when `place` is first drawn, and gives it back at the end if it is in there still.
 *
 * Who closes it with the pointer has no use for that: a letter that is typed next is meant for the message one writes.
 */
export function useFocusBack(place: RefObject<HTMLElement>): void {
  const [origin] = useState(originNow);
  useLayoutEffect(
    () => () => {
      const now = document.activeElement;
      if (!now?.matches(":focus-visible") || !place.current?.contains(now)) return;
      const field = () => document.querySelector<HTMLElement>("main [data-region-focus]");
      const target = [origin.element, origin.row].find((one) => one?.isConnected) ?? field();
      target?.focus({ preventScroll: true });
    },
    [origin, place],
  );
}

function originNow(): Origin {
  const element = document.activeElement;
  if (!(element instanceof HTMLElement) || element === document.body) return { element: null, row: null };
  const isByKeys = element.matches(":focus-visible");
  return { element, row: isByKeys ? element.closest<HTMLElement>("[data-row]") : null };
}
