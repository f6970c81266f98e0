/** Small settings of this browser alone (widths, what is folded), kept where the browser lets us; else for this page only. */
export function readStored<T>(key: string, otherwise: T, isRight: (value: unknown) => value is T): T {
  try {
    const text = localStorage.getItem(`parley.${key}`);
    const value: unknown = text === null ? otherwise : JSON.parse(text);
    return isRight(value) ? value : otherwise;
  } catch {
    return otherwise; // storage is refused, or holds something of an older version
  }
}

export function writeStored(key: string, value: unknown): void {
  try {
    localStorage.setItem(`parley.${key}`, JSON.stringify(value));
  } catch {
    // refused or full: it holds for this page
  }
}

export const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);
export const isStrings = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((one) => typeof one === "string");
export const isString = (value: unknown): value is string => typeof value === "string";
