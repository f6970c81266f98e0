/** The rows of a list that are drawn, and room for the others above and below them. */
import type { ComponentChildren, RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Row } from "../../core/contract";
import css from "./MessageList.module.css";
import { RowView } from "./RowView";
import type { Standing } from "./standing";

interface DrawnRowsProps {
  readonly standing: Standing;
  readonly scroller: RefObject<HTMLDivElement>;
  readonly drawn: RefObject<HTMLDivElement>;
  readonly rows: readonly Row[];
  /** The row that has the focus stays in the document, wherever it is. */
  readonly kept: string | null;
  readonly beginning: ComponentChildren;
}

export function DrawnRows({ standing, scroller, drawn, rows, kept, beginning }: DrawnRowsProps) {
  void standing.version.value; // drawn again when others come into sight
  const { range, before, after } = standing.draw(rows);
  const places = useRef({ rows: [] as readonly Row[], kept: null as string | null, at: -1 });
  if (places.current.rows !== rows || places.current.kept !== kept)
    places.current = { rows, kept, at: kept === null ? -1 : rows.findIndex((row) => row.key === kept) };
  const keptAt = places.current.at;
  useLayoutEffect(() => standing.settle(scroller.current, drawn.current));
  const draw = (index: number, top: number | null) => {
    const row = rows[index];
    return (
      row && (
        <RowView
          key={row.key}
          row={row}
          top={top}
          isLast={index === rows.length - 1}
          beginning={row.kind === "beginning" ? beginning : null}
        />
      )
    );
  };
  const shown: ComponentChildren[] = [];
  if (keptAt >= 0 && keptAt < range.start) shown.push(draw(keptAt, standing.top(keptAt)));
  for (let index = range.start; index < range.end; index++) shown.push(draw(index, null));
  if (keptAt >= range.end) shown.push(draw(keptAt, standing.top(keptAt)));
  return (
    <div class={css.rows}>
      <div style={{ height: `${before}px` }} />
      <div ref={drawn}>{shown}</div>
      <div style={{ height: `${after}px` }} />
    </div>
  );
}
