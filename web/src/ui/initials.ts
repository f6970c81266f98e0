/** What stands for a face that is not there: letters of a name, and a colour that stays with the person. Pure. */
export const AVATAR_COLOURS = 8;

/** One or two letters: of the first and the last word. */
export function initials(label: string): string {
  const words = label
    .split(/[\s._-]+/)
    .map((word) => word.replace(/^[^\p{L}\p{N}]+/u, ""))
    .filter(Boolean);
  const first = words[0];
  if (first === undefined) return "?";
  const last = words.length > 1 ? words[words.length - 1] : undefined;
  return (letter(first) + (last ? letter(last) : "")).toUpperCase();
}

const letter = (word: string): string => Array.from(word)[0] ?? "";

/** The number of a colour, the same for the same id everywhere (FNV-1a). */
export function colourOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < id.length; index += 1) {
    hash = Math.imul(hash ^ id.charCodeAt(index), 0x01000193) >>> 0;
  }
  return ((hash ^ (hash >>> 15)) >>> 0) % AVATAR_COLOURS;
}
