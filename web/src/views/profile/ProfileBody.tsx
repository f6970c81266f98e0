/** A person: face, names, status, local time, how to reach them. In the card and in the details of a conversation. */

import type { LucideIcon } from "lucide-preact";
import { Clock, Mail, Phone } from "lucide-preact";
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Id, User } from "../../core/contract";
import { EmojiView } from "../../text/EmojiView";
import { Avatar, PresenceDot } from "../../ui/Avatar";
import { useClient, usePreferences } from "../../ui/context";
import { Skeleton } from "../../ui/Spinner";
import { localTime } from "./localTime";
import css from "./ProfileBody.module.css";

export function ProfileBody({ userId, children }: { readonly userId: Id; readonly children?: ComponentChildren }) {
  const client = useClient();
  const user = client.user(userId).value;
  useEffect(() => client.watchPresence([userId]), [client, userId]);
  if (!user) return <Skeleton height={72} />;
  const presence = client.presence(userId).value;
  return (
    <div class={css.profile}>
      <div class={css.top}>
        <Avatar user={user} size={80} />
        <div class={css.names}>
          <h3 class={css.name}>{user.label}</h3>
          {user.pronouns && <p class={css.quiet}>{user.pronouns}</p>}
          {user.realName !== user.label && <p class={css.quiet}>{user.realName}</p>}
          {user.title && <p>{user.title}</p>}
          <p class={css.presence}>
            {user.isDeactivated ? (
              "Deactivated"
            ) : user.isBot ? (
              "App"
            ) : (
              <>
                <PresenceDot userId={userId} size={9} />
                {presence === "active" ? "Active" : presence === "away" ? "Away" : ""}
              </>
            )}
          </p>
        </div>
      </div>
      {user.status && (user.status.text || user.status.emoji) && (
        <p class={css.status}>
          {user.status.emoji && <EmojiView name={user.status.emoji} isDecoration />}
          <span>{user.status.text}</span>
        </p>
      )}
      {children}
      <Facts user={user} />
    </div>
  );
}

function Facts({ user }: { readonly user: User }) {
  const { clock } = usePreferences();
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), 30_000);
    return () => window.clearInterval(timer);
  }, []);
  return (
    <dl class={css.facts}>
      <Fact icon={Clock} term="Local time">
        {user.isBot ? null : localTime(user.timeZoneOffsetS, now, clock)}
      </Fact>
      <Fact icon={Mail} term="E-mail">
        {user.email ? <a href={`mailto:${encodeURIComponent(user.email).replace("%40", "@")}`}>{user.email}</a> : null}
      </Fact>
      <Fact icon={Phone} term="Phone">
        {user.phone || null}
      </Fact>
    </dl>
  );
}

interface FactProps {
  readonly icon: LucideIcon;
  readonly term: string;
  readonly children: ComponentChildren;
}

function Fact({ icon: Icon, term, children }: FactProps) {
  if (children === null) return null;
  return (
    <div class={css.fact}>
      <Icon size={17} aria-hidden="true" />
      <dt class={css.term}>{term}</dt>
      <dd>{children}</dd>
    </div>
  );
}
