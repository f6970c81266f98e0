/** A pane at the left or the right whose width one may set, with the pointer or with arrows; kept in this browser. */
import type { ComponentChildren, RefObject } from "preact";
import { useRef, useState } from "preact/hooks";
import { classes } from "./classes";
import css from "./ResizablePane.module.css";
import { isNumber, readStored, writeStored } from "./stored";

interface ResizablePaneProps {
  /** Under which the width is kept. */
  readonly name: string;
  /** At which side of the window it stands: its handle is at the other. */
  readonly side: "left" | "right";
  /** Names the part of the page that it is. */
  readonly landmark: string;
  /** Names its handle. */
  readonly label: string;
  /** One of the stops of F6. */
  readonly isRegion?: boolean;
  readonly initial: number;
  readonly least: number;
  readonly most: number;
  readonly class?: string | undefined;
  readonly elementRef?: RefObject<HTMLElement>;
  readonly children: ComponentChildren;
}

const STEP = 16;

export function ResizablePane({
  name,
  side,
  landmark,
  label,
  isRegion,
  initial,
  least,
  most,
  elementRef,
  children,
  ...rest
}: ResizablePaneProps) {
  const limit = (width: number) => Math.round(Math.max(least, Math.min(most, width)));
  const [width, setWidth] = useState(() => limit(readStored(`width.${name}`, initial, isNumber)));
  const from = useRef<{ x: number; width: number } | null>(null);
  const outward = side === "left" ? 1 : -1;
  const set = (next: number) => {
    setWidth(limit(next));
    writeStored(`width.${name}`, limit(next));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === "ArrowRight" ? STEP : event.key === "ArrowLeft" ? -STEP : 0;
    if (step === 0) return;
    event.preventDefault();
    set(width + step * outward);
  };
  return (
    <section
      {...(elementRef && { ref: elementRef })}
      aria-label={landmark}
      {...(isRegion && { "data-region": true, tabIndex: -1 })}
      class={classes(css.pane, rest.class)}
      style={{ "--pane-width": `${width}px` }}
    >
      {children}
      {/* biome-ignore lint/a11y/useSemanticElements: a separator with a value is a widget, which <hr> is not */}
      <div
        role="separator"
        aria-orientation="vertical"
        aria-label={label}
        aria-valuenow={width}
        aria-valuemin={least}
        aria-valuemax={most}
        tabIndex={0}
        class={classes(css.handle, css[side])}
        onKeyDown={onKeyDown}
        onDblClick={() => set(initial)}
        onPointerDown={(event) => {
          event.preventDefault();
          event.currentTarget.setPointerCapture(event.pointerId);
          from.current = { x: event.clientX, width };
        }}
        onPointerMove={(event) => {
          const start = from.current;
          if (start) setWidth(limit(start.width + (event.clientX - start.x) * outward));
        }}
        onPointerUp={() => {
          from.current = null;
          set(width);
        }}
        onPointerCancel={() => {
          from.current = null;
        }}
      />
    </section>
  );
}
