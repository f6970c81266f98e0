/** Emoji by what one types of their names, or of words for them. Pure, over a table of some two thousand. */
import type { Emoji, EmojiTable } from "./table";

export interface FoundEmoji {
  readonly name: string;
  /** "" for a picture of the workspace's own. */
  readonly unicode: string;
  readonly hasTones: boolean;
  readonly label: string;
}

/** What each emoji is called and found by, in the table's order. */
export interface EmojiWords {
  readonly label: string;
  readonly words: readonly string[];
}

export function readWords(listed: string): EmojiWords[] {
  return listed.split("\n").map((line) => {
    const [label = "", tags = ""] = line.split("|");
    return { label, words: [...label.toLowerCase().split(/[^\p{L}\p{N}]+/u), ...tags.split(" ")].filter(Boolean) };
  });
}

/** Best first: the name itself, names that begin so, a part of a name that does, words for it, names that contain it. */
export function searchEmoji(
  table: EmojiTable,
  words: readonly EmojiWords[] | null,
  custom: ReadonlyMap<string, string>,
  typed: string,
  most: number,
): FoundEmoji[] {
  const wanted = typed
    .toLowerCase()
    .replace(/[\s-]+/g, "_")
    .replace(/^:|:$/g, "");
  if (!wanted) return [];
  const found: { score: number; order: number; emoji: FoundEmoji }[] = [];
  for (const name of custom.keys()) {
    const score = scoreOfName(name, wanted);
    if (score > 0)
      found.push({ score, order: found.length, emoji: { name, unicode: "", hasTones: false, label: name } });
  }
  let at = 0;
  for (const { emoji } of table.categories) {
    for (const one of emoji) {
      const about = words?.[at++];
      const best = bestName(one, wanted);
      const score = Math.max(best.score, scoreOfWords(about?.words ?? [], wanted));
      if (score > 0) found.push({ score, order: found.length, emoji: shown(one, best.name, about) });
    }
  }
  return found
    .sort((one, other) => other.score - one.score || one.order - other.order)
    .slice(0, most)
    .map(({ emoji }) => emoji);
}

const shown = ({ unicode, hasTones }: Emoji, name: string, about: EmojiWords | undefined): FoundEmoji => ({
  name,
  unicode,
  hasTones,
  label: about?.label ?? name.replace(/_/g, " "),
});

/** The name that matches is the one to show: "thumbsup" for who typed "thumb". */
function bestName(emoji: Emoji, wanted: string): { name: string; score: number } {
  let best = { name: emoji.name, score: 0 };
  for (const name of emoji.names) {
    const score = scoreOfName(name, wanted);
    if (score > best.score) best = { name, score };
  }
  return best;
}

function scoreOfName(name: string, wanted: string): number {
  const at = name.toLowerCase().indexOf(wanted);
  if (at < 0) return runTogether(name).startsWith(runTogether(wanted)) ? 7 : 0;
  if (at === 0) return name.length === wanted.length ? 10 : 8;
  if (/[_-]/.test(name[at - 1] ?? "")) return 6;
  return wanted.length > 1 ? 2 : 0;
}

const runTogether = (name: string): string => name.replace(/[_-]/g, "");

function scoreOfWords(words: readonly string[], wanted: string): number {
  let best = 0;
  for (const word of words) {
    if (word === wanted) return 5;
    if (wanted.length > 1 && word.startsWith(wanted)) best = 4;
  }
  return best;
}
