/** A text without its looks: for screen readers, notifications, quotations, what is copied. Pure. */

import type { Id } from "../core/contract";
import { parse } from "./mrkdwn";
import type { Block, Inline, List } from "./tree";

/** Names of people and channels, as far as they are known. */
export interface Names {
  user(id: Id): string | undefined;
  channel(id: Id): string | undefined;
}

export const NAMELESS: Names = { user: () => undefined, channel: () => undefined };

export const plainText = (said: string, names: Names = NAMELESS): string => blocks(parse(said), names).join("\n");

export function blocks(all: readonly Block[], names: Names): string[] {
  return all.flatMap((block) => {
    if (block.kind === "list") return list(block, names, "");
    if (block.kind === "quote") return blocks(block.blocks, names).map((line) => `> ${line}`);
    return [inlines(block.children, names)];
  });
}

function list({ isOrdered, start, items }: List, names: Names, indent: string): string[] {
  return items.flatMap((item, index) => [
    `${indent}${isOrdered ? `${start + index}.` : "•"} ${inlines(item.children, names)}`,
    ...item.lists.flatMap((inner) => list(inner, names, `${indent}   `)),
  ]);
}

export const inlines = (nodes: readonly Inline[], names: Names): string =>
  nodes.map((node) => inline(node, names)).join("");

function inline(node: Inline, names: Names): string {
  switch (node.kind) {
    case "text":
      return node.text;
    case "break":
      return "\n";
    case "user":
      return `@${names.user(node.id) ?? (node.label.replace(/^@/, "") || "someone")}`;
    case "channel":
      return `#${names.channel(node.id) ?? (node.label || "channel")}`;
    case "usergroup":
      return node.label || "@group";
    case "broadcast":
      return `@${node.range}`;
    case "emoji":
      return `:${node.name}:`;
    case "date":
      return node.fallback || node.format;
    default:
      return inlines(node.children, names);
  }
}

/** Nothing but emoji, and few of them: drawn large. */
export function isJumbo(all: readonly Block[]): boolean {
  const [only, ...more] = all;
  if (only?.kind !== "paragraph" || more.length > 0) return false;
  let count = 0;
  for (const node of only.children) {
    if (node.kind === "emoji") count++;
    else if (node.kind !== "text") return false;
    else if (node.text.trim() !== "") {
      if (node.text.length > 120 || !ONLY_EMOJI.test(node.text)) return false;
      count += [...node.text.matchAll(PICTURE)].length;
    }
  }
  return count > 0 && count <= 12;
}

const PICTURE = /\p{Emoji_Presentation}|\p{Extended_Pictographic}\uFE0F|\p{Regional_Indicator}{2}/gu;
/** With what joins, tones and tags them. */
const ONLY_EMOJI =
  /^(?:\p{Emoji_Presentation}|\p{Emoji_Modifier}|\p{Regional_Indicator}|\u200D|\s|[\u{E0020}-\u{E007F}]|\p{Extended_Pictographic}\uFE0F)+$/u;
