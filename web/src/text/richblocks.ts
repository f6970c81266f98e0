/** `rich_text`, what Slack's own composer writes, read to the tree that mrkdwn is read to. Pure. */
import { safeHref } from "./links";
import { type Loose, list, record, said } from "./loose";
import { type Item, nested } from "./mrkdwn";
import { type Block, type Inline, text as leaf, type Range } from "./tree";

export function readRichText(elements: readonly unknown[]): Block[] {
  const blocks: Block[] = [];
  let items: Item[] = [];
  const endList = () => {
    blocks.push(...nested(items));
    items = [];
  };
  for (const one of elements) {
    const element = record(one);
    // Lists that follow each other are one, with what is indented inside.
    if (element.type === "rich_text_list") items.push(...itemsOf(element));
    else {
      endList();
      const block = blockOf(element);
      if (block) blocks.push(block);
    }
  }
  endList();
  return blocks;
}

function itemsOf(element: Loose): Item[] {
  const first = Number(element.offset) || 0;
  const indent = Math.min(8, Math.max(0, Number(element.indent) || 0)) * 4;
  const isOrdered = element.style === "ordered";
  return list(element.elements).map((item, index) => {
    return { indent, number: isOrdered ? first + index + 1 : null, children: inlines(record(item)) };
  });
}

function blockOf(element: Loose): Block | null {
  switch (element.type) {
    case "rich_text_section":
      return { kind: "paragraph", children: inlines(element) };
    case "rich_text_quote":
      return { kind: "quote", blocks: [{ kind: "paragraph", children: inlines(element) }] };
    case "rich_text_preformatted":
      return { kind: "pre", children: inlines(element) };
    default:
      return null;
  }
}

const inlines = (element: Loose): Inline[] => list(element.elements).flatMap((one) => styled(record(one)));

function styled(element: Loose): Inline[] {
  const style = record(element.style);
  let nodes = plainNodes(element);
  if (nodes.length === 0) return nodes;
  if (style.code === true) nodes = [{ kind: "code", children: nodes }];
  if (style.strike === true) nodes = [{ kind: "strike", children: nodes }];
  if (style.italic === true) nodes = [{ kind: "italic", children: nodes }];
  if (style.bold === true) nodes = [{ kind: "bold", children: nodes }];
  return nodes;
}

const RANGES = new Set(["here", "channel", "everyone"]);
const isMarked = false;

function plainNodes(element: Loose): Inline[] {
  switch (element.type) {
    case "text":
      return lines(said(element.text));
    case "link":
      return link(element);
    case "emoji":
      return [{ kind: "emoji", name: said(element.name), tone: Number(element.skin_tone) || 0, isMarked }];
    case "user":
      return [{ kind: "user", id: said(element.user_id), label: "", isMarked }];
    case "channel":
      return [{ kind: "channel", id: said(element.channel_id), label: "", isMarked }];
    case "usergroup":
      return [{ kind: "usergroup", id: said(element.usergroup_id), label: "", isMarked }];
    case "broadcast":
      return RANGES.has(said(element.range)) ? [{ kind: "broadcast", range: element.range as Range, isMarked }] : [];
    case "date":
      return [dateOf(element)];
    case "color":
      return [leaf(said(element.value))];
    default:
      return [];
  }
}

const lines = (text: string): Inline[] =>
  text.split("\n").flatMap((line, index): Inline[] => {
    const words = line ? [leaf(line)] : [];
    return index > 0 ? [{ kind: "break" }, ...words] : words;
  });

function link(element: Loose): Inline[] {
  const href = safeHref(said(element.url));
  const shown = leaf(said(element.text) || said(element.url));
  return href ? [{ kind: "link", href, children: [shown] }] : [shown];
}

const dateOf = (element: Loose): Inline => ({
  kind: "date",
  at: Number(element.timestamp) || 0,
  format: said(element.format),
  fallback: said(element.fallback),
  href: safeHref(said(element.url)),
});
