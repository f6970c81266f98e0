/** Buttons for what the marks do, for who does not know them by heart. */
import {
  Bold,
  Code,
  Italic,
  Link,
  List,
  ListOrdered,
  type LucideIcon,
  Quote,
  SquareCode,
  Strikethrough,
} from "lucide-preact";
import { IconButton } from "../../ui/Button";
import { keysHere } from "../../ui/platform";
import css from "./Composer.module.css";
import type { Format } from "./format";
import type { ComposerText } from "./text";

const BUTTONS: readonly (readonly [Format, string, string, LucideIcon] | null)[] = [
  ["bold", "Bold", "Mod+B", Bold],
  ["italic", "Italic", "Mod+I", Italic],
  ["strike", "Struck through", "Mod+Shift+X", Strikethrough],
  null,
  ["link", "Link", "Mod+Shift+U", Link],
  ["ordered", "Numbered list", "Mod+Shift+7", ListOrdered],
  ["list", "List", "Mod+Shift+8", List],
  ["quote", "Quote", "Mod+Shift+9", Quote],
  null,
  ["code", "Code", "Mod+Shift+C", Code],
  ["block", "Block of code", "", SquareCode],
];

export const FormatBar = ({ text }: { readonly text: ComposerText }) => (
  <div role="toolbar" aria-label="Formatting" class={css.formats}>
    {BUTTONS.map((button, index) => {
      if (!button) return <span key={index} class={css.gap} aria-hidden="true" />;
      const [format, label, keys, icon] = button;
      return (
        <IconButton
          key={format}
          size="s"
          icon={icon}
          label={label}
          keys={keysHere(keys)}
          // The selection is in the text: pressing must leave it there.
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => text.format(format)}
        />
      );
    })}
  </div>
);
