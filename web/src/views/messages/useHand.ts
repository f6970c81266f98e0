/** Whether it is somebody who scrolls, and not the list by itself. */
import type { RefObject } from "preact";
import { useCallback, useEffect, useRef } from "preact/hooks";

/** Who turned the wheel so lately scrolls; the list does not. */
const HAND_MS = 400;
const KINDS = ["wheel", "touchmove", "pointerdown", "keydown"] as const;

/** `isThere`: the element is. Listeners are passive: scrolling never waits for them. */
export function useHand(scroller: RefObject<HTMLElement>, isThere: boolean): () => boolean {
  const at = useRef(0);
  useEffect(() => {
    const element = scroller.current;
    if (!isThere || !element) return;
    const note = () => {
      at.current = Date.now();
    };
    for (const kind of KINDS) element.addEventListener(kind, note, { passive: true });
    return () => {
      for (const kind of KINDS) element.removeEventListener(kind, note);
    };
  }, [scroller, isThere]);
  return useCallback(() => Date.now() - at.current <= HAND_MS, []);
}
