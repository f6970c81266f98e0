/** All emoji by name and by themselves, once they are loaded: about 20 KB that the first screen does not wait for. */
import { type ReadonlySignal, signal } from "@preact/signals";
import { FEW } from "./few";

export interface Emoji {
  /** The name to write, without colons. */
  readonly name: string;
  readonly names: readonly string[];
  readonly unicode: string;
  readonly hasTones: boolean;
}

export interface Category {
  readonly key: string;
  readonly emoji: readonly Emoji[];
}

export interface EmojiTable {
  readonly categories: readonly Category[];
  readonly byName: ReadonlyMap<string, Emoji>;
  /** Without U+FE0F, which some write and some do not. */
  readonly byUnicode: ReadonlyMap<string, Emoji>;
}

/** Read what the build made. Pure. */
export function readTable(listed: readonly (readonly [string, string])[]): EmojiTable {
  const byName = new Map<string, Emoji>();
  const byUnicode = new Map<string, Emoji>();
  const categories = listed.map(([key, lines]) => ({ key, emoji: lines.split("\n").map(readLine) }));
  for (const { emoji } of categories) {
    for (const one of emoji) {
      byUnicode.set(bare(one.unicode), one);
      for (const name of one.names) if (!byName.has(name)) byName.set(name, one);
    }
  }
  return { categories, byName, byUnicode };
}

function readLine(line: string): Emoji {
  const [first = "", ...names] = line.split(" ");
  const hasTones = first.endsWith("^");
  return { unicode: hasTones ? first.slice(0, -1) : first, hasTones, names, name: names[0] ?? "" };
}

export const bare = (unicode: string): string => unicode.replace(/\uFE0F/g, "");

// The table is part of the program that comes later: the same for everybody, never changed, loaded once.
const loaded = signal<EmojiTable | null>(null);
let coming: Promise<EmojiTable> | null = null;

/** The table, or null until it is here. */
export const emojiTable: ReadonlySignal<EmojiTable | null> = loaded;

export function loadEmojiTable(): Promise<EmojiTable> {
  coming ??= import("virtual:emoji-names").then(
    ({ default: listed }) => {
      loaded.value = readTable(listed);
      return loaded.value;
    },
    (error: unknown) => {
      coming = null; // the line may be back the next time
      throw error;
    },
  );
  return coming;
}

/** The emoji of that name, if it is known by now; `undefined` while the table is not here and it is none of the few. */
export function unicodeOf(name: string): string | null | undefined {
  const table = loaded.value;
  return table ? (table.byName.get(name)?.unicode ?? null) : FEW[name];
}

const ALIAS = "alias:";

/** What a name stands for: a picture of the workspace's own, an emoji, or nothing known. */
export function resolveEmoji(
  custom: ReadonlyMap<string, string>,
  name: string,
): { readonly picture: string } | { readonly unicode: string } | null | undefined {
  let wanted = name;
  for (let hops = 0; hops < 5; hops++) {
    const found = custom.get(wanted);
    if (found === undefined) break;
    if (!found.startsWith(ALIAS)) return { picture: found };
    wanted = found.slice(ALIAS.length);
  }
  const unicode = unicodeOf(wanted);
  return typeof unicode === "string" ? { unicode } : unicode;
}
