/** Tabs: arrows move between them, the panel below belongs to the one that is chosen. */
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { classes } from "./classes";
import { moved } from "./roving";
import css from "./Tabs.module.css";

export interface Tab<Name extends string> {
  readonly name: Name;
  readonly label: string;
  readonly count?: number | null;
}

interface TabsProps<Name extends string> {
  readonly label: string;
  readonly tabs: readonly Tab<Name>[];
  readonly chosen: Name;
  readonly onChoose: (name: Name) => void;
  readonly class?: string | undefined;
  readonly children: ComponentChildren;
}

export function Tabs<Name extends string>({ label, tabs, chosen, onChoose, children, ...rest }: TabsProps<Name>) {
  const id = useId();
  const onKeyDown = (event: KeyboardEvent) => {
    const at = tabs.findIndex((tab) => tab.name === chosen);
    const next = tabs[moved(event.key, at, tabs.length, "horizontal") ?? -1];
    if (!next) return;
    event.preventDefault();
    onChoose(next.name);
    document.getElementById(`${id}-${next.name}`)?.focus();
  };
  return (
    <>
      <div role="tablist" aria-label={label} class={classes(css.tabs, rest.class)} onKeyDown={onKeyDown}>
        {tabs.map((tab) => (
          <button
            key={tab.name}
            type="button"
            role="tab"
            id={`${id}-${tab.name}`}
            aria-selected={tab.name === chosen}
            aria-controls={`${id}-panel`}
            tabIndex={tab.name === chosen ? 0 : -1}
            class={css.tab}
            onClick={() => onChoose(tab.name)}
          >
            {tab.label}
            {tab.count != null && <span class={css.count}>{tab.count.toLocaleString("en")}</span>}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${chosen}`} class={css.panel}>
        {children}
      </div>
    </>
  );
}
