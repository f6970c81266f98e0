/** Something asked for once: while it comes, when it is there, when it does not come. */
import { useCallback, useEffect, useState } from "preact/hooks";
import { wordsOf } from "./words";

export interface Loaded<T> {
  readonly value: T | undefined;
  readonly problem: string;
  again(): void;
}

/** `load` must be the same function for the same question: give it by useCallback. */
export function useLoaded<T>(load: () => Promise<T>): Loaded<T> {
  const [state, setState] = useState<{ value: T | undefined; problem: string }>({ value: undefined, problem: "" });
  const [attempt, setAttempt] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: attempt is the wish to ask again
  useEffect(() => {
    let isWanted = true;
    setState((old) => ({ value: old.value, problem: "" }));
    load().then(
      (value) => isWanted && setState({ value, problem: "" }),
      (error) => isWanted && setState({ value: undefined, problem: wordsOf(error) }),
    );
    return () => {
      isWanted = false;
    };
  }, [load, attempt]);
  return { ...state, again: useCallback(() => setAttempt((count) => count + 1), []) };
}
