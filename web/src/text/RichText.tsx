/** The tree of a text, drawn. What people wrote becomes text nodes and nothing else. */
import type { ComponentChildren, VNode } from "preact";
import { useMemo } from "preact/hooks";
import { usePreferences } from "../ui/context";
import { formatDate } from "./date";
import { EmojiView } from "./EmojiView";
import { Mention } from "./Mention";
import { parse, parseLine } from "./mrkdwn";
import { isJumbo } from "./plain";
import css from "./RichText.module.css";
import { useTabStop } from "./tabstop";
import type { Block, Inline, List } from "./tree";

/** A message's text. `after` is put at the end of its last line ("(edited)"). */
export function RichText({ text, after }: { readonly text: string; readonly after?: VNode | null }) {
  const blocks = useMemo(() => parse(text), [text]);
  const isLarge = useMemo(() => isJumbo(blocks), [blocks]);
  return <Blocks blocks={blocks} after={after ?? null} isLarge={isLarge} />;
}

/** Text on one line: a topic, a status, a title. */
export function RichLine({ text }: { readonly text: string }) {
  return <Inlines nodes={useMemo(() => parseLine(text), [text])} />;
}

interface BlocksProps {
  readonly blocks: readonly Block[];
  readonly after?: VNode | null;
  readonly isLarge?: boolean;
}

export function Blocks({ blocks, after = null, isLarge = false }: BlocksProps) {
  const last = blocks.at(-1);
  const isInLine = last?.kind === "paragraph";
  return (
    <div class={isLarge ? css.jumbo : css.text} dir="auto">
      {blocks.map((block, index) => (
        <BlockView key={index} block={block} isLarge={isLarge} after={isInLine && block === last ? after : null} />
      ))}
      {!isInLine && after}
    </div>
  );
}

function BlockView({ block, isLarge, after }: { block: Block; isLarge: boolean; after: VNode | null }) {
  switch (block.kind) {
    case "paragraph":
      return (
        <p class={css.paragraph}>
          <Inlines nodes={block.children} isLarge={isLarge} />
          {after && <> {after}</>}
        </p>
      );
    case "quote":
      return (
        <blockquote class={css.quote}>
          {block.blocks.map((inner, index) => (
            <BlockView key={index} block={inner} isLarge={false} after={null} />
          ))}
        </blockquote>
      );
    case "pre":
      return (
        <pre class={css.pre} tabIndex={useTabStop()}>
          <code>
            <Inlines nodes={block.children} />
          </code>
        </pre>
      );
    case "list":
      return <ListView list={block} />;
  }
}

/** Numbers of three digits and more stand to the left of their list, and would stand on the face. */
const roomFor = (last: number) => (last > 99 ? { paddingLeft: `${String(last).length + 1.5}ch` } : {});

function ListView({ list }: { readonly list: List }): VNode {
  const items = list.items.map((item, index) => (
    <li key={index}>
      <Inlines nodes={item.children} />
      {item.lists.map((inner, at) => (
        <ListView key={at} list={inner} />
      ))}
    </li>
  ));
  return list.isOrdered ? (
    <ol class={css.ordered} start={list.start} style={roomFor(list.start + list.items.length - 1)}>
      {items}
    </ol>
  ) : (
    <ul class={css.list}>{items}</ul>
  );
}

export const Inlines = ({ nodes, isLarge = false }: { nodes: readonly Inline[]; isLarge?: boolean }) => (
  <>{nodes.map((node, index) => draw(node, index, isLarge))}</>
);

const TAGS = { bold: "strong", italic: "em", strike: "s" } as const;

function Emphasis({ kind, nodes }: { readonly kind: keyof typeof TAGS; readonly nodes: readonly Inline[] }) {
  const Tag = TAGS[kind];
  return (
    <Tag>
      <Inlines nodes={nodes} />
    </Tag>
  );
}

function draw(node: Inline, key: number, isLarge: boolean): VNode | string {
  switch (node.kind) {
    case "text":
      return node.isMarked ? <mark key={key}>{node.text}</mark> : node.text;
    case "bold":
    case "italic":
    case "strike":
      return <Emphasis key={key} kind={node.kind} nodes={node.children} />;
    case "code":
      return (
        <code key={key} class={css.code}>
          <Inlines nodes={node.children} />
        </code>
      );
    case "link":
      return (
        <Link key={key} href={node.href}>
          <Inlines nodes={node.children} />
        </Link>
      );
    case "emoji":
      return <EmojiView key={key} name={node.name} tone={node.tone} isLarge={isLarge} />;
    case "date":
      return <DateView key={key} {...node} />;
    case "break":
      return <br key={key} />;
    default:
      return <Mention key={key} node={node} />;
  }
}

interface LinkProps {
  readonly href: string;
  readonly children: ComponentChildren;
}

/** An address out of the program; it is shown on hover, as its label may say another. */
export const Link = ({ href, children }: LinkProps) => (
  <a href={href} title={href} target="_blank" rel="noopener noreferrer" class={css.link} tabIndex={useTabStop()}>
    {children}
  </a>
);

function DateView({ at, format, fallback, href }: Extract<Inline, { kind: "date" }>) {
  const said = formatDate(at, format, fallback, Date.now(), usePreferences().clock);
  return href ? <Link href={href}>{said}</Link> : <span title={fallback || undefined}>{said}</span>;
}
