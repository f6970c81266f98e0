/** Names in a row, as they are said. Pure. */

/** "Ann", "Ann and Bob", "Ann, Bob and 3 others"; `total` counts those that are not named too. */
export function named(names: readonly string[], total: number): string {
  const others = Math.max(0, total - names.length);
  const all = others > 0 ? [...names, others === 1 ? "1 other" : `${others} others`] : names;
  if (all.length < 2) return all[0] ?? "";
  return `${all.slice(0, -1).join(", ")} and ${all.at(-1)}`;
}

/** "Ann is typing", "Ann and Bob are typing", "Several people are typing". */
export function typingWords(names: readonly string[]): string {
  if (names.length === 0) return "";
  if (names.length > 3) return "Several people are typing";
  return `${named(names, names.length)} ${names.length === 1 ? "is" : "are"} typing`;
}
