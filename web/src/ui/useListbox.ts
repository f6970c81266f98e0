/**
 * A list that a text field drives (ARIA combobox with a listbox): the focus stays in the field, the active option is
 * named by aria-activedescendant. For the switcher, for people pickers, for completion in the composer.
 */
import { useId, useLayoutEffect, useState } from "preact/hooks";
import { moved } from "./roving";

interface ListboxOptions {
  readonly count: number;
  readonly onChoose: (index: number) => void;
  /** Start again at the first option whenever this changes: what was typed. */
  readonly resetOn: unknown;
  /** What the list is of. */
  readonly label: string;
  /** Tab chooses too, as it does in completion. */
  readonly tabChooses?: boolean;
  /** The option that is active at first; -1 for none. */
  readonly first?: number;
}

export interface Listbox {
  readonly active: number;
  setActive(index: number): void;
  /** To be asked before the field's own keys; says whether the key was the list's. */
  onKey(event: KeyboardEvent): boolean;
  readonly fieldProps: Readonly<Record<string, unknown>>;
  readonly listProps: { readonly id: string; readonly role: "listbox"; readonly "aria-label": string };
  optionProps(index: number): Readonly<Record<string, unknown>>;
}

export function useListbox({
  label,
  count,
  onChoose,
  resetOn,
  tabChooses = false,
  first = 0,
}: ListboxOptions): Listbox {
  const id = useId();
  const [active, setActive] = useState(first);
  // biome-ignore lint/correctness/useExhaustiveDependencies: resetOn is the reason to start again, not an input
  useLayoutEffect(() => setActive(first), [resetOn, first]);
  const at = Math.min(active, count - 1);
  useLayoutEffect(() => {
    if (at >= 0) document.getElementById(`${id}-${at}`)?.scrollIntoView?.({ block: "nearest" });
  }, [id, at]);

  const onKey = (event: KeyboardEvent): boolean => {
    if (event.isComposing || count === 0) return false;
    const chooses = event.key === "Enter" || (tabChooses && event.key === "Tab" && !event.shiftKey);
    if (chooses && at >= 0 && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      onChoose(at);
      return true;
    }
    // Home and End belong to the text.
    if (!event.key.startsWith("Arrow") && !event.key.startsWith("Page")) return false;
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return false;
    const next = moved(event.key, at, count);
    if (next === null) return false;
    event.preventDefault();
    setActive(next);
    return true;
  };

  return {
    active: at,
    setActive,
    onKey,
    fieldProps: {
      role: "combobox",
      "aria-autocomplete": "list",
      "aria-expanded": count > 0,
      "aria-controls": id,
      "aria-activedescendant": at >= 0 ? `${id}-${at}` : undefined,
    },
    listProps: { id, role: "listbox", "aria-label": label },
    optionProps: (index) => ({
      id: `${id}-${index}`,
      role: "option",
      "aria-selected": index === at,
      onPointerMove: () => setActive(index),
      // The field keeps the focus: pressing must not take it away before the click is told.
      onPointerDown: (event: PointerEvent) => event.preventDefault(),
      onMouseDown: (event: MouseEvent) => event.preventDefault(),
      onClick: () => onChoose(index),
    }),
  };
}
