/** The rows of the picker: those in sight are drawn, the others keep their height. */
import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";
import { EmojiView } from "../../text/EmojiView";
import { withTone } from "../../text/emoji/tone";
import { classes } from "../../ui/classes";
import css from "./EmojiPicker.module.css";
import type { Cell, GridRow } from "./grid";

export const ROW_PX = 36;
const AHEAD_ROWS = 4;

interface EmojiGridProps {
  readonly id: string;
  readonly rows: readonly GridRow[];
  readonly elementRef: RefObject<HTMLDivElement>;
  readonly active: number;
  readonly tone: number;
  readonly isWaiting: boolean;
  readonly onActive: (index: number) => void;
  readonly onPick: (cell: Cell) => void;
}

export function EmojiGrid({ id, rows, elementRef, active, tone, isWaiting, onActive, onPick }: EmojiGridProps) {
  const [top, setTop] = useState(0);
  useEffect(() => {
    const at = rows.findIndex((row) => row.kind === "cells" && row.cells.some((cell) => cell.index === active));
    const element = elementRef.current;
    if (!element || at < 0) return;
    // The title of the first row comes into sight with it.
    const from = (rows[at - 1]?.kind === "title" ? at - 1 : at) * ROW_PX;
    if (from < element.scrollTop) element.scrollTop = from;
    else if ((at + 1) * ROW_PX > element.scrollTop + element.clientHeight)
      element.scrollTop = (at + 1) * ROW_PX - element.clientHeight;
  }, [active, rows, elementRef]);
  const first = Math.max(0, Math.floor(top / ROW_PX) - AHEAD_ROWS);
  const count = Math.ceil(300 / ROW_PX) + 2 * AHEAD_ROWS;
  return (
    <div
      ref={elementRef}
      id={id}
      role="listbox"
      aria-label="Emoji"
      class={css.grid}
      onScroll={(event) => setTop(event.currentTarget.scrollTop)}
    >
      {rows.length === 0 && <p class={css.nothing}>{isWaiting ? "" : "No emoji of that name."}</p>}
      <div style={{ height: `${rows.length * ROW_PX}px`, position: "relative" }}>
        {rows.slice(first, first + count).map((row, index) => (
          <Row
            key={first + index}
            id={id}
            row={row}
            top={(first + index) * ROW_PX}
            active={active}
            tone={tone}
            onActive={onActive}
            onPick={onPick}
          />
        ))}
      </div>
    </div>
  );
}

interface RowProps extends Pick<EmojiGridProps, "id" | "active" | "tone" | "onActive" | "onPick"> {
  readonly row: GridRow;
  readonly top: number;
}

function Row({ id, row, top, active, tone, onActive, onPick }: RowProps) {
  const style = { transform: `translateY(${top}px)` };
  if (row.kind === "title") {
    return (
      <div role="presentation" class={css.title} style={style}>
        {row.section.title}
      </div>
    );
  }
  return (
    <div role="presentation" class={css.row} style={style}>
      {row.cells.map((cell) => (
        // biome-ignore lint/a11y/useFocusableInteractive: as above
        // biome-ignore lint/a11y/useKeyWithClickEvents: the field hears the keys
        <span
          key={cell.index}
          id={`${id}-${cell.index}`}
          role="option"
          aria-label={cell.name.replace(/[_-]/g, " ")}
          aria-selected={cell.index === active}
          class={classes(css.cell, cell.index === active && css.active)}
          onPointerMove={() => onActive(cell.index)}
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => onPick(cell)}
        >
          {cell.unicode ? (
            withTone(cell.unicode, cell.hasTones ? tone : 0)
          ) : (
            <EmojiView name={cell.name} isDecoration />
          )}
        </span>
      ))}
    </div>
  );
}
