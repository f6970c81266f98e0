/** An emoji by its name: a character, a picture of the workspace's own, or the name itself when there is no such. */
import { useEffect, useState } from "preact/hooks";
import { useClient } from "../ui/context";
import css from "./EmojiView.module.css";
import { emojiTable, loadEmojiTable, resolveEmoji } from "./emoji/table";
import { splitTone, withTone } from "./emoji/tone";
import { safePicture } from "./links";

interface EmojiViewProps {
  /** Without colons; a reaction's may end in "::skin-tone-3". */
  readonly name: string;
  readonly tone?: number;
  readonly isLarge?: boolean;
  /** It stands beside words that say the same: silent. */
  readonly isDecoration?: boolean;
}

export function EmojiView({ name: given, tone = 0, isLarge, isDecoration }: EmojiViewProps) {
  const { name, tone: own } = splitTone(given);
  const custom = useClient().emoji.value;
  const found = resolveEmoji(custom, name);
  const [broken, setBroken] = useState("");
  useEffect(() => {
    // Not one of the few: the table is needed. When it does not come, names are shown, which is readable.
    if (found === undefined && emojiTable.value === null) loadEmojiTable().catch(() => undefined);
  }, [found]);
  const words = `:${given}:`;
  const label = isDecoration ? { "aria-hidden": true } : { role: "img" as const, "aria-label": spoken(name) };
  if (found && "unicode" in found) {
    return (
      <span {...label} class={isLarge ? css.large : css.emoji} title={isDecoration ? undefined : words}>
        {withTone(found.unicode, tone || own)}
      </span>
    );
  }
  const picture = found && safePicture(found.picture);
  if (!picture || picture === broken) return <span>{words}</span>;
  return (
    <img
      src={picture}
      alt={isDecoration ? "" : words}
      title={isDecoration ? undefined : words}
      class={isLarge ? css.largePicture : css.picture}
      loading="lazy"
      draggable={false}
      onError={() => setBroken(picture)}
    />
  );
}

const spoken = (name: string): string => name.replace(/[_-]+/g, " ");
