/** Holding a timeline while it is shown. */
import { useLayoutEffect, useState } from "preact/hooks";
import type { Id, Timeline, Ts } from "../../core/contract";
import { useClient } from "../../ui/context";

/** The timeline of a conversation, or of a thread in it; null in the very first drawing. */
export function useTimeline(conversationId: Id, threadTs: Ts | null): Timeline | null {
  const client = useClient();
  const [timeline, setTimeline] = useState<Timeline | null>(null);
  useLayoutEffect(() => {
    const held = threadTs ? client.thread(conversationId, threadTs) : client.timeline(conversationId);
    setTimeline(held.timeline);
    return held.release;
  }, [client, conversationId, threadTs]);
  return timeline;
}
