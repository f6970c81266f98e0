/**
 * The build's own part: emojibase's data (1.3 MB) as two small modules that the client loads when it first needs them.
 * `virtual:emoji-names`: categories, and a line for each emoji: the emoji, "^" if it takes skin tones, its names as Slack
 * has them. `virtual:emoji-words`: in the same order, what it is called and the words it is found by.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Plugin } from "vite";

interface Listed {
  readonly hexcode: string;
  readonly label: string;
  readonly unicode: string;
  readonly group?: number;
  readonly order?: number;
  readonly tags?: readonly string[];
  readonly skins?: readonly unknown[];
}

interface Group {
  readonly key: string;
  readonly order: number;
}

const COMPONENTS = "component"; // tones and hair by themselves: nobody writes them

export function emojiTable(): Plugin {
  const ids = new Set(["virtual:emoji-names", "virtual:emoji-words"]);
  return {
    name: "parley-emoji-table",
    resolveId: (id) => (ids.has(id) ? `\0${id}` : undefined),
    load(id) {
      if (id === "\0virtual:emoji-names") return module(categories().map(([key, list]) => [key, list.map(nameLine)]));
      if (id === "\0virtual:emoji-words") return module(categories().flatMap(([, list]) => list.map(wordLine)));
      return undefined;
    },
  };
}

const module = (value: readonly unknown[]) =>
  typeof value[0] === "string"
    ? `export default ${JSON.stringify(value.join("\n"))};`
    : `export default ${JSON.stringify((value as [string, string[]][]).map(([key, list]) => [key, list.join("\n")]))};`;

const require = createRequire(import.meta.url);
const read = (path: string): unknown => JSON.parse(readFileSync(require.resolve(`emojibase-data/${path}`), "utf8"));

function names(): ReadonlyMap<string, readonly string[]> {
  const listed = read("en/shortcodes/iamcal.json") as Record<string, string | string[]>;
  return new Map(Object.entries(listed).map(([code, given]) => [code, [given].flat()]));
}

type Named = Listed & { readonly names: readonly string[] };

function categories(): [string, Named[]][] {
  const { groups } = read("en/messages.json") as { groups: Group[] };
  const named = names();
  const all = (read("en/compact.json") as Listed[])
    .map((emoji) => ({ ...emoji, names: named.get(emoji.hexcode) ?? [] }))
    .filter((emoji) => emoji.names.length > 0)
    .sort((one, other) => (one.order ?? 0) - (other.order ?? 0));
  return groups
    .filter(({ key }) => key !== COMPONENTS)
    .map(({ key, order }) => [key, all.filter((emoji) => emoji.group === order)]);
}

/** Without the sign that asks for a picture, where it is one anyway: that is how it is typed. */
const short = (unicode: string) => unicode.replace(/(\p{Emoji_Presentation})\uFE0F/gu, "$1");
const nameLine = ({ unicode, skins, names }: Named) => `${short(unicode)}${skins ? "^" : ""} ${names.join(" ")}`;
const wordLine = ({ label, tags = [] }: Named) => `${label}|${tags.join(" ")}`;
