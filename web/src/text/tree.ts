/** What the text of a message is made of once it is read. Leaves carry what was written, never markup of the page. */
import type { Id } from "../core/contract";

export type Range = "here" | "channel" | "everyone";

/** `isMarked`: a search found it here. */
export type Inline =
  | { readonly kind: "text"; readonly text: string; readonly isMarked: boolean }
  | { readonly kind: "bold" | "italic" | "strike"; readonly children: readonly Inline[] }
  | { readonly kind: "code"; readonly children: readonly Inline[] }
  | { readonly kind: "link"; readonly href: string; readonly children: readonly Inline[] }
  | { readonly kind: "user"; readonly id: Id; readonly label: string; readonly isMarked: boolean }
  | { readonly kind: "channel"; readonly id: Id; readonly label: string; readonly isMarked: boolean }
  | { readonly kind: "usergroup"; readonly id: Id; readonly label: string; readonly isMarked: boolean }
  | { readonly kind: "broadcast"; readonly range: Range; readonly isMarked: boolean }
  | {
      readonly kind: "date";
      /** Unix seconds. */
      readonly at: number;
      readonly format: string;
      readonly fallback: string;
      readonly href: string | null;
    }
  /** `tone` is 2 (light) to 6 (dark), 0 for none. Whether there is such an emoji is known when it is drawn. */
  | { readonly kind: "emoji"; readonly name: string; readonly tone: number; readonly isMarked: boolean }
  | { readonly kind: "break" };

export interface ListItem {
  readonly children: readonly Inline[];
  readonly lists: readonly List[];
}

export interface List {
  readonly kind: "list";
  readonly isOrdered: boolean;
  /** The number of the first item. */
  readonly start: number;
  readonly items: readonly ListItem[];
}

export type Block =
  | { readonly kind: "paragraph"; readonly children: readonly Inline[] }
  | { readonly kind: "quote"; readonly blocks: readonly Block[] }
  | { readonly kind: "pre"; readonly children: readonly Inline[] }
  | List;

export const text = (said: string, isMarked = false): Inline => ({ kind: "text", text: said, isMarked });

/** Neighbouring texts as one; for reading and for fewer nodes on the page. */
export function joined(nodes: readonly Inline[]): Inline[] {
  const out: Inline[] = [];
  for (const node of nodes) {
    const last = out[out.length - 1];
    if (node.kind === "text" && last?.kind === "text" && last.isMarked === node.isMarked)
      out[out.length - 1] = text(last.text + node.text, node.isMarked);
    else out.push(node);
  }
  return out;
}
