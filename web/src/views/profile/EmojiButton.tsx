/** The emoji of a status: shows it, and lets one choose another. */
import { SmilePlus } from "lucide-preact";
import { useState } from "preact/hooks";
import { EmojiView } from "../../text/EmojiView";
import { EmojiPopover } from "../emoji/EmojiPopover";
import css from "./StatusDialog.module.css";

interface EmojiButtonProps {
  readonly name: string;
  readonly onChoose: (name: string) => void;
}

export function EmojiButton({ name, onChoose }: EmojiButtonProps) {
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  return (
    <>
      <button
        type="button"
        aria-label={name ? `Emoji: ${name}. Choose another` : "Choose an emoji"}
        aria-haspopup="dialog"
        aria-expanded={anchor !== null}
        class={css.emojiButton}
        onClick={(event) => setAnchor(anchor ? null : event.currentTarget)}
      >
        {name ? <EmojiView name={name} isDecoration /> : <SmilePlus size={18} aria-hidden="true" />}
      </button>
      {anchor && (
        <EmojiPopover
          anchor={anchor}
          onClose={() => setAnchor(null)}
          onPick={(chosen) => {
            onChoose(chosen);
            setAnchor(null);
          }}
        />
      )}
    </>
  );
}
