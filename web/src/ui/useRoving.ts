/** One stop for Tab in a list of many; arrows move within. The list's items are found in the page, so they may nest. */
import type { RefObject } from "preact";
import { useEffect } from "preact/hooks";
import { type Axis, moved } from "./roving";

/** `selector` finds the items within `list`, in order. Items are made focusable here: give them no tabIndex. */
export function useRoving(list: RefObject<HTMLElement>, selector: string, axis: Axis = "vertical"): void {
  // After every drawing: items come and go, and one of them must stay the stop.
  useEffect(() => {
    const items = itemsOf(list.current, selector);
    const stop =
      items.find((item) => item === document.activeElement) ??
      items.find((item) => item.getAttribute("aria-current") === "page") ??
      items.find((item) => item.tabIndex === 0) ??
      items[0];
    for (const item of items) item.tabIndex = item === stop ? 0 : -1;
  });
  useEffect(() => {
    const element = list.current;
    if (!element) return;
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented) return;
      const items = itemsOf(element, selector);
      const at = items.indexOf(document.activeElement as HTMLElement);
      if (at < 0) return;
      const next = moved(event.key, at, items.length, axis, false);
      if (next === null) return;
      event.preventDefault();
      items[next]?.focus();
    };
    const onFocus = (event: FocusEvent) => {
      const items = itemsOf(element, selector);
      if (!items.includes(event.target as HTMLElement)) return;
      for (const item of items) item.tabIndex = item === event.target ? 0 : -1;
    };
    element.addEventListener("keydown", onKeyDown);
    element.addEventListener("focusin", onFocus);
    return () => {
      element.removeEventListener("keydown", onKeyDown);
      element.removeEventListener("focusin", onFocus);
    };
  }, [list, selector, axis]);
}

const itemsOf = (list: HTMLElement | null, selector: string): HTMLElement[] =>
  list ? [...list.querySelectorAll<HTMLElement>(selector)] : [];
