/** One tooltip for the whole page: it shows the `data-tooltip` of what the pointer rests on or the focus is at. */
import { useEffect, useRef, useState } from "preact/hooks";
import { place } from "./place";
import css from "./Tooltip.module.css";

const DELAY_MS = 350;

interface Shown {
  readonly target: HTMLElement;
  readonly text: string;
  readonly keys: string;
}

/** What of the page is under the event and has words to show. */
function found(event: Event): Shown | null {
  const target = (event.target as Element | null)?.closest?.<HTMLElement>("[data-tooltip]") ?? null;
  if (!target || target.getAttribute("aria-expanded") === "true") return null;
  return { target, text: target.dataset.tooltip ?? "", keys: target.dataset.tooltipKeys ?? "" };
}

export function TooltipLayer() {
  const [shown, setShown] = useState<Shown | null>(null);
  const panel = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let timer: number | undefined;
    const hide = () => {
      window.clearTimeout(timer);
      setShown(null);
    };
    const over = (event: PointerEvent) => {
      if (event.pointerType === "touch") return;
      const next = found(event);
      window.clearTimeout(timer);
      if (next) timer = window.setTimeout(() => setShown(next), DELAY_MS);
      else setShown(null);
    };
    const focused = (event: FocusEvent) => {
      // Only for who goes by keys: a press focuses too.
      if ((event.target as Element).matches?.(":focus-visible")) setShown(found(event));
    };
    const keyed = (event: KeyboardEvent) => event.key === "Escape" && hide();
    document.addEventListener("pointerover", over);
    document.addEventListener("pointerdown", hide, true);
    document.addEventListener("focusin", focused);
    document.addEventListener("focusout", hide);
    document.addEventListener("keydown", keyed, true);
    document.addEventListener("scroll", hide, true);
    return () => {
      hide();
      document.removeEventListener("pointerover", over);
      document.removeEventListener("pointerdown", hide, true);
      document.removeEventListener("focusin", focused);
      document.removeEventListener("focusout", hide);
      document.removeEventListener("keydown", keyed, true);
      document.removeEventListener("scroll", hide, true);
    };
  }, []);
  useEffect(() => {
    const element = panel.current;
    if (!element || !shown?.text || !shown.target.isConnected) return;
    element.showPopover?.();
    const view = { width: document.documentElement.clientWidth, height: document.documentElement.clientHeight };
    const size = { width: element.offsetWidth, height: element.offsetHeight };
    const { left, top } = place(shown.target.getBoundingClientRect(), size, view, "above", "center", 6);
    element.style.left = `${left}px`;
    element.style.top = `${top}px`;
    return () => element.hidePopover?.();
  }, [shown]);
  return (
    <div ref={panel} popover="manual" aria-hidden="true" class={css.tooltip}>
      {shown?.text}
      {shown?.keys && <kbd class={css.keys}>{shown.keys}</kbd>}
    </div>
  );
}
