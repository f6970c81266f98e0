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

/** What is asked before the app is told. */
interface Asking {
  readonly title: string;
  readonly text: string;
  readonly action: string;
  readonly denial: string;
  readonly isDangerous: boolean;
}

/** A button or a menu of an app. One that is used is told to the app, a link is followed as well. */
export interface Control {
  readonly kind: "control";
  readonly label: string;
  readonly look: "plain" | "primary" | "danger" | "select";
  readonly href: string | null;
  /** By which the app knows it; null: nobody could be told. */
  readonly place: { readonly blockId: string; readonly actionId: string } | null;
  /** Of a menu; null for what is none, and for those whose options are not in the message. */
  readonly options: readonly Option[] | null;
  /** To be asked before; null: nothing is. */
  readonly question: Asking | null;
}

export interface Option {
  readonly label: string;
  /** As the app wrote it. */
  readonly value: unknown;
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
      return { kind: "actions", controls: list(block.elements).flatMap((one) => control(record(one), block) ?? []) };
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
  const beside = accessory.type === "image" ? picture(accessory) : control(accessory, block);
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

/** As many as a menu may have. */
const OPTIONS_MAX = 100;

function control(object: Loose, block: Loose): Control | null {
  const type = said(object.type);
  const label = said(record(object.text).text) || said(record(object.placeholder).text);
  const [blockId, actionId] = [said(block.block_id), said(object.action_id)];
  const place = blockId && actionId ? { blockId, actionId } : null;
  const common = { kind: "control", place, question: question(record(object.confirm)) } as const;
  if (type === "button" || type === "workflow_button") {
    const look = LOOKS[said(object.style)] ?? "plain";
    return label ? { ...common, label, look, href: safeHref(said(object.url)), options: null } : null;
  }
  const isSelect = /_select$|picker$|^overflow$/.test(type);
  const options = type === "static_select" || type === "overflow" ? choices(object) : null;
  return isSelect ? { ...common, label: label || "More", look: "select", href: null, options } : null;
}

function choices(object: Loose): Option[] {
  const groups = list(object.option_groups).flatMap((group) => list(record(group).options));
  const all = [...list(object.options), ...groups].slice(0, OPTIONS_MAX);
  return all.map((value) => ({ label: said(record(record(value).text).text), value }));
}

function question(object: Loose): Control["question"] {
  const words = (name: string, none: string) => said(record(object[name]).text) || none;
  const [title, text] = [words("title", "Are you sure?"), words("text", "")];
  if (!object.title && !object.text) return null;
  const [action, denial] = [words("confirm", "Yes"), words("deny", "Cancel")];
  return { title, text, action, denial, isDangerous: object.style === "danger" };
}
