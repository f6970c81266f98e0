/** Above the very first message: what this conversation is. */
import { Hash, Lock } from "lucide-preact";
import type { Id } from "../../core/contract";
import { RichLine } from "../../text/RichText";
import { Avatar } from "../../ui/Avatar";
import { useClient } from "../../ui/context";
import css from "./ConversationView.module.css";

export function Beginning({ conversationId }: { readonly conversationId: Id }) {
  const conversation = useClient().conversation(conversationId).value;
  if (!conversation) return null;
  const { kind, name, purpose, userId, userIds } = conversation;
  if (kind === "im" || kind === "mpim") {
    return (
      <div class={css.beginning}>
        <div class={css.faces}>
          {(userId ? [userId] : userIds).slice(0, 8).map((id) => (
            <Face key={id} id={id} />
          ))}
        </div>
        <p class={css.title}>{name}</p>
        <p class={css.words}>
          This is the beginning of what you write to each other.{" "}
          {kind === "im" ? "Only the two of you" : "Only you here"} can read it.
        </p>
      </div>
    );
  }
  const Icon = kind === "private" ? Lock : Hash;
  return (
    <div class={css.beginning}>
      <span class={css.sign}>
        <Icon size={26} aria-hidden="true" />
      </span>
      <p class={css.title}>#{name}</p>
      <p class={css.words}>
        This is the beginning of the {kind === "private" ? "private channel" : "channel"}.{" "}
        {purpose && <RichLine text={purpose} />}
      </p>
    </div>
  );
}

const Face = ({ id }: { readonly id: Id }) => <Avatar user={useClient().user(id).value} size={52} />;
