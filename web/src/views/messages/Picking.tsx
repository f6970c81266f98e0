/** The picker of a reaction, beside the message it is for. */
import type { Row } from "../../core/contract";
import { useClient, useScreen } from "../../ui/context";
import { EmojiPopover } from "../emoji/EmojiPopover";
import { useList } from "./list";
import { rowId } from "./useFeedKeys";

export function Picking({ rows }: { readonly rows: readonly Row[] }) {
  const list = useList();
  const client = useClient();
  const screen = useScreen();
  const picking = list.picking.value;
  if (!picking) return null;
  const row = rows.find(({ key }) => key === picking.key);
  if (row?.kind !== "message") return null;
  const close = () => {
    list.picking.value = null;
    document.getElementById(rowId(list, picking.key))?.focus({ preventScroll: true });
  };
  return (
    <EmojiPopover
      anchor={picking.anchor}
      align="end"
      onClose={close}
      onPick={(name) => {
        close();
        client.react(row.message, name, true).catch(screen.fail);
      }}
    />
  );
}
