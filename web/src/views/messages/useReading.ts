/** What has been read: the newest, once it is in sight of somebody who is here; and how many came while one was above. */
import { type ReadonlySignal, useComputed, useSignal } from "@preact/signals";
import { useCallback, useEffect, useRef } from "preact/hooks";
import type { Timeline } from "../../core/contract";
import { plainText } from "../../text/plain";
import { useClient, useScreen } from "../../ui/context";
import type { ListState } from "./list";
import { countAfter, newestSent } from "./place";
import type { Scroll } from "./useScroll";

export interface Reading {
  /** Of others, since one left the end. */
  readonly missed: ReadonlySignal<number>;
  markAllRead(): void;
}

export function useReading(timeline: Timeline, scroll: Scroll, list: ListState): Reading {
  const client = useClient();
  const lastSeen = useSignal("");
  const told = useRef("");
  const rows = timeline.rows.value;
  const isAtEnd = scroll.isAtEnd.value;

  const read = useCallback(() => {
    const newest = newestSent(timeline.rows.peek());
    if (!newest || list.threadTs || list.isHeldUnread.peek() || newest === told.current) return;
    if (!scroll.isAtEnd.peek() || timeline.hasNewer.peek() || !document.hasFocus()) return;
    told.current = newest;
    client.markRead(list.conversationId, newest);
  }, [client, timeline, scroll.isAtEnd, list]);

  useEffect(() => {
    if (isAtEnd) lastSeen.value = rows.at(-1)?.key ?? "";
    read();
  }, [rows, isAtEnd, read, lastSeen]);
  useEffect(() => {
    window.addEventListener("focus", read);
    return () => window.removeEventListener("focus", read);
  }, [read]);
  useAnnounced(timeline);

  return {
    missed: useComputed(() =>
      scroll.isAtEnd.value ? 0 : countAfter(timeline.rows.value, lastSeen.value, client.selfId),
    ),
    markAllRead: () => {
      list.isHeldUnread.value = false;
      const newest = newestSent(timeline.rows.peek());
      if (newest) client.markRead(list.conversationId, newest);
    },
  };
}

/** A new message at the end is said to who listens; not one's own, and not a page that is loaded. */
function useAnnounced(timeline: Timeline): void {
  const client = useClient();
  const screen = useScreen();
  const last = useRef<string | null>(null);
  const rows = timeline.rows.value;
  useEffect(() => {
    const row = rows.at(-1);
    const before = last.current;
    last.current = row?.key ?? null;
    if (before === null || row?.kind !== "message" || row.key === before || timeline.isLoading.peek()) return;
    // The one that was last stands right above: this one was written, not loaded.
    if (!rows.slice(-4, -1).some(({ key }) => key === before)) return;
    const { authorId, authorName, text } = row.message;
    if (authorId === client.selfId) return;
    const name = authorName ?? (authorId && client.user(authorId).peek()?.label) ?? "Somebody";
    const names = {
      user: (id: string) => client.user(id).peek()?.label,
      channel: (id: string) => client.conversation(id).peek()?.name,
    };
    screen.announce(`${name}: ${plainText(text, names).slice(0, 300)}`);
  }, [rows, client, screen, timeline]);
}
