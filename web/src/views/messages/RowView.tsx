/** One row of a list: a message, or what stands between messages. */
import { useComputed } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { memo } from "preact/compat";
import type { Row } from "../../core/contract";
import { classes } from "../../ui/classes";
import { dayName } from "../../ui/time";
import { type ListState, useList } from "./list";
import { MessageRow } from "./MessageRow";
import css from "./RowView.module.css";

interface RowViewProps {
  readonly row: Row;
  /** Set where it is out of sight and kept all the same: how far below the first row it stands. */
  readonly top: number | null;
  readonly isLast: boolean;
  readonly beginning: ComponentChildren;
}

export const RowView = memo(({ row, top, isLast, beginning }: RowViewProps) => (
  <div
    class={classes(isLast && css.last, top !== null && css.kept)}
    data-kept={top === null ? undefined : ""}
    style={top === null ? undefined : { top: `${top}px` }}
  >
    {draw(row, beginning)}
  </div>
));

function draw(row: Row, beginning: ComponentChildren) {
  switch (row.kind) {
    case "message":
      return <Stop row={row} />;
    case "day":
      return <Day at={row.at} />;
    case "unread":
      return (
        <div class={css.unread}>
          <span class={css.new}>New</span>
        </div>
      );
    case "beginning":
      return <>{beginning}</>;
  }
}

/** What a row is besides its message, as one number: only the rows for which it changes are drawn again. */
const ACTIVE = 1;
const BAR = 2;
const EDITING = 4;
const FLASHING = 8;

function stateOf(list: ListState, key: string): number {
  const isActive = list.active.value === key;
  const hasBar = list.near.value === key || list.picking.value?.key === key || (isActive && list.hasFocus.value);
  return (
    (isActive ? ACTIVE : 0) |
    (hasBar ? BAR : 0) |
    (list.editing.value === key ? EDITING : 0) |
    (list.flashing.value === key ? FLASHING : 0)
  );
}

function Stop({ row }: { readonly row: Extract<Row, { kind: "message" }> }) {
  const list = useList();
  const { key } = row;
  const state = useComputed(() => stateOf(list, key)).value;
  return (
    <MessageRow
      message={row.message}
      isContinued={row.isContinued}
      isActive={(state & ACTIVE) !== 0}
      hasBar={(state & BAR) !== 0}
      isEditing={(state & EDITING) !== 0}
      isFlashing={(state & FLASHING) !== 0}
    />
  );
}

/** No heading: a feed has articles in it, and nothing else that has a role (WAI-ARIA). */
const Day = ({ at }: { readonly at: number }) => (
  <div class={css.day}>
    <span class={css.dayName}>{dayName(at, Date.now())}</span>
  </div>
);
