/** What events mean for a workspace. Messages are read by the client, because timelines are told of them first. */
import { isObject, type Json, number, object, objects, text, time } from "../net/json";
import type { Happening } from "../net/session";
import { withMark } from "./counting";
import type { Workspace } from "./workspace";

export type Reader = (workspace: Workspace, json: Json, event: Happening) => void;

const marked: Reader = (workspace, json) => {
  const id = text(json.channel);
  const at = time(json.ts);
  const pending = workspace.marking(id);
  if (pending !== null && pending !== at) return; // a later one is on its way
  const told = number(json.num_mentions ?? json.mention_count);
  workspace.mine.alter(id, (had) => withMark(had, at, told, text(json.event_ts)));
};

const changedUser: Reader = (workspace, json, event) => {
  if (isObject(json.user)) workspace.changedUser(json.user, Math.max(number(json.user.v), event.offset));
};

const joined: Reader = (workspace, json, event) => {
  if (isObject(json.channel)) workspace.joined(event.type, json.channel, text(json.user));
  else workspace.setClosed(text(json.channel), null);
};

const left: Reader = (workspace, json) => {
  workspace.left(text(isObject(json.channel) ? json.channel.id : json.channel));
};

const closed: Reader = (workspace, json) => {
  const id = text(json.channel);
  workspace.setClosed(id, workspace.latest(id) || "0");
};

const renamed: Reader = (workspace, json) => {
  const channel = object(json.channel);
  const [id, name] = [text(channel.id), text(channel.name)];
  workspace.mine.alter(id, (had) => ({ ...had, name }));
  workspace.holding.change(id, { name });
};

const archived =
  (isArchived: boolean): Reader =>
  (workspace, json) => {
    const id = text(json.channel);
    workspace.mine.alter(id, (had) => ({ ...had, isArchived }));
    workspace.holding.change(id, { is_archived: isArchived });
  };

/** By the type of the event. */
export const READERS: Readonly<Record<string, Reader>> = {
  channel_marked: marked,
  group_marked: marked,
  im_marked: marked,
  mpim_marked: marked,
  user_change: changedUser,
  team_join: changedUser,
  channel_joined: joined,
  group_joined: joined,
  im_created: joined,
  mpim_created: joined,
  mpim_joined: joined,
  im_open: joined,
  mpim_open: joined,
  im_close: closed,
  mpim_close: closed,
  channel_left: left,
  group_left: left,
  channel_deleted: left,
  group_deleted: left,
  channel_rename: renamed,
  group_rename: renamed,
  channel_archive: archived(true),
  group_archive: archived(true),
  channel_unarchive: archived(false),
  group_unarchive: archived(false),
  member_joined_channel: (workspace, json) => workspace.mine.moved(text(json.channel), 1),
  member_left_channel: (workspace, json) => workspace.mine.moved(text(json.channel), -1),
  user_objects: (workspace, json) => {
    for (const user of objects(json.users)) workspace.holding.put(user);
  },
  pref_change: (workspace, json) => workspace.changePrefs({ [text(json.name)]: json.value }),
  emoji_changed: (workspace) => {
    workspace.isEmojiOld = true;
  },
  team_rename: (workspace, json) => {
    if (text(json.name)) workspace.rename(text(json.name));
  },
};
