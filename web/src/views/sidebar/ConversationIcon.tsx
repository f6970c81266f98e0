/** What stands before a conversation's name: a hash, a lock, a face, or how many there are. */
import { Hash, Lock } from "lucide-preact";
import type { Conversation } from "../../core/contract";
import { Avatar } from "../../ui/Avatar";
import { useClient } from "../../ui/context";
import css from "./ConversationIcon.module.css";

interface ConversationIconProps {
  readonly conversation: Conversation;
  readonly size?: number;
  /** With the dot; who draws it watches. */
  readonly hasPresence?: boolean;
}

export function ConversationIcon({ conversation, size = 20, hasPresence = false }: ConversationIconProps) {
  const box = { width: `${size}px`, height: `${size}px` };
  switch (conversation.kind) {
    case "im":
      return <Face userId={conversation.userId ?? ""} size={size} hasPresence={hasPresence} />;
    case "mpim":
      return (
        <span aria-hidden="true" class={css.many} style={box}>
          {conversation.userIds.length || conversation.memberCount || ""}
        </span>
      );
    default: {
      const Icon = conversation.kind === "private" ? Lock : Hash;
      return (
        <span aria-hidden="true" class={css.sign} style={box}>
          <Icon size={Math.round(size * 0.8)} strokeWidth={2} />
        </span>
      );
    }
  }
}

function Face({ userId, size, hasPresence }: { userId: string; size: number; hasPresence: boolean }) {
  const user = useClient().user(userId).value;
  return <Avatar user={user} size={size} hasPresence={hasPresence} />;
}
