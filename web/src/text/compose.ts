/**
 * From what one types to Slack's text, and back for editing and for drafts. One types names ("@Ann Smith", "#general"),
 * emoji as they are, and marks as one knows them; Slack's text has ids, names of emoji, and three characters escaped.
 * Pure. `fromSlack` gives back what `toSlack` made of, up to marks that mean the same.
 */

import type { EmojiTable } from "./emoji/table";
import { bare } from "./emoji/table";
import { escaped, unescaped } from "./entities";
import { safeHref } from "./links";

/** A name in a text that stands for something: "@Ann Smith" for "<@U012>". */
export interface Named {
  readonly label: string;
  readonly token: string;
}

/** As many names as one text may hold. */
const NAMED_MAX = 200;

const FENCE = /(```[\s\S]*?```|`[^`\n]+`)/;

/** Slack's text. `table` turns emoji into their names; without it they stay what they are, which is drawn the same. */
export function toSlack(typed: string, names: readonly Named[], table: EmojiTable | null = null): string {
  const longestFirst = [...names].slice(0, NAMED_MAX).sort((one, other) => other.label.length - one.label.length);
  return typed
    .split(FENCE)
    .map((part, index) => (index % 2 === 1 ? escaped(withoutLanguage(part)) : prose(part, longestFirst, table)))
    .join("")
    .trim();
}

/** "```js" and a line end: other programs take it for a language, Slack would show it. */
const withoutLanguage = (code: string): string => code.replace(/^```[a-z0-9+#-]{1,20}\n(?!```$)/i, "```\n");

const SPECIAL =
  /(https?:\/\/[^\s<>]+)|\[([^\]\n]{1,500})\]\(((?:https?:\/\/|mailto:)[^\s)]{1,4000})\)|\*\*(?=[^\s*])([^*\n]*[^\s*])\*\*|~~(?=[^\s~])([^~\n]*[^\s~])~~|[@#]/g;

function prose(part: string, names: readonly Named[], table: EmojiTable | null): string {
  const lines = part.replace(/^(\s*)[-*] (?=\S)/gm, "$1• ");
  const out: string[] = [];
  let from = 0;
  const plain = (until: number) => out.push(escaped(named(lines.slice(from, until), table)));
  SPECIAL.lastIndex = 0;
  for (let found = SPECIAL.exec(lines); found; found = SPECIAL.exec(lines)) {
    const made = special(found, lines, names, table);
    if (!made) continue;
    const [text, length] = made;
    plain(found.index);
    out.push(text);
    from = found.index + length;
    SPECIAL.lastIndex = from;
  }
  plain(lines.length);
  return out.join("");
}

/** What it becomes, and how much of the text that was. */
function special(
  found: RegExpExecArray,
  source: string,
  names: readonly Named[],
  table: EmojiTable | null,
): [string, number] | null {
  const [whole, address, label, target, bold, struck] = found;
  if (address) return [escaped(address), whole.length];
  if (label && target) {
    const href = safeHref(target);
    return href ? [`<${escaped(target)}|${escaped(label).replace(/\|/g, "¦")}>`, whole.length] : null;
  }
  if (bold) return [`*${inside(bold, names, table)}*`, whole.length];
  if (struck) return [`~${inside(struck, names, table)}~`, whole.length];
  return mention(source, found.index, names);
}

/** What stands between two marks has names and emoji, and no more of those marks: it gets shorter each time. */
function inside(part: string, names: readonly Named[], table: EmojiTable | null): string {
  const before = SPECIAL.lastIndex;
  const made = prose(part, names, table);
  SPECIAL.lastIndex = before;
  return made;
}

const WORD = /[\p{L}\p{N}_]/u;
const RANGES = ["@channel", "@everyone", "@here"];

function mention(source: string, at: number, names: readonly Named[]): [string, number] | null {
  if (at > 0 && WORD.test(source[at - 1] ?? "")) return null;
  const ends = (length: number) => !WORD.test(source[at + length] ?? " ");
  for (const { label, token } of names)
    if (source.startsWith(label, at) && ends(label.length)) return [token, label.length];
  for (const range of RANGES)
    if (source.startsWith(range, at) && ends(range.length)) return [`<!${range.slice(1)}>`, range.length];
  return null;
}

const PICTURE =
  /\p{Regional_Indicator}{2}|[#*0-9]\uFE0F?\u20E3|\p{Extended_Pictographic}(?:\p{Emoji_Modifier}|\uFE0F|[\u{E0020}-\u{E007F}])*(?:\u200D(?:\p{Extended_Pictographic}|[♀♂⚕⚖✈])(?:\p{Emoji_Modifier}|\uFE0F)*)*/gu;
const MODIFIER = /\p{Emoji_Modifier}/gu;

/** Emoji as names, "👋🏽" as ":wave::skin-tone-4:". */
function named(part: string, table: EmojiTable | null): string {
  if (!table) return part;
  return part.replace(PICTURE, (picture) => {
    const tones = picture.match(MODIFIER) ?? [];
    const emoji = table.byUnicode.get(bare(picture)) ?? table.byUnicode.get(bare(picture.replace(MODIFIER, "")));
    if (!emoji) return picture;
    const [tone] = tones;
    return tone ? `:${emoji.name}::skin-tone-${(tone.codePointAt(0) ?? 0) - 0x1f3fb + 2}:` : `:${emoji.name}:`;
  });
}

/** What is called what, as far as it is known. */
export interface Labels {
  user(id: string): string | undefined;
  channel(id: string): string | undefined;
}

export interface Typed {
  readonly typed: string;
  readonly names: readonly Named[];
}

const TOKEN = /<([@#!])([A-Z0-9a-z^]+)(?:\|([^<>\n]*))?>|<((?:https?:\/\/|mailto:)[^<>|\n]+)(?:\|([^<>\n]*))?>/g;

/** What one would have typed for Slack's text. */
export function fromSlack(text: string, labels: Labels): Typed {
  const names = new Map<string, Named>();
  const name = (label: string, token: string): string => {
    if (names.size >= NAMED_MAX) return token;
    // Two of one name: the second is told apart, or it would become the first.
    let unique = label;
    for (let count = 2; names.has(unique) && names.get(unique)?.token !== token; count++)
      unique = `${label} (${count})`;
    names.set(unique, { label: unique, token });
    return unique;
  };
  const typed = text.replace(TOKEN, (whole, sign?: string, id = "", said = "", address = "", label = "") => {
    if (address) return label && label !== address ? `[${label}](${address})` : address;
    if (sign === "@") return name(`@${labels.user(id) ?? (said || id)}`, `<@${id}>`);
    if (sign === "#") return name(`#${labels.channel(id) ?? (said || id)}`, said ? `<#${id}|${said}>` : `<#${id}>`);
    return RANGES.includes(`@${id}`) ? `@${id}` : name(said || whole, whole);
  });
  const plain = [...names.values()].map(({ label, token }) => ({ label: unescaped(label), token }));
  return { typed: unescaped(typed).replace(/^(\s*)• (?=\S)/gm, "$1- "), names: plain };
}

/** Names that a text still holds: of the others nothing is left to keep. */
export const namesIn = (typed: string, names: readonly Named[]): Named[] =>
  names.filter(({ label }) => typed.includes(label)).slice(0, NAMED_MAX);
