/** A section of the sidebar: a heading that folds it, and its conversations. */
import { ChevronDown, Plus } from "lucide-preact";
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import type { Id } from "../../core/contract";
import { IconButton } from "../../ui/Button";
import { classes } from "../../ui/classes";
import { ConversationRow } from "./ConversationRow";
import css from "./SectionView.module.css";
import { keptOfFolded, type Section, type SectionName } from "./sections";

const TITLES: Record<SectionName, string> = { starred: "Starred", channels: "Channels", direct: "Direct messages" };

interface SectionViewProps {
  readonly section: Section;
  readonly current: Id | null;
  readonly isFolded: boolean;
  readonly onFold: () => void;
  readonly onAdd?: { readonly label: string; readonly run: () => void } | undefined;
  /** After the rows. */
  readonly children?: ComponentChildren;
}

export function SectionView({ section, current, isFolded, onFold, onAdd, children }: SectionViewProps) {
  const id = useId();
  const shown = isFolded ? keptOfFolded(section, current) : section.conversations;
  return (
    <section class={css.section} aria-labelledby={id}>
      <div class={css.head}>
        <h2 id={id} class={css.title}>
          <button type="button" data-row aria-expanded={!isFolded} class={css.fold} onClick={onFold}>
            <ChevronDown size={14} aria-hidden="true" class={classes(css.chevron, isFolded && css.turned)} />
            {TITLES[section.name]}
          </button>
        </h2>
        {onAdd && <IconButton size="s" icon={Plus} label={onAdd.label} class={css.add} onClick={onAdd.run} />}
      </div>
      <ul>
        {shown.map((conversation) => (
          <ConversationRow key={conversation.id} conversation={conversation} isCurrent={conversation.id === current} />
        ))}
      </ul>
      {!isFolded && children}
    </section>
  );
}
