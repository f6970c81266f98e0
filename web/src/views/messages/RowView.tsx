/** One row of a list: a message, or what stands between messages. */
import { useComputed } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { memo } from "preact/compat";
import type { Row } from "../../core/contract";
import { classes } from "../../ui/classes";
import { dayName } from "../../ui/time";
import { useList } from "./list";
import { MessageRow } from "./MessageRow";
import css from "./RowView.module.css";

interface RowViewProps {
  readonly row: Row;
  readonly isLast: boolean;
  readonly beginning: ComponentChildren;
}

export const RowView = memo(({ row, isLast, beginning }: RowViewProps) => (
  <div class={classes(isLast && css.last)}>{draw(row, beginning)}</div>
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

/** Only the rows whose state changes are drawn again when the focus moves. */
function Stop({ row }: { readonly row: Extract<Row, { kind: "message" }> }) {
  const list = useList();
  const { key } = row;
  const isActive = useComputed(() => list.active.value === key);
  const hasBar = useComputed(
    () =>
      list.near.value === key || list.picking.value?.key === key || (list.hasFocus.value && list.active.value === key),
  );
  const isEditing = useComputed(() => list.editing.value === key);
  const isFlashing = useComputed(() => list.flashing.value === key);
  return (
    <MessageRow
      message={row.message}
      isContinued={row.isContinued}
      isActive={isActive.value}
      hasBar={hasBar.value}
      isEditing={isEditing.value}
      isFlashing={isFlashing.value}
    />
  );
}

const Day = ({ at }: { readonly at: number }) => (
  <h3 class={css.day}>
    <span class={css.dayName}>{dayName(at, Date.now())}</span>
  </h3>
);
