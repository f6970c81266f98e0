/** A conversation: its messages, who types, and where one writes. */
import { useCallback, useEffect, useMemo } from "preact/hooks";
import type { Conversation, Id, Timeline, Ts } from "../../core/contract";
import { useClient, useRoute } from "../../ui/context";
import { Composer } from "../composer/Composer";
import { DropArea } from "../composer/DropArea";
import { NoComposer } from "../composer/NoComposer";
import { useStaging } from "../composer/staging";
import { Beginning } from "./Beginning";
import css from "./ConversationView.module.css";
import { type ListState, makeList } from "./list";
import { MessageList } from "./MessageList";
import { recentAuthors } from "./recent";
import { Skeletons } from "./Skeletons";
import { TypingLine } from "./TypingLine";
import { useTimeline } from "./useTimeline";

interface ConversationViewProps {
  readonly conversationId: Id;
  /** Show this message. */
  readonly at: Ts | null;
}

export function ConversationView({ conversationId, at: named }: ConversationViewProps) {
  const client = useClient();
  const route = useRoute();
  // Beside a thread it is a reply that the address names: that is the thread's to show.
  const isReply = route.page === "conversation" && route.pane?.kind === "thread";
  const at = isReply ? null : named;
  const timeline = useTimeline(conversationId, null);
  const conversation = client.conversation(conversationId).value;
  const list = useMemo(() => makeList(conversationId, null), [conversationId]);
  const staging = useStaging();
  useEffect(() => void client.loadEmoji().catch(() => undefined), [client]); // names are shown without them
  const name = conversation ? nameOf(conversation) : "";
  const mayWrite = (conversation?.isMember && !conversation.isArchived) ?? false;
  return (
    <DropArea name={name} onFiles={mayWrite ? staging.add : null}>
      {timeline ? (
        <MessageList
          timeline={timeline}
          list={list}
          label={`Messages in ${name}`}
          at={at}
          beginning={<Beginning conversationId={conversationId} />}
        />
      ) : (
        <Skeletons problem="" onRetry={() => undefined} />
      )}
      <div class={css.bottom}>
        {conversation && mayWrite && timeline && (
          <Writing
            timeline={timeline}
            list={list}
            conversation={conversation}
            staging={staging}
            hasFocus={at === null}
          />
        )}
        {conversation && !mayWrite && <NoComposer conversation={conversation} />}
      </div>
    </DropArea>
  );
}

export const nameOf = ({ kind, name }: Conversation): string => (kind === "im" || kind === "mpim" ? name : `#${name}`);

interface WritingProps {
  readonly timeline: Timeline;
  readonly list: ListState;
  readonly conversation: Conversation;
  readonly staging: ReturnType<typeof useStaging>;
  readonly hasFocus: boolean;
}

/** Where a keyboard is at hand, one may begin to write at once. */
const hasKeyboard = () => matchMedia("(pointer: fine)").matches;

function Writing({ timeline, list, conversation, staging, hasFocus }: WritingProps) {
  const near = useCallback(() => recentAuthors(timeline.rows.peek()), [timeline]);
  const editLast = useEditLast(timeline, list);
  return (
    <>
      <Composer
        conversationId={conversation.id}
        threadTs={null}
        staging={staging}
        placeholder={`Message ${nameOf(conversation)}`}
        near={near}
        onEditLast={editLast}
        hasFocusAtOnce={hasFocus && hasKeyboard()}
      />
      <TypingLine conversationId={conversation.id} threadTs={null} />
    </>
  );
}

/** The newest message of one's own that may be edited. */
export function useEditLast(timeline: Timeline, list: ListState): () => void {
  const client = useClient();
  return useCallback(() => {
    const row = timeline.rows
      .peek()
      .findLast(
        (one) =>
          one.kind === "message" &&
          one.message.authorId === client.selfId &&
          one.message.delivery === "sent" &&
          !one.message.isEphemeral &&
          (one.message.subtype === "" || one.message.subtype === "thread_broadcast"),
      );
    if (!row) return;
    list.active.value = row.key;
    list.editing.value = row.key;
  }, [timeline, list, client]);
}
