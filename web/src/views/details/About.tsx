/** Topic, purpose, name and age of a conversation, and what one can do with the whole of it. */

import type { LucideIcon } from "lucide-preact";
import { Archive, ArchiveRestore, Bell, BellOff, LogOut, Star, UserPlus } from "lucide-preact";
import type { Conversation } from "../../core/contract";
import { classes } from "../../ui/classes";
import { useClient, useScreen } from "../../ui/context";
import { ProfileBody } from "../profile/ProfileBody";
import { isDirect } from "../sidebar/sections";
import { leave, setMuted, setStarred } from "../sidebar/useConversationMenu";
import css from "./details.module.css";
import { EditableName, EditableText } from "./Editable";

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
          <EditableText
            conversationId={id}
            term="Topic"
            none="No topic yet"
            value={topic}
            canEdit={canEdit}
            onSave={(value) => client.setTopic(id, value)}
          />
          <EditableText
            conversationId={id}
            term="Purpose"
            none="No purpose yet"
            value={purpose}
            canEdit={canEdit}
            onSave={(value) => client.setPurpose(id, value)}
          />
          <EditableName
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
