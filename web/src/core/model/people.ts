/** Slack's objects as the screen knows them: users, conversations, files. Pure. */
import type { Conversation, FileInfo, Id, User } from "../contract";
import { type Json, number, object, text } from "../net/json";
import { isUnread, type Membership } from "./counting";

const SLACKBOT: Id = "USLACKBOT";

export function userOf(json: Json): User {
  const profile = object(json.profile);
  const realName = text(profile.real_name) || text(json.real_name);
  const emoji = text(profile.status_emoji).replaceAll(":", "");
  const said = text(profile.status_text);
  return {
    id: text(json.id),
    name: text(json.name),
    label: text(profile.display_name) || realName || text(json.name),
    realName,
    title: text(profile.title),
    email: text(profile.email),
    phone: text(profile.phone),
    pronouns: text(profile.pronouns),
    status: emoji || said ? { emoji, text: said, expiresAt: number(profile.status_expiration) } : null,
    // Others are drawn by somebody else's server from who one is: it is not asked, and initials are shown.
    picture: profile.is_custom_image === true ? text(profile.image_192) || text(profile.image_72) : "",
    timeZone: text(json.tz),
    timeZoneOffsetS: number(json.tz_offset),
    isBot: json.is_bot === true || json.id === SLACKBOT,
    isDeactivated: json.deleted === true,
    isAdmin: json.is_admin === true || json.is_owner === true,
  };
}

/** The server itself, when it says something. */
export const slackbot = (): User => userOf({ id: SLACKBOT, name: "slackbot", real_name: "Parley" });

export interface Surroundings {
  readonly selfId: Id;
  readonly selfName: string;
  readonly mutedIds: readonly Id[];
  readonly starredIds: readonly Id[];
  /** What to call a user; undefined while it is not known. */
  label(userId: Id): string | undefined;
}

/** A conversation from what membership says and, as far as it is loaded, from its object. */
export function conversationOf(mine: Membership | undefined, json: Json, around: Surroundings): Conversation {
  const id = mine?.id ?? text(json.id);
  const kind = mine?.kind ?? kindOf(json);
  const userIds = mine?.userIds ?? [];
  const userId = mine?.userId ?? (text(json.user) || null);
  const own = mine?.name || text(json.name);
  return {
    id,
    kind,
    name: kind === "im" ? nameOfIm(userId, around) : kind === "mpim" ? nameOfGroup(own, userIds, around) : own,
    userId: kind === "im" ? userId : null,
    userIds,
    topic: text(object(json.topic).value),
    purpose: text(object(json.purpose).value),
    isMember: mine !== undefined,
    isArchived: mine?.isArchived ?? json.is_archived === true,
    isGeneral: mine?.isGeneral ?? json.is_general === true,
    isMuted: around.mutedIds.includes(id),
    isStarred: around.starredIds.includes(id),
    creatorId: text(json.creator) || null,
    createdAt: number(json.created),
    memberCount: json.num_members === undefined ? null : number(json.num_members),
    lastRead: mine?.lastRead ?? "",
    latest: mine?.latest ?? "",
    isUnread: mine !== undefined && isUnread(mine),
    mentions: mine?.mentions ?? 0,
  };
}

function kindOf(json: Json): Conversation["kind"] {
  if (json.is_im === true) return "im";
  if (json.is_mpim === true) return "mpim";
  return json.is_private === true ? "private" : "public";
}

function nameOfIm(userId: Id | null, around: Surroundings): string {
  return (userId === null ? "" : around.label(userId)) ?? "";
}

/** Of its people; while they are not known, of the handles that Slack puts into the name: "mpdm-ada--grace-1". */
function nameOfGroup(own: string, userIds: readonly Id[], around: Surroundings): string {
  const others = userIds.filter((each) => each !== around.selfId).map(around.label);
  if (others.length && others.every((each) => each !== undefined)) return others.join(", ");
  const handles = /^mpdm-(.+)-\d+$/.exec(own)?.[1]?.split("--");
  return handles ? handles.filter((each) => each !== around.selfName).join(", ") : own;
}

const KINDS: readonly (readonly [RegExp, FileInfo["kind"]])[] = [
  [/^image\/(?!svg)/, "image"],
  [/^video\//, "video"],
  [/^audio\//, "audio"],
  [/^application\/pdf/, "pdf"],
  [/^text\/(?!html)|^application\/(json|javascript|x-sh|xml)/, "text"],
];

export function fileOf(json: Json): FileInfo {
  const mimetype = text(json.mimetype);
  const found = KINDS.find(([pattern]) => pattern.test(mimetype))?.[1];
  return {
    id: text(json.id),
    name: text(json.name),
    title: text(json.title) || text(json.name),
    mimetype,
    kind: found ?? (json.mode === "snippet" ? "text" : "other"),
    size: number(json.size),
    url: sameOrigin(text(json.url_private)),
    downloadUrl: sameOrigin(text(json.url_private_download)),
    thumbnailUrl: sameOrigin(text(json.thumb_480) || text(json.thumb_360)),
    width: number(json.original_w) || null,
    height: number(json.original_h) || null,
    preview: text(json.preview),
    isDeleted: json.mode === "tombstone" || json.mode === "hidden_by_limit",
  };
}

/**
 * A file's address was made from the one by which its author reached the server; the cookie goes only to where the page
 * came from. So the path alone is kept.
 */
function sameOrigin(address: string): string {
  if (!address) return "";
  try {
    const { pathname, search } = new URL(address);
    return pathname.startsWith("/files-pri/") ? pathname + search : address;
  } catch {
    return "";
  }
}
