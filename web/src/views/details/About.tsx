/** Topic, purpose, name and age of a conversation, and what one can do with the whole of it. */

import type { LucideIcon } from "lucide-preact";
import { Archive, ArchiveRestore, Bell, BellOff, LogOut, Pencil, Star, UserPlus } from "lucide-preact";
import { useState } from "preact/hooks";
import type { Conversation } from "../../core/contract";
import { RichText } from "../../text/RichText";
import { Button, IconButton } from "../../ui/Button";
import { classes } from "../../ui/classes";
import { useClient, useScreen } from "../../ui/context";
import { TextField } from "../../ui/TextField";
import { wordsOf } from "../../ui/words";
import { ProfileBody } from "../profile/ProfileBody";
import { isDirect } from "../sidebar/sections";
import { leave, setMuted, setStarred } from "../sidebar/useConversationMenu";
import css from "./details.module.css";

export function About({ conversation }: { readonly conversation: Conversation }) {
  const client = useClient();
  const { id, name, topic, purpose, kind } = conversation;
  if (kind === "im" && conversation.userId) {
    return (
      <div class={css.scroller}>
        <ProfileBody userId={conversation.userId} />
        <Deeds conversation={conversation} />
      </div>
    );
  }
  const canEdit = conversation.isMember && !conversation.isArchived;
  return (
    <div class={css.scroller}>
      {!isDirect(conversation) && (
        <>
          <Editable
            term="Topic"
            none="No topic yet"
            value={topic}
            canEdit={canEdit}
            onSave={(value) => client.setTopic(id, value)}
          />
          <Editable
            term="Purpose"
            none="No purpose yet"
            value={purpose}
            canEdit={canEdit}
            onSave={(value) => client.setPurpose(id, value)}
          />
          <Editable
            term="Name"
            value={name}
            canEdit={canEdit && !conversation.isGeneral && mayManage(conversation, client.selfId, isAdmin(client))}
            onSave={(value) => client.rename(id, value.replace(/^#/, ""))}
          />
          <Origin conversation={conversation} />
        </>
      )}
      <Deeds conversation={conversation} />
    </div>
  );
}

const isAdmin = (client: ReturnType<typeof useClient>): boolean => client.user(client.selfId).value?.isAdmin ?? false;

/** The server has the last word; this only spares one what it would refuse. */
const mayManage = (conversation: Conversation, selfId: string, admin: boolean): boolean =>
  admin || conversation.creatorId === selfId;

function Origin({ conversation }: { readonly conversation: Conversation }) {
  const creator = useClient().user(conversation.creatorId ?? "").value;
  const day = new Date(conversation.createdAt * 1000).toLocaleDateString("en-GB", {
    day: "numeric",
    month: "long",
    year: "numeric",
  });
  return (
    <section class={css.part}>
      <h3 class={css.term}>Created</h3>
      <p class={css.value}>{creator ? `By ${creator.label}, ${day}` : day}</p>
    </section>
  );
}

interface EditableProps {
  readonly term: string;
  readonly value: string;
  readonly none?: string;
  readonly canEdit: boolean;
  readonly onSave: (value: string) => Promise<void>;
}

function Editable({ term, value, none = "", canEdit, onSave }: EditableProps) {
  const [text, setText] = useState<string | null>(null);
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const save = async () => {
    setBusy(true);
    try {
      await onSave((text ?? "").trim());
      setText(null);
    } catch (error) {
      setProblem(wordsOf(error));
    }
    setBusy(false);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    setText(null);
  };
  return (
    <section class={css.part}>
      <h3 class={css.term}>
        {term}
        {canEdit && text === null && (
          <IconButton size="s" icon={Pencil} label={`Edit the ${term.toLowerCase()}`} onClick={() => setText(value)} />
        )}
      </h3>
      {text === null ? (
        value ? (
          <div class={css.value}>{term === "Name" ? value : <RichText text={value} />}</div>
        ) : (
          <p class={css.none}>{none}</p>
        )
      ) : (
        <form
          class={css.edit}
          onKeyDown={onKeyDown}
          onSubmit={(event) => {
            event.preventDefault();
            void save();
          }}
        >
          <TextField
            label={term}
            hidesLabel
            value={text}
            problem={problem}
            {...(term === "Name" ? {} : { rows: 3 })}
            autofocus
            maxLength={term === "Name" ? 80 : 250}
            onInput={(next) => {
              setText(next);
              setProblem("");
            }}
          />
          <div class={css.buttons}>
            <Button size="s" kind="quiet" onClick={() => setText(null)}>
              Cancel
            </Button>
            <Button size="s" kind="primary" type="submit" isBusy={isBusy}>
              Save
            </Button>
          </div>
        </form>
      )}
    </section>
  );
}

interface DeedProps {
  readonly icon: LucideIcon;
  readonly label: string;
  readonly isDangerous?: boolean;
  readonly onClick: () => void;
}

const Deed = ({ icon: Icon, label, isDangerous, onClick }: DeedProps) => (
  <button type="button" class={classes(css.action, isDangerous && css.dangerous)} onClick={onClick}>
    <Icon size={17} aria-hidden="true" />
    {label}
  </button>
);

function Deeds({ conversation }: { readonly conversation: Conversation }) {
  const client = useClient();
  const screen = useScreen();
  const { id, name, isStarred, isMuted, isArchived, isGeneral } = conversation;
  const isChannel = !isDirect(conversation);
  const mayArchive = isChannel && !isGeneral && mayManage(conversation, client.selfId, isAdmin(client));
  const archive = async () => {
    const goesOn = await screen.confirm({
      title: `Archive ${name}?`,
      text: "Nobody can write in it any more; what was written can still be found. It can be brought back.",
      action: "Archive",
      isDangerous: true,
    });
    if (goesOn) await client.archive(id, true).catch(screen.fail);
  };
  if (!conversation.isMember && !isArchived) return null;
  return (
    <section class={css.part}>
      <div class={css.actions}>
        <Deed
          icon={Star}
          label={isStarred ? "Remove from starred" : "Star"}
          onClick={() => setStarred(client, id, !isStarred)}
        />
        <Deed
          icon={isMuted ? Bell : BellOff}
          label={isMuted ? "Unmute" : "Mute"}
          onClick={() => setMuted(client, id, !isMuted)}
        />
        {conversation.kind !== "im" && !isArchived && (
          <Deed
            icon={UserPlus}
            label="Add people"
            onClick={() => screen.open({ kind: "add_members", conversationId: id })}
          />
        )}
        {mayArchive &&
          (isArchived ? (
            <Deed
              icon={ArchiveRestore}
              label="Bring back from the archive"
              onClick={() => void client.archive(id, false).catch(screen.fail)}
            />
          ) : (
            <Deed icon={Archive} label="Archive for everybody" isDangerous onClick={() => void archive()} />
          ))}
        {isChannel && !isGeneral && (
          <Deed
            icon={LogOut}
            label="Leave channel"
            isDangerous
            onClick={() => void leave(client, screen, conversation)}
          />
        )}
      </div>
    </section>
  );
}
