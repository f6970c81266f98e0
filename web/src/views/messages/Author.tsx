/** Who wrote a message: the face, the name that opens their card, what they are, and when. */
import type { Message } from "../../core/contract";
import { EmojiView } from "../../text/EmojiView";
import { safePicture } from "../../text/links";
import { useTabStop } from "../../text/tabstop";
import { Avatar, Picture } from "../../ui/Avatar";
import { toConversation, useClient, useNavigate, usePreferences, useScreen } from "../../ui/context";
import { Hidden } from "../../ui/LiveRegion";
import { fullTime, msOf, timeOfDay } from "../../ui/time";
import css from "./Author.module.css";

const NO_ID = "";

const useAuthor = (message: Message) => {
  const client = useClient();
  const user = message.authorId === null ? undefined : client.user(message.authorId).value;
  return { user, name: message.authorName ?? user?.label ?? (message.authorId ? "…" : "Unknown") };
};

export function Face({ message }: { readonly message: Message }) {
  const screen = useScreen();
  const { user, name } = useAuthor(message);
  const { authorId, authorPicture } = message;
  const own = safePicture(authorPicture);
  const isNamed = message.authorName !== null || own !== null;
  const picture = isNamed ? (
    <Picture id={authorId ?? name ?? NO_ID} label={name} picture={own ?? user?.picture ?? ""} isBot={message.isBot} />
  ) : (
    <Avatar user={user} />
  );
  if (!authorId) return <span class={css.face}>{picture}</span>;
  return (
    <button
      type="button"
      // The name beside it does the same, and is in the way of Tab already.
      tabIndex={-1}
      aria-hidden="true"
      class={css.face}
      onClick={() => screen.open({ kind: "profile", userId: authorId })}
    >
      {picture}
    </button>
  );
}

interface AuthorProps {
  readonly message: Message;
  readonly id: string;
  /** Before the words, on their line; the time stands elsewhere. */
  readonly isInline: boolean;
}

export function Author({ message, id, isInline }: AuthorProps) {
  const screen = useScreen();
  const tab = useTabStop();
  const { user, name } = useAuthor(message);
  const { authorId } = message;
  return (
    <div class={isInline ? css.inline : css.head}>
      {authorId ? (
        <button
          type="button"
          id={`${id}-who`}
          tabIndex={tab}
          class={css.name}
          onClick={() => screen.open({ kind: "profile", userId: authorId })}
        >
          {name}
        </button>
      ) : (
        <span id={`${id}-who`} class={css.name}>
          {name}
        </span>
      )}
      {(message.isBot || user?.isBot) && <span class={css.tag}>App</span>}
      {user?.isDeactivated && <span class={css.tag}>Deactivated</span>}
      {user?.status?.emoji && !message.isBot && (
        <span class={css.status} data-tooltip={user.status.text || undefined}>
          <EmojiView name={user.status.emoji} />
        </span>
      )}
      {!isInline && <When message={message} id={id} />}
    </div>
  );
}

/** The time leads to the message itself, so that it can be linked. */
function When({ message, id }: { readonly message: Message; readonly id: string }) {
  const { clock } = usePreferences();
  const navigate = useNavigate();
  const tab = useTabStop();
  const at = msOf(message.ts);
  const time = (
    <time dateTime={new Date(at).toISOString()} data-tooltip={fullTime(at, clock)}>
      {timeOfDay(at, clock)}
    </time>
  );
  if (message.delivery !== "sent" || message.isEphemeral)
    return (
      <span id={`${id}-when`} class={css.when}>
        {time}
      </span>
    );
  return (
    <button
      type="button"
      id={`${id}-when`}
      tabIndex={tab}
      class={css.when}
      onClick={() => navigate(toConversation(message.conversationId, message.ts))}
    >
      <Hidden>at </Hidden>
      {time}
    </button>
  );
}
