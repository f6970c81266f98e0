/** Attachments, the older way of apps to say more and what links unfold to; read like blocks. Pure. */
import { type Control, type Drawable, readBlocks } from "./blocks";
import { unescaped } from "./entities";
import { ownPicture, safeHref, safePicture } from "./links";
import { list, record, said } from "./loose";

export interface Attachment {
  /** A colour of CSS, or null for the usual one. */
  readonly colour: string | null;
  readonly before: string;
  readonly author: { readonly name: string; readonly href: string | null; readonly icon: string | null } | null;
  readonly title: string;
  readonly titleHref: string | null;
  readonly text: string;
  readonly fields: readonly { readonly title: string; readonly value: string; readonly isShort: boolean }[];
  readonly image: string | null;
  readonly thumbnail: string | null;
  readonly controls: readonly Control[];
  readonly blocks: readonly Drawable[];
  readonly footer: string;
  readonly footerIcon: string | null;
  /** Unix seconds, 0 for none. */
  readonly at: number;
}

const COLOURS: Readonly<Record<string, string>> = {
  good: "var(--success)",
  warning: "var(--warning)",
  danger: "var(--danger)",
};

const ATTACHMENTS_MAX = 20;

export const readAttachments = (attachments: readonly unknown[]): Attachment[] =>
  attachments.slice(0, ATTACHMENTS_MAX).flatMap((one) => read(one) ?? []);

export function colourOf(value: unknown): string | null {
  const word = said(value);
  if (COLOURS[word]) return COLOURS[word];
  const hex = /^#?([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(word);
  return hex ? `#${hex[1]}` : null;
}

function read(value: unknown): Attachment | null {
  const from = record(value);
  // Made by the server of what a link leads to: the page behind it may be anybody's.
  const isPreview = said(from.original_url) !== "" && from.is_app_unfurl !== true;
  const picture = isPreview ? ownPicture : safePicture;
  const blocks = readBlocks(list(from.blocks));
  const author = said(from.author_name) || said(from.service_name);
  const authorHref = safeHref(said(from.author_link) || said(from.service_url));
  const authorIcon = picture(from.author_icon ?? from.service_icon);
  const made: Attachment = {
    colour: colourOf(from.color),
    before: said(from.pretext),
    author: author ? { name: unescaped(author), href: authorHref, icon: authorIcon } : null,
    title: said(from.title),
    titleHref: safeHref(said(from.title_link)),
    text: said(from.text),
    fields: list(from.fields).map((field) => {
      const { title, value: words, short } = record(field);
      return { title: said(title), value: said(words), isShort: short === true };
    }),
    image: picture(from.image_url),
    thumbnail: picture(from.thumb_url),
    controls: list(from.actions).flatMap((one) => action(record(one)) ?? []),
    blocks,
    footer: said(from.footer),
    footerIcon: picture(from.footer_icon),
    at: Number(from.ts) || 0,
  };
  const isEmpty = !made.title && !made.text && !made.image && !made.before && blocks.length + made.fields.length === 0;
  if (!isEmpty) return made;
  const fallback = said(from.fallback);
  return fallback ? { ...made, text: fallback } : null;
}

/** Buttons of before there were blocks: no app is told of them. */
const INERT = { kind: "control", place: null, options: null, question: null } as const;

function action(from: Readonly<Record<string, unknown>>): Control | null {
  const label = said(from.text);
  const look = from.style === "primary" || from.style === "danger" ? from.style : "plain";
  return label ? { ...INERT, label, look, href: safeHref(said(from.url)) } : null;
}
