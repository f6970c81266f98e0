/** Moving through a list by keys: which one comes next. Pure; `useRoving` and the listbox are its two hands. */
export type Axis = "vertical" | "horizontal" | "both";

/** The place after `key`, or null when the key does not move. From -1, the first step goes to an end. */
export function moved(key: string, at: number, count: number, axis: Axis = "vertical", wraps = true): number | null {
  if (count === 0) return null;
  const step = stepOf(key, axis);
  if (step !== 0) {
    if (at < 0) return step > 0 ? 0 : count - 1;
    const next = at + step;
    if (next >= 0 && next < count) return next;
    return wraps ? (next + count) % count : at;
  }
  if (key === "Home") return 0;
  if (key === "End") return count - 1;
  if (key === "PageDown") return Math.min(count - 1, Math.max(at, 0) + 8);
  if (key === "PageUp") return Math.max(0, at - 8);
  return null;
}

function stepOf(key: string, axis: Axis): number {
  if (axis !== "horizontal") {
    if (key === "ArrowDown") return 1;
    if (key === "ArrowUp") return -1;
  }
  if (axis !== "vertical") {
    if (key === "ArrowRight") return 1;
    if (key === "ArrowLeft") return -1;
  }
  return 0;
}

/** The next whose label begins with `letter`, after `at` and around. */
export function typed(letter: string, at: number, labels: readonly string[]): number | null {
  if (Array.from(letter).length !== 1 || letter === " ") return null;
  const wanted = letter.toLocaleLowerCase();
  for (let step = 1; step <= labels.length; step += 1) {
    const index = (Math.max(at, -1) + step) % labels.length;
    if (labels[index]?.toLocaleLowerCase().startsWith(wanted)) return index;
  }
  return null;
}
