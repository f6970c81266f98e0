/** What a channel may be called, and what becomes of what one types. Pure. */
export const CHANNEL_NAME_MAX = 80;

/** While typing: no capitals, no blanks. */
export const tidied = (typed: string): string =>
  typed
    .replace(/^#+/, "")
    .toLocaleLowerCase("en")
    .replace(/[\s.]+/g, "-")
    .slice(0, CHANNEL_NAME_MAX);

export function problemOfName(name: string): string {
  if (name === "") return "A channel needs a name.";
  if (!/^[\p{L}\p{N}\p{M}_-]+$/u.test(name)) return "Letters, digits, - and _ only.";
  return /[\p{L}\p{N}]/u.test(name) ? "" : "A letter or a digit must be in it.";
}
