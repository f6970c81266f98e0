/** Slack's messages as the screen knows them, and what single events make of one. Pure. */
import type { Id, Message, Reaction, Ts } from "../contract";
import { fileOf } from "../model/people";
import { type Json, list, number, object, objects, text, texts } from "../net/json";

/** A message as the server tells it. `key`: what lists know it by. */
export function messageOf(json: Json, conversationId: Id, key: string): Message {
  const ts = text(json.ts);
  const thread = text(json.thread_ts);
  const bot = object(json.bot_profile);
  const authorId = text(json.user) || null;
  const ownName = authorId === null || json.subtype === "bot_message" ? text(json.username) : "";
  const icons = object(json.icons);
  return {
    key,
    conversationId,
    ts,
    threadTs: thread && thread !== ts ? thread : null,
    authorId,
    authorName: ownName || (authorId === null ? text(bot.name) || "Somebody" : null),
    authorPicture: text(icons.image_48) || text(icons.image_64) || text(json.icon_url) || null,
    isBot: Boolean(json.bot_id) || json.subtype === "bot_message",
    subtype: text(json.subtype),
    text: text(json.text),
    blocks: list(json.blocks),
    attachments: list(json.attachments),
    files: objects(json.files).map(fileOf),
    reactions: objects(json.reactions).map(reactionOf),
    editedAt: text(object(json.edited).ts) || null,
    isPinned: texts(json.pinned_to).includes(conversationId),
    isSaved: json.is_starred === true,
    isEphemeral: json.is_ephemeral === true,
    replyCount: number(json.reply_count),
    replyUserIds: texts(json.reply_users),
    latestReply: text(json.latest_reply) || null,
    delivery: "sent",
    failure: "",
    ...(json.seal ? { sealed: { botId: text(json.bot_id), seal: text(json.seal) } } : {}),
  };
}

const reactionOf = (json: Json): Reaction => ({
  name: text(json.name),
  userIds: texts(json.users),
  count: number(json.count),
});

/** Whether somebody's part in a reaction cannot be told: of many, the server names some, and counts all. */
export function isUntold(message: Message | undefined, name: string, userId: Id): boolean {
  const had = message?.reactions.find((each) => each.name === name);
  return had !== undefined && had.count > had.userIds.length && !had.userIds.includes(userId);
}

/**
 * Doing it again changes nothing, as far as all are named who did it. `isOthers`: somebody not named may be among those
 * who are counted only; of oneself it is taken that what was taken back here is told once more by its event.
 */
export function withReaction(message: Message, name: string, userId: Id, on: boolean, isOthers = false): Message {
  const had = message.reactions.find((each) => each.name === name);
  const isCounted = !on && isOthers && isUntold(message, name, userId);
  if ((had?.userIds.includes(userId) ?? false) === on && !isCounted) return message;
  if (had === undefined)
    return { ...message, reactions: [...message.reactions, { name, userIds: [userId], count: 1 }] };
  const userIds = on ? [...had.userIds, userId] : had.userIds.filter((each) => each !== userId);
  const count = had.count + (on ? 1 : -1);
  const now = { name, userIds, count };
  const reactions =
    count > 0
      ? message.reactions.map((each) => (each === had ? now : each))
      : message.reactions.filter((each) => each !== had);
  return { ...message, reactions };
}

/**
 * A message as it has become, with somebody among those who reacted who was so before: what is told to everybody names
 * only the first of them.
 */
export function keepingOwn(had: Message, now: Message, userId: Id): Message {
  const mine = had.reactions.filter((each) => each.userIds.includes(userId) && isUntold(now, each.name, userId));
  if (mine.length === 0) return now;
  const names = new Set(mine.map((each) => each.name));
  const named = (each: Reaction) => (names.has(each.name) ? { ...each, userIds: [...each.userIds, userId] } : each);
  return { ...now, reactions: now.reactions.map(named) };
}

/** What a thread has become, as `message_replied` tells it in its parent. */
export const withThread = (message: Message, parent: Json): Message => ({
  ...message,
  replyCount: number(parent.reply_count),
  replyUserIds: texts(parent.reply_users),
  latestReply: text(parent.latest_reply) || null,
});

/** Whether it stands among a conversation's messages, and not in its thread alone. */
export const isInChannel = (message: Message): boolean =>
  message.threadTs === null || message.subtype === "thread_broadcast";

export const isInThread = (message: Message, root: Ts): boolean => message.ts === root || message.threadTs === root;
