/** What stands where one would write, where one may not: not a member yet, or an archive. */
import { Archive } from "lucide-preact";
import { useState } from "preact/hooks";
import type { Conversation } from "../../core/contract";
import { Button } from "../../ui/Button";
import { useClient, useScreen } from "../../ui/context";
import css from "./Composer.module.css";

export function NoComposer({ conversation }: { readonly conversation: Conversation }) {
  const client = useClient();
  const screen = useScreen();
  const [isBusy, setBusy] = useState(false);
  if (conversation.isArchived) {
    return (
      <div class={css.instead}>
        <Archive size={18} aria-hidden="true" />
        <span>This channel is archived. It can be read and searched.</span>
      </div>
    );
  }
  const join = () => {
    setBusy(true);
    client
      .join(conversation.id)
      .catch(screen.fail)
      .finally(() => setBusy(false));
  };
  return (
    <div class={css.instead}>
      <span>
        You are looking at <strong>#{conversation.name}</strong>
      </span>
      <Button kind="primary" size="s" isBusy={isBusy} onClick={join}>
        Join #{conversation.name}
      </Button>
    </div>
  );
}
