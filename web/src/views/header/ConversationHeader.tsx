/** Above the messages: what this conversation is, who is there, and what one can do with it. */
import { BellOff, ChevronDown, PanelRight, Star, Users } from "lucide-preact";
import { useEffect } from "preact/hooks";
import type { Conversation, Id } from "../../core/contract";
import { EmojiView } from "../../text/EmojiView";
import { RichLine } from "../../text/RichText";
import { IconButton } from "../../ui/Button";
import { useClient, useNavigate, useRoute } from "../../ui/context";
import { Menu } from "../../ui/Menu";
import { Skeleton } from "../../ui/Spinner";
import { membersOf } from "../../ui/words";
import { ConversationIcon } from "../sidebar/ConversationIcon";
import { isDirect } from "../sidebar/sections";
import { setMuted, setStarred, useConversationMenu } from "../sidebar/useConversationMenu";
import css from "./ConversationHeader.module.css";
import { PageHeader } from "./PageHeader";

export function ConversationHeader({ conversationId }: { readonly conversationId: Id }) {
  const client = useClient();
  const conversation = client.conversation(conversationId).value;
  const otherId = conversation?.userId ?? null;
  useEffect(() => (otherId ? client.watchPresence([otherId]) : undefined), [client, otherId]);
  if (!conversation) {
    return (
      <PageHeader>
        <Skeleton width="160px" height={16} />
      </PageHeader>
    );
  }
  return (
    <PageHeader actions={<Actions conversation={conversation} />}>
      <Title conversation={conversation} />
      {conversation.isMuted && (
        <IconButton
          size="s"
          icon={BellOff}
          label="Muted: click to unmute"
          onClick={() => setMuted(client, conversation.id, false)}
        />
      )}
      <Under conversation={conversation} />
    </PageHeader>
  );
}

function Title({ conversation }: { readonly conversation: Conversation }) {
  const client = useClient();
  const items = useConversationMenu(conversation);
  const { isStarred, name } = conversation;
  return (
    <>
      <h1 class={css.title}>
        <Menu
          label={`About ${name}`}
          items={items}
          trigger={(props) => (
            <button type="button" class={css.name} {...props}>
              <ConversationIcon conversation={conversation} size={22} hasPresence />
              <span class={css.words}>{name || "…"}</span>
              <ChevronDown size={14} aria-hidden="true" class={css.chevron} />
            </button>
          )}
        />
      </h1>
      <IconButton
        size="s"
        icon={Star}
        label={isStarred ? "Remove from starred" : "Star"}
        aria-pressed={isStarred}
        class={isStarred ? css.starred : css.star}
        onClick={() => setStarred(client, conversation.id, !isStarred)}
      />
    </>
  );
}

/** The topic; of a person, the status. */
function Under({ conversation }: { readonly conversation: Conversation }) {
  const client = useClient();
  const route = useRoute();
  const navigate = useNavigate();
  const status = conversation.userId ? client.user(conversation.userId).value?.status : null;
  if (status) {
    return (
      <p class={css.topic}>
        {status.emoji && <EmojiView name={status.emoji} isDecoration />} {status.text}
      </p>
    );
  }
  if (isDirect(conversation)) return null;
  if (conversation.topic) {
    return (
      <p class={css.topic} title={conversation.topic}>
        <RichLine text={conversation.topic} />
      </p>
    );
  }
  if (!conversation.isMember || route.page !== "conversation") return null;
  return (
    <button
      type="button"
      class={css.addTopic}
      onClick={() => navigate({ ...route, at: null, pane: { kind: "details" } })}
    >
      Add a topic
    </button>
  );
}

function Actions({ conversation }: { readonly conversation: Conversation }) {
  const route = useRoute();
  const navigate = useNavigate();
  const isOpen = route.page === "conversation" && route.pane?.kind === "details";
  const toggle = () => {
    if (route.page !== "conversation") return;
    navigate({ ...route, at: null, pane: isOpen ? null : { kind: "details" } });
  };
  const { memberCount } = conversation;
  return (
    <>
      {memberCount !== null && conversation.kind !== "im" && (
        <button
          type="button"
          class={css.members}
          aria-label={membersOf(memberCount)}
          data-tooltip="Members"
          onClick={toggle}
        >
          <Users size={16} aria-hidden="true" />
          {memberCount.toLocaleString("en")}
        </button>
      )}
      <IconButton icon={PanelRight} label="Details" isPressed={isOpen} onClick={toggle} />
    </>
  );
}
