/** The picker's emoji in sections, rows and cells, and moving among them by keys. Pure. */
import { type EmojiWords, searchEmoji } from "../../text/emoji/search";
import type { EmojiTable } from "../../text/emoji/table";

export interface Glyph {
  readonly name: string;
  readonly unicode: string;
  readonly hasTones: boolean;
}

export interface Section {
  readonly key: string;
  readonly title: string;
  readonly glyphs: readonly Glyph[];
}

export const COLUMNS = 9;
const FOUND_MAX = 90;

const TITLES: Readonly<Record<string, string>> = {
  "smileys-emotion": "Smileys",
  "people-body": "People",
  "animals-nature": "Animals and nature",
  "food-drink": "Food and drink",
  "travel-places": "Travel and places",
  activities: "Activities",
  objects: "Objects",
  symbols: "Symbols",
  flags: "Flags",
};

export function sectionsFor(
  table: EmojiTable,
  words: readonly EmojiWords[] | null,
  custom: ReadonlyMap<string, string>,
  recent: readonly string[],
  typed: string,
): Section[] {
  if (typed.trim()) {
    const glyphs = searchEmoji(table, words, custom, typed.trim(), FOUND_MAX);
    return glyphs.length > 0 ? [{ key: "found", title: "Found", glyphs }] : [];
  }
  const own = [...custom.keys()].map((name) => ({ name, unicode: "", hasTones: false }));
  const used = recent.flatMap((name): Glyph[] => {
    const emoji = table.byName.get(name);
    if (custom.has(name)) return [{ name, unicode: "", hasTones: false }];
    return emoji ? [{ name, unicode: emoji.unicode, hasTones: emoji.hasTones }] : [];
  });
  return [
    { key: "recent", title: "Frequently used", glyphs: used },
    ...table.categories.map(({ key, emoji }) => ({ key, title: TITLES[key] ?? key, glyphs: emoji })),
    { key: "custom", title: "This workspace", glyphs: own },
  ].filter(({ glyphs }) => glyphs.length > 0);
}

export interface Cell extends Glyph {
  readonly index: number;
  readonly row: number;
  readonly column: number;
}

export type GridRow =
  | { readonly kind: "title"; readonly section: Section }
  | { readonly kind: "cells"; readonly section: Section; readonly cells: readonly Cell[] };

export function layout(sections: readonly Section[]): GridRow[] {
  const rows: GridRow[] = [];
  let index = 0;
  for (const section of sections) {
    rows.push({ kind: "title", section });
    for (let from = 0; from < section.glyphs.length; from += COLUMNS) {
      const row = rows.length;
      const cells = section.glyphs
        .slice(from, from + COLUMNS)
        .map((glyph, column) => ({ ...glyph, index: index++, row, column }));
      rows.push({ kind: "cells", section, cells });
    }
  }
  return rows;
}

export const cellsOf = (rows: readonly GridRow[]): Cell[] =>
  rows.flatMap((row) => (row.kind === "cells" ? row.cells : []));

/** Where `key` leads. Sideways moves belong to the text while there is some, up and down never do. */
export function move(key: string, at: number, cells: readonly Cell[], hasText: boolean): number | null {
  const last = cells.length - 1;
  const here = cells[Math.min(at, last)];
  if (!here) return null;
  if (key === "ArrowRight" && !hasText) return Math.min(last, here.index + 1);
  if (key === "ArrowLeft" && !hasText) return Math.max(0, here.index - 1);
  if (key === "Tab") return null;
  if (key === "ArrowDown") return inRow(cells, here, 1);
  if (key === "ArrowUp") return inRow(cells, here, -1);
  if (key === "PageDown") return Math.min(last, here.index + COLUMNS * 5);
  if (key === "PageUp") return Math.max(0, here.index - COLUMNS * 5);
  return null;
}

/** The same column of the next row that way, or the last of a shorter one. */
function inRow(cells: readonly Cell[], here: Cell, step: 1 | -1): number {
  let at = here.index + step;
  while (cells[at] && cells[at]?.row === here.row) at += step;
  const row = cells[at]?.row;
  if (row === undefined) return here.index;
  const there = cells.slice(Math.max(0, at - COLUMNS), at + COLUMNS + 1).filter((cell) => cell.row === row);
  return there[Math.min(here.column, there.length - 1)]?.index ?? here.index;
}
