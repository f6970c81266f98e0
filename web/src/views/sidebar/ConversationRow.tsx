/** One conversation in the sidebar: where it leads, and what is new there. */
import { BellOff, Pencil } from "lucide-preact";
import { memo } from "preact/compat";
import { useState } from "preact/hooks";
import { type Conversation, draftKey } from "../../core/contract";
import { href } from "../../core/route";
import { EmojiView } from "../../text/EmojiView";
import { classes } from "../../ui/classes";
import { toConversation, useClient } from "../../ui/context";
import { Hidden } from "../../ui/LiveRegion";
import { MenuPanel } from "../../ui/Menu";
import type { Box } from "../../ui/place";
import { ConversationIcon } from "./ConversationIcon";
import css from "./ConversationRow.module.css";
import { demands } from "./sections";
import { useConversationMenu } from "./useConversationMenu";

interface ConversationRowProps {
  readonly conversation: Conversation;
  readonly isCurrent: boolean;
}

export const ConversationRow = memo(({ conversation, isCurrent }: ConversationRowProps) => {
  const client = useClient();
  const [menuAt, setMenuAt] = useState<Box | null>(null);
  const hasDraft = !isCurrent && client.drafts.value.has(draftKey(conversation.id));
  const isBold = demands(conversation);
  return (
    <li class={css.item}>
      <a
        href={href(toConversation(conversation.id))}
        data-row
        data-unread={isBold || undefined}
        data-mentions={conversation.mentions || undefined}
        data-watch={conversation.userId ?? undefined}
        aria-current={isCurrent ? "page" : undefined}
        aria-haspopup="menu"
        class={classes(css.row, isBold && css.unread, conversation.isMuted && css.muted, isCurrent && css.current)}
        onContextMenu={(event) => {
          event.preventDefault();
          setMenuAt({ left: event.clientX, top: event.clientY, width: 0, height: 0 });
        }}
      >
        <ConversationIcon conversation={conversation} hasPresence />
        <span class={css.name}>{conversation.name || "…"}</span>
        {conversation.kind === "im" && <Extra userId={conversation.userId ?? ""} selfId={client.selfId} />}
        <span class={css.end}>
          {hasDraft && <Pencil size={13} aria-label="Draft" />}
          {conversation.isMuted && <BellOff size={13} aria-label="Muted" />}
          {conversation.mentions > 0 && <Badge count={conversation.mentions} />}
          {isBold && conversation.mentions === 0 && <Hidden>unread</Hidden>}
        </span>
      </a>
      {menuAt && <RowMenu conversation={conversation} at={menuAt} onClose={() => setMenuAt(null)} />}
    </li>
  );
});

/** The emoji of the other's status, or that it is oneself. */
function Extra({ userId, selfId }: { readonly userId: string; readonly selfId: string }) {
  const status = useClient().user(userId).value?.status;
  if (userId === selfId) return <span class={css.you}>you</span>;
  if (!status?.emoji) return null;
  return (
    <span class={css.status} data-tooltip={status.text || undefined}>
      <EmojiView name={status.emoji} isDecoration />
    </span>
  );
}

export const Badge = ({ count }: { readonly count: number }) => (
  <span class={css.badge}>
    {count > 99 ? "99+" : count}
    <Hidden>{count === 1 ? " mention" : " mentions"}</Hidden>
  </span>
);

function RowMenu({ conversation, at, onClose }: { conversation: Conversation; at: Box; onClose: () => void }) {
  const items = useConversationMenu(conversation);
  return <MenuPanel anchor={at} label={`About ${conversation.name}`} items={items} onClose={onClose} />;
}
