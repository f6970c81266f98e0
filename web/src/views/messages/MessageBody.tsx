/** What a message says: its blocks or its text, then what is attached, then its files. */

import { useMemo } from "preact/hooks";
import type { BlockAction, Message } from "../../core/contract";
import { Attachments } from "../../text/Attachments";
import { BlockKit } from "../../text/BlockKit";
import { readBlocks } from "../../text/blocks";
import { ActContext } from "../../text/ControlView";
import { RichText } from "../../text/RichText";
import { useClient, usePreferences } from "../../ui/context";
import { fullTime, msOf } from "../../ui/time";
import { Files } from "../files/Files";
import css from "./MessageBody.module.css";

export function MessageBody({ message }: { readonly message: Message }) {
  const blocks = useMemo(() => readBlocks(message.blocks), [message.blocks]);
  const client = useClient();
  const act = message.isBot && message.delivery === "sent" ? (used: BlockAction) => client.act(message, used) : null;
  if (message.subtype === "tombstone") return <div class={css.gone}>This message was deleted.</div>;
  const edited = message.editedAt ? <Edited at={message.editedAt} /> : null;
  return (
    <>
      <ActContext.Provider value={act}>
        {blocks.length > 0 ? (
          <>
            <BlockKit blocks={blocks} />
            {edited}
          </>
        ) : (
          message.text && (
            <div class={message.subtype === "me_message" ? css.me : undefined}>
              <RichText text={message.text} after={edited} />
            </div>
          )
        )}
        {message.attachments.length > 0 && <Attachments attachments={message.attachments} />}
      </ActContext.Provider>
      {message.files.length > 0 && <Files files={message.files} />}
    </>
  );
}

function Edited({ at }: { readonly at: string }) {
  const { clock } = usePreferences();
  return (
    <span class={css.edited} data-tooltip={`Edited ${fullTime(msOf(at), clock)}`}>
      (edited)
    </span>
  );
}
