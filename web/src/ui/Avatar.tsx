/** A face: the picture, or letters on a colour that stays with the person; with a dot for presence when asked. */
import { Bot } from "lucide-preact";
import { useState } from "preact/hooks";
import type { Id, User } from "../core/contract";
import css from "./Avatar.module.css";
import { classes } from "./classes";
import { useClient } from "./context";
import { colourOf, initials } from "./initials";

interface PictureProps {
  /** What the colour is made of: an id, or a name where there is none. */
  readonly id: string;
  readonly label: string;
  readonly picture: string;
  readonly size?: number;
  readonly isBot?: boolean;
}

/** Decoration beside a name that is written out: silent to screen readers. */
export function Picture({ id, label, picture, size = 36, isBot }: PictureProps) {
  const [broken, setBroken] = useState("");
  const style = {
    width: `${size}px`,
    height: `${size}px`,
    borderRadius: `${Math.max(4, Math.min(12, Math.round(size * 0.22)))}px`,
    fontSize: `${Math.round(size * (size < 28 ? 0.46 : 0.4))}px`,
  };
  if (picture && picture !== broken) {
    return (
      <img
        src={picture}
        alt=""
        width={size}
        height={size}
        loading="lazy"
        class={css.picture}
        style={style}
        onError={() => setBroken(picture)}
      />
    );
  }
  const letters = size < 22 ? Array.from(initials(label)).slice(0, 1) : initials(label);
  return (
    <span aria-hidden="true" class={css.letters} style={{ ...style, background: `var(--avatar-${colourOf(id)})` }}>
      {isBot ? <Bot size={Math.round(size * 0.6)} /> : letters}
    </span>
  );
}

interface AvatarProps {
  readonly user: User | undefined;
  readonly size?: number;
  /** Draw the dot. Whoever draws it also says `watchPresence`. */
  readonly hasPresence?: boolean;
}

export function Avatar({ user, size = 36, hasPresence }: AvatarProps) {
  if (!user) return <span aria-hidden="true" class={css.absent} style={{ width: `${size}px`, height: `${size}px` }} />;
  return (
    <span class={classes(css.avatar, user.isDeactivated && css.gone)}>
      <Picture id={user.id} label={user.label} picture={user.picture} size={size} isBot={user.isBot} />
      {hasPresence && <PresenceDot userId={user.id} isOnPicture size={size > 30 ? 10 : 8} />}
    </span>
  );
}

interface PresenceDotProps {
  readonly userId: Id;
  readonly size?: number;
  readonly isOnPicture?: boolean;
}

/** Filled: active; a ring: away; nothing while it is not known. */
export function PresenceDot({ userId, size = 8, isOnPicture }: PresenceDotProps) {
  const presence = useClient().presence(userId).value;
  if (presence === "unknown") return null;
  return (
    <span
      role="img"
      aria-label={presence === "active" ? "Active" : "Away"}
      class={classes(css.dot, css[presence], isOnPicture && css.corner)}
      style={{ width: `${size}px`, height: `${size}px` }}
    />
  );
}
