/** Says that something unread is out of sight, above or below, and leads there. */
import { ArrowDown, ArrowUp } from "lucide-preact";
import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";
import { classes } from "../../ui/classes";
import type { Section } from "./sections";
import css from "./UnreadPills.module.css";

interface UnreadPillsProps {
  readonly scroller: RefObject<HTMLElement>;
  readonly sections: readonly Section[];
}

export function UnreadPills({ scroller, sections }: UnreadPillsProps) {
  const [out, setOut] = useState({ above: 0, below: 0 });
  // biome-ignore lint/correctness/useExhaustiveDependencies: when sections change, rows move
  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const look = () => {
      const view = element.getBoundingClientRect();
      let [above, below] = [0, 0];
      for (const row of element.querySelectorAll("[data-unread]")) {
        const { top, bottom } = row.getBoundingClientRect();
        if (bottom < view.top + 8) above += 1;
        if (top > view.bottom - 8) below += 1;
      }
      setOut((old) => (old.above === above && old.below === below ? old : { above, below }));
    };
    look();
    element.addEventListener("scroll", look, { passive: true });
    window.addEventListener("resize", look);
    return () => {
      element.removeEventListener("scroll", look);
      window.removeEventListener("resize", look);
    };
  }, [scroller, sections]);
  const go = (isAbove: boolean) => {
    const rows = [...(scroller.current?.querySelectorAll("[data-unread]") ?? [])];
    const view = scroller.current?.getBoundingClientRect();
    if (!view) return;
    const row = isAbove
      ? rows.findLast((one) => one.getBoundingClientRect().bottom < view.top + 8)
      : rows.find((one) => one.getBoundingClientRect().top > view.bottom - 8);
    row?.scrollIntoView({ block: "center", behavior: "smooth" });
  };
  // For the pointer: who goes by keys or ears has every row, and Alt+Shift+Down.
  return (
    <>
      {out.above > 0 && (
        <button
          type="button"
          tabIndex={-1}
          aria-hidden="true"
          class={classes(css.pill, css.above)}
          onClick={() => go(true)}
        >
          <ArrowUp size={14} /> {out.above} unread
        </button>
      )}
      {out.below > 0 && (
        <button
          type="button"
          tabIndex={-1}
          aria-hidden="true"
          class={classes(css.pill, css.below)}
          onClick={() => go(false)}
        >
          <ArrowDown size={14} /> {out.below} unread
        </button>
      )}
    </>
  );
}
