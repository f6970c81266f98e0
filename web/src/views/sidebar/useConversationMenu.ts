/** What can be done with a conversation as a whole; the same in the sidebar and in its header. */
import { Bell, BellOff, CheckCheck, Info, Link2, LogOut, Star, StarOff, UserPlus, X } from "lucide-preact";
import type { Client, Conversation, Id } from "../../core/contract";
import { href } from "../../core/route";
import { type Screen, toConversation, useClient, useNavigate, useScreen } from "../../ui/context";
import type { MenuItem } from "../../ui/Menu";
import { isDirect } from "./sections";

export function useConversationMenu(conversation: Conversation): MenuItem[] {
  const client = useClient();
  const screen = useScreen();
  const navigate = useNavigate();
  const { id, isMuted, isStarred, isUnread, mentions } = conversation;
  const isTalk = isDirect(conversation);
  const route = toConversation(id);
  return [
    (isUnread || mentions > 0) && {
      label: "Mark as read",
      icon: CheckCheck,
      hint: "Esc",
      onSelect: () => client.markRead(id, conversation.latest),
    },
    {
      label: isStarred ? "Remove from starred" : "Star",
      icon: isStarred ? StarOff : Star,
      onSelect: () => setStarred(client, id, !isStarred),
    },
    {
      label: isMuted ? "Unmute" : "Mute",
      icon: isMuted ? Bell : BellOff,
      onSelect: () => setMuted(client, id, !isMuted),
    },
    "-",
    {
      label: "Details",
      icon: Info,
      onSelect: () => navigate({ ...route, pane: { kind: "details" } } as typeof route),
    },
    { label: "Copy link", icon: Link2, onSelect: () => void copy(screen, location.origin + href(route)) },
    conversation.kind !== "im" && {
      label: "Add people",
      icon: UserPlus,
      onSelect: () => screen.open({ kind: "add_members", conversationId: id }),
    },
    "-",
    isTalk
      ? { label: "Close", icon: X, onSelect: () => void client.close(id).catch(screen.fail) }
      : !conversation.isGeneral && {
          label: "Leave channel",
          icon: LogOut,
          isDangerous: true,
          onSelect: () => void leave(client, screen, conversation),
        },
  ];
}

const toggled = (ids: readonly Id[], id: Id, on: boolean): readonly Id[] =>
  on ? [...new Set([...ids, id])] : ids.filter((one) => one !== id);

export const setStarred = (client: Client, id: Id, on: boolean): void =>
  client.setPreferences({ starredIds: toggled(client.preferences.peek().starredIds, id, on) });

export const setMuted = (client: Client, id: Id, on: boolean): void =>
  client.setPreferences({ mutedIds: toggled(client.preferences.peek().mutedIds, id, on) });

export async function copy(screen: Screen, text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    screen.toast("Copied");
  } catch {
    screen.toast("The browser did not let us copy.", { kind: "problem" });
  }
}

export async function leave(client: Client, screen: Screen, conversation: Conversation): Promise<void> {
  const isPrivate = conversation.kind === "private";
  const goesOn = await screen.confirm({
    title: `Leave ${conversation.name}?`,
    text: isPrivate
      ? "It is private: to come back, somebody there must add you."
      : "You can come back at any time. Until then nothing of it reaches you.",
    action: "Leave",
    isDangerous: true,
  });
  if (goesOn) await client.leave(conversation.id).catch(screen.fail);
}
