/** Where one's own message is, when it is not there yet. */
import { CircleAlert, Clock } from "lucide-preact";
import type { Message } from "../../core/contract";
import { useTabStop } from "../../text/tabstop";
import { useClient } from "../../ui/context";
import css from "./DeliveryNote.module.css";

export function DeliveryNote({ message }: { readonly message: Message }) {
  const client = useClient();
  const tab = useTabStop();
  switch (message.delivery) {
    case "waiting":
      return (
        <div class={css.note}>
          <Clock size={12} aria-hidden="true" />
          Will be sent when you are back online
          <button type="button" tabIndex={tab} class={css.action} onClick={() => client.discard(message.key)}>
            Discard
          </button>
        </div>
      );
    case "failed":
      return (
        <div class={css.failed} role="alert">
          <CircleAlert size={13} aria-hidden="true" />
          <span>Not sent. {message.failure}</span>
          <button type="button" tabIndex={tab} class={css.action} onClick={() => client.sendAgain(message.key)}>
            Send again
          </button>
          <button type="button" tabIndex={tab} class={css.action} onClick={() => client.discard(message.key)}>
            Discard
          </button>
        </div>
      );
    default:
      return null; // on its way is the usual: it is paler, and that is all
  }
}
