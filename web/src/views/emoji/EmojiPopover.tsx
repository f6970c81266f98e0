/** The emoji picker beside a button. Its code and the table of emoji come when it is first opened. */
import { lazy } from "../../ui/lazy";
import { Popover } from "../../ui/Popover";
import type { Align, Side } from "../../ui/place";
import css from "./EmojiPopover.module.css";

const EmojiPicker = lazy(
  () => import("./EmojiPicker").then((module) => module.EmojiPicker),
  () => <div class={css.waiting} role="status" aria-label="Loading emoji" />,
);

interface EmojiPopoverProps {
  readonly anchor: HTMLElement;
  readonly side?: Side;
  readonly align?: Align;
  readonly onClose: () => void;
  /** By name, with its tone: "wave::skin-tone-3"; and as it is, "" for a picture of the workspace. */
  readonly onPick: (name: string, unicode: string) => void;
}

export const EmojiPopover = ({ anchor, side = "above", align = "start", onClose, onPick }: EmojiPopoverProps) => (
  <Popover anchor={anchor} side={side} align={align} label="Emoji" onClose={onClose} class={css.panel}>
    <EmojiPicker onPick={onPick} />
  </Popover>
);
