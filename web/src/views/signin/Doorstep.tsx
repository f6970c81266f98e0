/** The frame of the pages before the workspace: the mark, a heading, a card. */
import type { ComponentChildren } from "preact";
import { classes } from "../../ui/classes";
import { Mark } from "../../ui/Mark";
import css from "./Doorstep.module.css";

interface DoorstepProps {
  readonly title: string;
  readonly lead?: ComponentChildren;
  readonly isWide?: boolean;
  readonly children: ComponentChildren;
}

export const Doorstep = ({ title, lead, isWide, children }: DoorstepProps) => (
  <main class={css.page}>
    <div class={classes(css.column, isWide && css.wide)}>
      <header class={css.head}>
        <Mark size={44} />
        <h1 class={css.title}>{title}</h1>
        {lead && <p class={css.lead}>{lead}</p>}
      </header>
      {children}
    </div>
  </main>
);
