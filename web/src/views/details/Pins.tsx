/** What is pinned in a conversation. */
import { Pin, PinOff } from "lucide-preact";
import { useCallback } from "preact/hooks";
import type { Id, Message } from "../../core/contract";
import { Button, IconButton } from "../../ui/Button";
import { classes } from "../../ui/classes";
import { useClient, useScreen } from "../../ui/context";
import { Empty } from "../../ui/Empty";
import { SkeletonRows } from "../../ui/Spinner";
import { useLoaded } from "../../ui/useLoaded";
import { MessageCard } from "../search/MessageCard";
import css from "./details.module.css";

export function Pins({ conversationId }: { readonly conversationId: Id }) {
  const client = useClient();
  const screen = useScreen();
  const pins = useLoaded(useCallback(() => client.pins(conversationId), [client, conversationId]));
  const unpin = async (message: Message) => {
    try {
      await client.pin(message, false);
      pins.again();
    } catch (error) {
      screen.fail(error);
    }
  };
  if (pins.problem) {
    return (
      <Empty title="The pins did not load" action={<Button onClick={pins.again}>Try again</Button>}>
        {pins.problem}
      </Empty>
    );
  }
  if (!pins.value) return <SkeletonRows count={3} />;
  if (pins.value.length === 0) {
    return (
      <Empty icon={Pin} title="Nothing is pinned">
        Pin a message that everybody here should find again.
      </Empty>
    );
  }
  return (
    <div class={classes(css.scroller, css.tight)}>
      {pins.value.map((message) => (
        <MessageCard
          key={message.key}
          message={message}
          hidesPlace
          actions={<IconButton size="s" icon={PinOff} label="Unpin" onClick={() => void unpin(message)} />}
        />
      ))}
    </div>
  );
}
