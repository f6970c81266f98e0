/** The head of what stands beside the main part: a thread, details. */
import { ArrowLeft, X } from "lucide-preact";
import type { ComponentChildren } from "preact";
import { IconButton } from "./Button";
import css from "./PaneHeader.module.css";
import { NARROW, useMedia } from "./platform";

interface PaneHeaderProps {
  readonly title: ComponentChildren;
  readonly subtitle?: ComponentChildren;
  readonly actions?: ComponentChildren;
  readonly onClose: () => void;
}

export function PaneHeader({ title, subtitle, actions, onClose }: PaneHeaderProps) {
  const isNarrow = useMedia(NARROW);
  return (
    <header class={css.header}>
      {isNarrow && <IconButton icon={ArrowLeft} label="Back" onClick={onClose} />}
      <div class={css.words}>
        <h2 class={css.title}>{title}</h2>
        {subtitle && <p class={css.subtitle}>{subtitle}</p>}
      </div>
      {actions}
      {!isNarrow && <IconButton icon={X} label="Close" keys="Esc" onClick={onClose} />}
    </header>
  );
}
