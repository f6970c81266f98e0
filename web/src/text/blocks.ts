/**
 * What of Block Kit is drawn, read from what came: anything may stand there, and what is not understood is left out.
 * Pure. `rich_text` becomes the same tree that mrkdwn is read to.
 */

import { unescaped } from "./entities";
import { safeHref, safePicture } from "./links";
import { type Loose, list, record, said } from "./loose";
import { parse } from "./mrkdwn";
import { readRichText } from "./richblocks";
import { type Block, type Inline, text as leaf } from "./tree";

export interface Picture {
  readonly kind: "picture";
  readonly src: string;
  readonly alt: string;
}

/** A button, or what stands in for another control: drawn, and followed only where it is a link. */
export interface Control {
  readonly kind: "control";
  readonly label: string;
  readonly look: "plain" | "primary" | "danger" | "select";
  readonly href: string | null;
}

export type Drawable =
  | {
      readonly kind: "section";
      readonly text: readonly Block[];
      readonly fields: readonly (readonly Block[])[];
      readonly accessory: Picture | Control | null;
    }
  | { readonly kind: "header"; readonly text: readonly Inline[] }
  | { readonly kind: "divider" }
  | {
      readonly kind: "context";
      readonly elements: readonly (Picture | { readonly kind: "words"; readonly text: readonly Block[] })[];
    }
  | { readonly kind: "image"; readonly src: string; readonly alt: string; readonly title: string }
  | { readonly kind: "actions"; readonly controls: readonly Control[] }
  | { readonly kind: "rich"; readonly blocks: readonly Block[] };

/** As many as a message may have; the rest is not looked at. */
const BLOCKS_MAX = 50;

export const readBlocks = (blocks: readonly unknown[]): Drawable[] =>
  blocks.slice(0, BLOCKS_MAX).flatMap((block) => read(record(block)) ?? []);

function read(block: Loose): Drawable | null {
  switch (block.type) {
    case "section":
      return section(block);
    case "header":
      return { kind: "header", text: plain(said(record(block.text).text)) };
    case "divider":
      return { kind: "divider" };
    case "context":
      return { kind: "context", elements: list(block.elements).flatMap((one) => contextElement(record(one)) ?? []) };
    case "image":
      return image(block);
    case "actions":
      return { kind: "actions", controls: list(block.elements).flatMap((one) => control(record(one)) ?? []) };
    case "rich_text":
      return { kind: "rich", blocks: readRichText(list(block.elements)) };
    case "markdown":
      return { kind: "rich", blocks: parse(said(block.text).replace(/\*\*(\S(?:[^*\n]*\S)?)\*\*/g, "*$1*")) };
    default:
      return null;
  }
}

function section(block: Loose): Drawable | null {
  const fields = list(block.fields).map((field) => words(record(field)));
  const text = block.text === undefined ? [] : words(record(block.text));
  const accessory = record(block.accessory);
  const beside = accessory.type === "image" ? picture(accessory) : control(accessory);
  return text.length + fields.length === 0 && !beside ? null : { kind: "section", text, fields, accessory: beside };
}

/** A text object: mrkdwn, or plain with nothing but emoji read. */
function words(object: Loose): Block[] {
  const text = said(object.text);
  if (!text) return [];
  return object.type === "plain_text" ? [{ kind: "paragraph", children: plain(text) }] : parse(text);
}

const EMOJI = /:([\p{L}\p{N}_+'’-]{1,100}):(?::skin-tone-([2-6]):)?/gu;

/** Plain text: line ends and emoji, no marks. */
export function plain(text: string): Inline[] {
  const nodes: Inline[] = [];
  let from = 0;
  const push = (part: string) => {
    part.split("\n").forEach((line, index) => {
      if (index > 0) nodes.push({ kind: "break" });
      if (line) nodes.push(leaf(unescaped(line)));
    });
  };
  for (const found of text.matchAll(EMOJI)) {
    push(text.slice(from, found.index));
    nodes.push({ kind: "emoji", name: found[1] ?? "", tone: Number(found[2] ?? 0), isMarked: false });
    from = found.index + found[0].length;
  }
  push(text.slice(from));
  return nodes;
}

function contextElement(object: Loose): Picture | { kind: "words"; text: Block[] } | null {
  return object.type === "image" ? picture(object) : { kind: "words", text: words(object) };
}

function picture(object: Loose): Picture | null {
  const src = safePicture(object.image_url ?? record(object.slack_file).url);
  return src ? { kind: "picture", src, alt: said(object.alt_text) } : null;
}

function image(block: Loose): Drawable | null {
  const found = picture(block);
  return found ? { ...found, kind: "image", title: said(record(block.title).text) } : null;
}

const LOOKS: Readonly<Record<string, Control["look"]>> = { primary: "primary", danger: "danger" };

function control(object: Loose): Control | null {
  const type = said(object.type);
  const label = said(record(object.text).text) || said(record(object.placeholder).text);
  if (type === "button" || type === "workflow_button") {
    const look = LOOKS[said(object.style)] ?? "plain";
    return label ? { kind: "control", label, look, href: safeHref(said(object.url)) } : null;
  }
  const isSelect = /_select$|picker$|^overflow$/.test(type);
  return isSelect ? { kind: "control", label: label || "…", look: "select", href: null } : null;
}
