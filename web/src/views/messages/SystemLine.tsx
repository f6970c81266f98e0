/** What happened in a conversation, said by nobody: joined, left, renamed, pinned. */
import type { Message } from "../../core/contract";
import { RichText } from "../../text/RichText";
import css from "./MessageBody.module.css";

const HAPPENINGS =
  /^(?:channel|group|mpim)_(?:join|leave|topic|purpose|name|archive|unarchive|convert_to_private|posting_permissions)$|^(?:pinned_item|unpinned_item|reminder_add|bot_add|bot_remove|sh_room_created)$/;

export const isSystem = (message: Message): boolean => HAPPENINGS.test(message.subtype);

/** Slack's words begin with who did it, who stands above already. */
export function SystemLine({ message }: { readonly message: Message }) {
  const said = message.authorId ? message.text.replace(`<@${message.authorId}> `, "") : message.text;
  return (
    <div class={css.system}>
      <RichText text={said} />
    </div>
  );
}
