/** Reactions under a message: each a switch of one's own, with who else in its tooltip; and one more to add. */
import { SmilePlus } from "lucide-preact";
import type { Id, Message, Reaction } from "../../core/contract";
import { EmojiView } from "../../text/EmojiView";
import { splitTone } from "../../text/emoji/tone";
import { useTabStop } from "../../text/tabstop";
import { classes } from "../../ui/classes";
import { useClient, useScreen } from "../../ui/context";
import { named } from "./named";
import css from "./Reactions.module.css";

interface ReactionsProps {
  readonly message: Message;
  readonly onAdd: (anchor: HTMLElement) => void;
}

export function Reactions({ message, onAdd }: ReactionsProps) {
  const tab = useTabStop();
  return (
    <div class={css.all}>
      {message.reactions.map((reaction) => (
        <One key={reaction.name} message={message} reaction={reaction} />
      ))}
      <button
        type="button"
        tabIndex={tab}
        class={css.add}
        aria-label="Add reaction"
        data-tooltip="Add reaction"
        onClick={(event) => onAdd(event.currentTarget)}
      >
        <SmilePlus size={15} aria-hidden="true" />
      </button>
    </div>
  );
}

/** As many names as a tooltip can hold. */
const NAMES_MAX = 12;

function One({ message, reaction }: { readonly message: Message; readonly reaction: Reaction }) {
  const client = useClient();
  const screen = useScreen();
  const tab = useTabStop();
  const { name, count, userIds } = reaction;
  const isOwn = userIds.includes(client.selfId);
  const label = (id: Id) => (id === client.selfId ? "you" : (client.user(id).value?.label ?? "somebody"));
  const shown = [...userIds].sort((one) => (one === client.selfId ? -1 : 0)).slice(0, NAMES_MAX);
  const who = named(shown.map(label), count);
  const said = splitTone(name).name;
  return (
    <button
      type="button"
      tabIndex={tab}
      aria-pressed={isOwn}
      aria-label={`${said.replace(/_/g, " ")}, ${count}: ${who}`}
      data-tooltip={`${who.replace(/^you/, "You")} reacted with :${said}:`}
      class={classes(css.one, isOwn && css.own)}
      onClick={() => client.react(message, name, !isOwn).catch(screen.fail)}
    >
      <span class={css.emoji}>
        <EmojiView name={name} isDecoration />
      </span>
      <span class={css.count}>{count}</span>
    </button>
  );
}
