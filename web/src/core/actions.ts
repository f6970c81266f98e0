/** What one does to conversations and to oneself. Each ends when the server has said yes; events tell the rest. */
import type { Client, Id } from "./contract";
import { prefsOf } from "./model/preferences";
import type { Workspace } from "./model/workspace";
import type { Calls } from "./net/api";
import { type Json, object, text } from "./net/json";

export type Actions = Pick<
  Client,
  | "openDirect"
  | "createChannel"
  | "join"
  | "leave"
  | "close"
  | "invite"
  | "removeMember"
  | "rename"
  | "setTopic"
  | "setPurpose"
  | "archive"
  | "setProfile"
  | "setStatus"
  | "setAway"
  | "setPreferences"
  | "inviteToWorkspace"
>;

export function makeActions(calls: Calls, workspace: Workspace): Actions {
  /** What may be done twice without harm is tried again when its outcome is not known. */
  const again = { isRepeatable: true };
  const done = async (method: string, args: Json, isRepeatable = true): Promise<void> => {
    await calls.call(method, args, { isRepeatable });
  };
  const setProfile = (profile: Json) => done("users.profile.set", { profile });

  return {
    async openDirect(userIds) {
      const answer = await calls.call("conversations.open", { users: userIds.join() }, again);
      const channel = object(answer.channel);
      const id = text(channel.id);
      const [only] = userIds;
      if (userIds.length === 1 && only) workspace.joined("im_created", { id, user: only }, only);
      else workspace.joined("mpim_joined", { is_mpim: true, ...channel, members: userIds }, "");
      return id;
    },
    async createChannel(name, isPrivate, purpose) {
      const answer = await calls.call("conversations.create", { name, is_private: isPrivate });
      const channel = object(answer.channel);
      const id = text(channel.id);
      workspace.joined(isPrivate ? "group_joined" : "channel_joined", channel, "");
      if (purpose) await done("conversations.setPurpose", { channel: id, purpose });
      return id;
    },
    async join(conversationId) {
      const answer = await calls.call("conversations.join", { channel: conversationId }, again);
      workspace.joined("channel_joined", object(answer.channel), "");
    },
    async leave(conversationId) {
      await done("conversations.leave", { channel: conversationId });
      workspace.left(conversationId);
    },
    async close(conversationId) {
      await done("conversations.close", { channel: conversationId });
      workspace.setClosed(conversationId, workspace.latest(conversationId) || "0");
      // Boots tell of closed ones as well, so that they are closed is kept among the preferences.
      await done("users.prefs.set", { prefs: workspace.closedPrefs });
    },
    invite: (channel, userIds) => done("conversations.invite", { channel, users: userIds.join() }),
    removeMember: (channel, user) => done("conversations.kick", { channel, user }),
    rename: (channel, name) => done("conversations.rename", { channel, name }),
    setTopic: (channel, topic) => done("conversations.setTopic", { channel, topic }),
    setPurpose: (channel, purpose) => done("conversations.setPurpose", { channel, purpose }),
    archive: (channel: Id, on) => done(on ? "conversations.archive" : "conversations.unarchive", { channel }, false),
    setProfile: (change) =>
      setProfile({
        ...(change.realName === undefined ? {} : { real_name: change.realName }),
        ...(change.displayName === undefined ? {} : { display_name: change.displayName }),
        ...(change.title === undefined ? {} : { title: change.title }),
        ...(change.phone === undefined ? {} : { phone: change.phone }),
        ...(change.pronouns === undefined ? {} : { pronouns: change.pronouns }),
      }),
    setStatus: (emoji, said, expiresAtS) =>
      setProfile({
        status_emoji: emoji ? `:${emoji.replaceAll(":", "")}:` : "",
        status_text: said,
        status_expiration: Math.round(expiresAtS),
      }),
    setAway: (away) => done("users.setPresence", { presence: away ? "away" : "auto" }),
    setPreferences(change) {
      const prefs = prefsOf(change);
      workspace.changePrefs(prefs);
      // What could not be told lasts until the page is closed.
      void done("users.prefs.set", { prefs }).catch(() => undefined);
    },
    async inviteToWorkspace(email) {
      return text((await calls.call("admin.users.invite", { email, resend: true })).url);
    },
  };
}
