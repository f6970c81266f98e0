/** What the rows of one list share: which of them has the focus, is edited or is shown, and what opens beside them. */
import { type Signal, signal } from "@preact/signals";
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Id, Ts } from "../../core/contract";

export interface ListState {
  readonly conversationId: Id;
  /** Set in the list of a thread. */
  readonly threadTs: Ts | null;
  /** The row that Tab stops at. */
  readonly active: Signal<string | null>;
  readonly editing: Signal<string | null>;
  /** Just jumped to. */
  readonly flashing: Signal<string | null>;
  /** The row the pointer is at. */
  readonly near: Signal<string | null>;
  /** Something in the list has the focus: the bar of the active row is shown for who goes by keys. */
  readonly hasFocus: Signal<boolean>;
  /** Marked as unread by hand: reading on does not take that back by itself. */
  readonly isHeldUnread: Signal<boolean>;
  /** A way to what the rows do not draw themselves: the picker beside `anchor`, for the message of that key. */
  readonly picking: Signal<{ readonly key: string; readonly anchor: HTMLElement } | null>;
}

export const makeList = (conversationId: Id, threadTs: Ts | null): ListState => ({
  conversationId,
  threadTs,
  active: signal(null),
  editing: signal(null),
  flashing: signal(null),
  near: signal(null),
  hasFocus: signal(false),
  isHeldUnread: signal(false),
  picking: signal(null),
});

export const ListContext = createContext<ListState | null>(null);

export function useList(): ListState {
  const list = useContext(ListContext);
  if (!list) throw new Error("A row is drawn outside of a list");
  return list;
}
