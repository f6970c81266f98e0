/** A thread beside its conversation: the message it began with, the replies, and where one writes the next. */
import { useCallback, useMemo } from "preact/hooks";
import type { Conversation, Id, Timeline, Ts } from "../../core/contract";
import { toConversation, useClient, useNavigate, useRoute } from "../../ui/context";
import { PaneHeader } from "../../ui/PaneHeader";
import { Composer } from "../composer/Composer";
import { DropArea } from "../composer/DropArea";
import { NoComposer } from "../composer/NoComposer";
import { type Staging, useStaging } from "../composer/staging";
import { nameOf, useEditLast } from "../messages/ConversationView";
import { type ListState, makeList } from "../messages/list";
import { MessageList } from "../messages/MessageList";
import { recentAuthors } from "../messages/recent";
import { Skeletons } from "../messages/Skeletons";
import { TypingLine } from "../messages/TypingLine";
import { useTimeline } from "../messages/useTimeline";
import css from "./ThreadPane.module.css";

interface ThreadPaneProps {
  readonly conversationId: Id;
  readonly ts: Ts;
}

export function ThreadPane({ conversationId, ts }: ThreadPaneProps) {
  const client = useClient();
  const navigate = useNavigate();
  const route = useRoute();
  const at = route.page === "conversation" ? route.at : null;
  const timeline = useTimeline(conversationId, ts);
  const conversation = client.conversation(conversationId).value;
  const list = useMemo(() => makeList(conversationId, ts), [conversationId, ts]);
  const staging = useStaging();
  const name = conversation ? nameOf(conversation) : "";
  const mayWrite = (conversation?.isMember && !conversation.isArchived) ?? false;
  return (
    <DropArea name="this thread" onFiles={mayWrite ? staging.add : null}>
      <PaneHeader title="Thread" subtitle={name} onClose={() => navigate(toConversation(conversationId))} />
      {timeline ? (
        <MessageList timeline={timeline} list={list} label={`Thread in ${name}`} at={at} />
      ) : (
        <Skeletons problem="" onRetry={() => undefined} />
      )}
      {conversation && mayWrite && timeline && (
        <Replying timeline={timeline} list={list} conversation={conversation} ts={ts} staging={staging} />
      )}
      {conversation && !mayWrite && <NoComposer conversation={conversation} />}
    </DropArea>
  );
}

interface ReplyingProps {
  readonly timeline: Timeline;
  readonly list: ListState;
  readonly conversation: Conversation;
  readonly ts: Ts;
  readonly staging: Staging;
}

function Replying({ timeline, list, conversation, ts, staging }: ReplyingProps) {
  const near = useCallback(() => recentAuthors(timeline.rows.peek()), [timeline]);
  const editLast = useEditLast(timeline, list);
  return (
    <div class={css.bottom}>
      <Composer
        conversationId={conversation.id}
        threadTs={ts}
        staging={staging}
        placeholder="Reply…"
        near={near}
        onEditLast={editLast}
        alsoTo={nameOf(conversation)}
        hasFocusAtOnce={matchMedia("(pointer: fine)").matches}
      />
      <TypingLine conversationId={conversation.id} threadTs={ts} />
    </div>
  );
}
