/** The day of what is in sight, told while one scrolls: at rest it would stand on what one reads. */
import type { ReadonlySignal, Signal } from "@preact/signals";
import { useCallback, useEffect, useRef } from "preact/hooks";
import type { Row } from "../../core/contract";
import { dayAt } from "./place";

const REST_MS = 1200;

interface Dated {
  readonly rows: readonly Row[];
  /** Where the dividers of days are. */
  readonly days: readonly number[];
}

/** To be called whenever the list was scrolled; `first` is the first row in sight. */
export function useDay(
  latest: { readonly current: Dated },
  first: ReadonlySignal<number>,
  day: Signal<number | null>,
): () => void {
  const resting = useRef<ReturnType<typeof setTimeout>>();
  useEffect(() => () => clearTimeout(resting.current), []);
  return useCallback(() => {
    const { rows, days } = latest.current;
    const at = first.peek();
    day.value = rows[at]?.kind === "message" ? dayAt(rows, days, at) : null;
    clearTimeout(resting.current);
    resting.current = setTimeout(() => {
      day.value = null;
    }, REST_MS);
  }, [latest, first, day]);
}
