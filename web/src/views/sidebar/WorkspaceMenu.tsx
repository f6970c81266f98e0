/** The workspace's name, and what concerns all of it. */
import { ChevronDown, Hash, Keyboard, LogOut, Settings, UserPlus } from "lucide-preact";
import { useClient, useScreen } from "../../ui/context";
import { Menu } from "../../ui/Menu";
import { keysHere } from "../../ui/platform";
import css from "./Sidebar.module.css";

export function WorkspaceMenu() {
  const client = useClient();
  const screen = useScreen();
  const self = client.user(client.selfId).value;
  const { name } = client.team.value;
  return (
    <Menu
      label={name}
      items={[
        self?.isAdmin && {
          label: "Invite people",
          icon: UserPlus,
          onSelect: () => screen.open({ kind: "invite" }),
        },
        { label: "Create a channel", icon: Hash, onSelect: () => screen.open({ kind: "create_channel" }) },
        "-",
        {
          label: "Preferences",
          icon: Settings,
          hint: keysHere("Mod+,"),
          onSelect: () => screen.open({ kind: "preferences" }),
        },
        {
          label: "Keyboard shortcuts",
          icon: Keyboard,
          hint: keysHere("Mod+/"),
          onSelect: () => screen.open({ kind: "shortcuts" }),
        },
        "-",
        { label: "Sign out", icon: LogOut, onSelect: () => void screen.signOut().catch(screen.fail) },
      ]}
      trigger={(props) => (
        <button type="button" class={css.team} {...props}>
          <span class={css.teamName}>{name || "…"}</span>
          <ChevronDown size={16} aria-hidden="true" />
        </button>
      )}
    />
  );
}
