/** A panel in the browser's top layer beside what opened it. Escape and a press elsewhere close it, and the focus returns. */
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { classes } from "./classes";
import css from "./Popover.module.css";
import { type Align, type Box, place, type Side } from "./place";

interface PopoverProps {
  /** What it stands beside, and what gets the focus back; or a place on the screen. */
  readonly anchor: HTMLElement | Box;
  readonly onClose: () => void;
  readonly side?: Side;
  readonly align?: Align;
  readonly label?: string;
  readonly role?: "dialog" | "menu" | "listbox";
  readonly class?: string | undefined;
  /** Leave the focus where it is: for lists that a text field drives. */
  readonly keepsFocus?: boolean;
  readonly children: ComponentChildren;
}

const boxOf = (anchor: HTMLElement | Box): Box =>
  anchor instanceof HTMLElement ? anchor.getBoundingClientRect() : anchor;

export function Popover(props: PopoverProps) {
  const { anchor, onClose, side, align, label, role = "dialog", keepsFocus = false, children } = props;
  const panel = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = panel.current;
    if (!element) return;
    element.showPopover?.();
    const settle = () => {
      const view = { width: document.documentElement.clientWidth, height: document.documentElement.clientHeight };
      const size = { width: element.offsetWidth, height: element.offsetHeight };
      const { left, top } = place(boxOf(anchor), size, view, side, align);
      element.style.left = `${left}px`;
      element.style.top = `${top}px`;
    };
    settle();
    const observer = new ResizeObserver(settle);
    observer.observe(element);
    window.addEventListener("resize", settle);
    return () => {
      observer.disconnect();
      window.removeEventListener("resize", settle);
    };
  }, [anchor, side, align]);
  useClosing(panel, anchor, onClose);
  useFocusWithin(panel, anchor, keepsFocus);
  return (
    // biome-ignore lint/a11y/useAriaPropsSupportedByRole: each of its roles is named by a label
    <div
      ref={panel}
      popover="manual"
      role={role}
      aria-label={label}
      tabIndex={-1}
      class={classes(css.panel, props.class)}
    >
      {children}
    </div>
  );
}

function useClosing(panel: { current: HTMLElement | null }, anchor: HTMLElement | Box, onClose: () => void) {
  const close = useRef(onClose);
  close.current = onClose;
  useEffect(() => {
    const pressed = (event: PointerEvent) => {
      const target = event.target as Node;
      if (panel.current?.contains(target)) return;
      // A press on what opened it is that button's to answer, or it would close here and open there.
      if (anchor instanceof HTMLElement && anchor.contains(target)) return;
      close.current();
    };
    const typed = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      close.current();
    };
    document.addEventListener("pointerdown", pressed, true);
    document.addEventListener("keydown", typed, true);
    return () => {
      document.removeEventListener("pointerdown", pressed, true);
      document.removeEventListener("keydown", typed, true);
    };
  }, [panel, anchor]);
}

function useFocusWithin(panel: { current: HTMLElement | null }, anchor: HTMLElement | Box, keepsFocus: boolean) {
  useLayoutEffect(() => {
    if (keepsFocus) return;
    const before = document.activeElement;
    const element = panel.current;
    if (element && !element.contains(before)) {
      (element.querySelector<HTMLElement>("[data-autofocus]") ?? element).focus({ preventScroll: true });
    }
    return () => {
      const isWithin = element?.contains(document.activeElement) || document.activeElement === document.body;
      const back = anchor instanceof HTMLElement ? anchor : before;
      if (isWithin && back instanceof HTMLElement && back.isConnected) back.focus({ preventScroll: true });
    };
  }, [panel, anchor, keepsFocus]);
}
