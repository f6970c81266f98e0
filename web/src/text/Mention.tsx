/** People, channels and groups named in a text. */
import type { Id } from "../core/contract";
import { classes } from "../ui/classes";
import { toConversation, useClient, useNavigate, useScreen } from "../ui/context";
import css from "./RichText.module.css";
import { useTabStop } from "./tabstop";
import type { Inline } from "./tree";

type Named = Extract<Inline, { kind: "user" | "channel" | "usergroup" | "broadcast" }>;

export function Mention({ node }: { readonly node: Named }) {
  const shown = <Drawn node={node} />;
  return node.isMarked ? <mark>{shown}</mark> : shown;
}

function Drawn({ node }: { readonly node: Named }) {
  switch (node.kind) {
    case "user":
      return <UserMention id={node.id} label={node.label} />;
    case "channel":
      return <ChannelMention id={node.id} label={node.label} />;
    case "usergroup":
      return <span class={css.mention}>{node.label.startsWith("@") ? node.label : `@${node.label || "group"}`}</span>;
    case "broadcast":
      return <span class={classes(css.mention, css.self)}>@{node.range}</span>;
  }
}

interface NamedProps {
  readonly id: Id;
  readonly label: string;
}

/** A button that opens the person's card; stronger when it is oneself. */
export function UserMention({ id, label }: NamedProps) {
  const client = useClient();
  const screen = useScreen();
  const tab = useTabStop();
  const name = client.user(id).value?.label ?? (label.replace(/^@/, "") || "…");
  return (
    <button
      type="button"
      tabIndex={tab}
      class={classes(css.mention, id === client.selfId && css.self)}
      onClick={() => screen.open({ kind: "profile", userId: id })}
    >
      @{name}
    </button>
  );
}

function ChannelMention({ id, label }: NamedProps) {
  const navigate = useNavigate();
  const tab = useTabStop();
  const known = useClient().conversation(id).value;
  const name = known?.name ?? label;
  // A private channel that one is not in has neither: it is said that there is one, and no more.
  if (!name) return <span class={css.mention}>#private-channel</span>;
  return (
    <button type="button" tabIndex={tab} class={css.mention} onClick={() => navigate(toConversation(id))}>
      #{name}
    </button>
  );
}
