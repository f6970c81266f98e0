/** A message away from its conversation: who said it where and when, the beginning of it, and the way there. */
import { Paperclip } from "lucide-preact";
import type { ComponentChildren } from "preact";
import type { Conversation, Message } from "../../core/contract";
import { href } from "../../core/route";
import { RichText } from "../../text/RichText";
import { Avatar, Picture } from "../../ui/Avatar";
import { toConversation, toThread, useClient, useNavigate, usePreferences } from "../../ui/context";
import { fullTime, msOf, shortTime } from "../../ui/time";
import { isDirect } from "../sidebar/sections";
import css from "./MessageCard.module.css";

interface MessageCardProps {
  readonly message: Message;
  /** The text with marks around what was searched for; else the message's own. */
  readonly text?: string;
  /** Where it was said is known from around. */
  readonly hidesPlace?: boolean;
  readonly actions?: ComponentChildren;
}

export function MessageCard({ message, text, hidesPlace, actions }: MessageCardProps) {
  const client = useClient();
  const navigate = useNavigate();
  const { clock } = usePreferences();
  const author = client.user(message.authorId ?? "").value;
  const conversation = client.conversation(message.conversationId).value;
  const { conversationId, threadTs, ts } = message;
  const isReply = threadTs !== null && threadTs !== ts;
  const route = isReply ? toThread(conversationId, threadTs, ts) : toConversation(conversationId, ts);
  const label = message.authorName ?? author?.label ?? "…";
  /** The whole card leads there, but for what leads elsewhere, and for who marks text. */
  const onClick = (event: MouseEvent) => {
    if ((event.target as Element).closest("a, button") || getSelection()?.isCollapsed === false) return;
    navigate(route);
  };
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the time is a link to the same place
    <article class={css.card} onClick={onClick}>
      {message.authorPicture || message.authorName ? (
        <Picture id={label} label={label} picture={message.authorPicture ?? ""} isBot />
      ) : (
        <Avatar user={author} />
      )}
      <div class={css.body}>
        <p class={css.head}>
          <span class={css.author}>{label}</span>
          {!hidesPlace && <span class={css.place}>{placeOf(conversation, isReply)}</span>}
          <a href={href(route)} class={css.time} title={fullTime(msOf(ts), clock)}>
            {shortTime(msOf(ts), Date.now(), clock)}
          </a>
        </p>
        <div class={css.text}>
          <RichText text={text ?? message.text} />
        </div>
        {message.files.length > 0 && (
          <p class={css.files}>
            <Paperclip size={14} aria-hidden="true" />
            {message.files.map((file) => file.name).join(", ")}
          </p>
        )}
      </div>
      {actions && <div class={css.actions}>{actions}</div>}
    </article>
  );
}

function placeOf(conversation: Conversation | undefined, isReply: boolean): string {
  if (!conversation) return "";
  const name = isDirect(conversation) ? `with ${conversation.name}` : `#${conversation.name}`;
  return isReply ? `${name}, in a thread` : name;
}
