/** Oneself, at the foot of the sidebar: face, presence, status, and what one can change about these. */
import { CircleUser, CircleX, KeyRound, Moon, Smile, SmilePlus, Sun } from "lucide-preact";
import { useEffect } from "preact/hooks";
import { EmojiView } from "../../text/EmojiView";
import { Avatar } from "../../ui/Avatar";
import { useClient, useScreen } from "../../ui/context";
import { Menu, type MenuItem } from "../../ui/Menu";
import css from "./SelfCard.module.css";

export function SelfCard() {
  const client = useClient();
  const self = client.user(client.selfId).value;
  const isAway = client.presence(client.selfId).value === "away";
  useEffect(() => client.watchPresence([client.selfId]), [client]);
  const items = useItems(isAway, Boolean(self?.status));
  return (
    <Menu
      label="You"
      side="above"
      items={items}
      trigger={(props) => (
        <button type="button" class={css.card} {...props}>
          <Avatar user={self} size={32} hasPresence />
          <span class={css.words}>
            <span class={css.name}>{self?.label ?? "…"}</span>
            <span class={css.status}>
              {self?.status ? (
                <>
                  {self.status.emoji && <EmojiView name={self.status.emoji} isDecoration />} {self.status.text}
                </>
              ) : isAway ? (
                "Away"
              ) : (
                "Active"
              )}
            </span>
          </span>
        </button>
      )}
    />
  );
}

function useItems(isAway: boolean, hasStatus: boolean): MenuItem[] {
  const client = useClient();
  const screen = useScreen();
  return [
    {
      label: hasStatus ? "Change your status" : "Set a status",
      icon: hasStatus ? Smile : SmilePlus,
      onSelect: () => screen.open({ kind: "status" }),
    },
    hasStatus && {
      label: "Clear your status",
      icon: CircleX,
      onSelect: () => void client.setStatus("", "", 0).catch(screen.fail),
    },
    {
      label: isAway ? "Set yourself as active" : "Set yourself as away",
      icon: isAway ? Sun : Moon,
      onSelect: () => void client.setAway(!isAway).catch(screen.fail),
    },
    "-",
    {
      label: "Profile",
      icon: CircleUser,
      onSelect: () => screen.open({ kind: "profile", userId: client.selfId }),
    },
    { label: "Change password", icon: KeyRound, onSelect: () => screen.open({ kind: "password" }) },
  ];
}
