/** A menu: a button that opens it, or a place where it opens; arrows, letters, Home and End move, Escape and Tab close. */
import { Check, type LucideIcon } from "lucide-preact";
import type { ComponentChildren, VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { classes } from "./classes";
import css from "./Menu.module.css";
import { Popover } from "./Popover";
import type { Align, Box, Side } from "./place";
import { moved, typed } from "./roving";

export interface MenuAction {
  readonly label: string;
  readonly icon?: LucideIcon;
  /** At the right, quieter: keys, or a value. */
  readonly hint?: string;
  readonly isDangerous?: boolean;
  readonly isDisabled?: boolean;
  /** Makes it one of a choice, or a switch. */
  readonly isChecked?: boolean;
  readonly onSelect: () => void;
}

/** "-" is a line between groups. */
export type MenuItem = MenuAction | "-" | false | null | undefined;

interface MenuPanelProps {
  readonly anchor: HTMLElement | Box;
  readonly label: string;
  readonly items: readonly MenuItem[];
  readonly onClose: () => void;
  readonly side?: Side;
  readonly align?: Align;
  readonly header?: ComponentChildren;
}

export function MenuPanel({ anchor, label, items, onClose, side, align, header }: MenuPanelProps) {
  const list = useRef<HTMLDivElement>(null);
  const [before] = useState(() => (anchor instanceof HTMLElement ? anchor : document.activeElement));
  const choose = (action: MenuAction) => {
    // The focus is back first: what the action opens, a dialog say, gives it back to where it was found.
    if (before instanceof HTMLElement) before.focus({ preventScroll: true });
    onClose();
    action.onSelect();
  };
  useEffect(() => buttonsOf(list.current)[0]?.focus({ preventScroll: true }), []);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Tab") return onClose();
    const buttons = buttonsOf(list.current);
    const at = buttons.indexOf(document.activeElement as HTMLElement);
    const labels = buttons.map((button) => button.textContent ?? "");
    const next = moved(event.key, at, buttons.length) ?? typed(event.key, at, labels);
    if (next === null) return;
    event.preventDefault();
    event.stopPropagation();
    buttons[next]?.focus();
  };
  return (
    <Popover
      anchor={anchor}
      onClose={onClose}
      side={side ?? "below"}
      align={align ?? "start"}
      role="menu"
      label={label}
    >
      {header}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the panel around it is the menu; this hears its keys */}
      <div ref={list} role="presentation" class={css.items} onKeyDown={onKeyDown}>
        {items.map((item, index) => {
          if (!item) return null;
          if (item === "-") return <hr key={index} class={css.line} />;
          return <Item key={item.label} action={item} onChoose={choose} />;
        })}
      </div>
    </Popover>
  );
}

const buttonsOf = (list: HTMLElement | null): HTMLElement[] =>
  list ? [...list.querySelectorAll<HTMLElement>("button:not([aria-disabled=true])")] : [];

interface ItemProps {
  readonly action: MenuAction;
  readonly onChoose: (action: MenuAction) => void;
}

function Item({ action, onChoose }: ItemProps) {
  const { label, icon: Icon, hint, isDangerous, isDisabled, isChecked } = action;
  return (
    // biome-ignore lint/a11y/useAriaPropsSupportedByRole: aria-checked is there exactly when the role has it
    <button
      type="button"
      role={isChecked === undefined ? "menuitem" : "menuitemcheckbox"}
      aria-checked={isChecked}
      aria-disabled={isDisabled}
      tabIndex={-1}
      class={classes(css.item, isDangerous && css.dangerous)}
      onClick={() => !isDisabled && onChoose(action)}
      onPointerMove={(event) => event.currentTarget.focus({ preventScroll: true })}
    >
      {isChecked === undefined ? Icon && <Icon size={16} aria-hidden="true" /> : <Tick shown={isChecked} />}
      <span class={css.label}>{label}</span>
      {hint && <span class={css.hint}>{hint}</span>}
    </button>
  );
}

const Tick = ({ shown }: { readonly shown: boolean }) => (
  <Check size={16} aria-hidden="true" style={{ visibility: shown ? "visible" : "hidden" }} />
);

export interface TriggerProps {
  readonly "aria-haspopup": "menu";
  readonly "aria-expanded": boolean;
  readonly onClick: (event: MouseEvent) => void;
}

interface MenuProps extends Omit<MenuPanelProps, "anchor" | "onClose"> {
  readonly trigger: (props: TriggerProps) => VNode;
}

/** A button and its menu. */
export function Menu({ trigger, ...panel }: MenuProps) {
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const onClick = (event: MouseEvent) => {
    const button = event.currentTarget as HTMLElement;
    setAnchor((open) => (open ? null : button));
  };
  return (
    <>
      {trigger({ "aria-haspopup": "menu", "aria-expanded": anchor !== null, onClick })}
      {anchor && <MenuPanel {...panel} anchor={anchor} onClose={() => setAnchor(null)} />}
    </>
  );
}
