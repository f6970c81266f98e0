/** What happens, handed on to whom it concerns: the workspace, timelines, lists, and whoever notifies. */
import { batch } from "@preact/signals";
import type { Id, Message, Ts } from "./contract";
import { isNamed, isReply, isToRead } from "./model/counting";
import { type Why, whyNotify } from "./model/notify";
import { type Json, object, objects, text } from "./net/json";
import type { Happening } from "./net/session";
import type { Parts } from "./parts";
import { isWatched } from "./surroundings";
import { keepingOwn, messageOf } from "./timeline/messages";
import { opOf } from "./timeline/ops";

export type Listener = (message: Message, why: Why) => void;

export class Happenings {
  readonly listeners = new Set<Listener>();

  constructor(private readonly parts: Parts) {}

  /** A message of the server's as it is shown. */
  readonly read = (json: Json, conversationId: Id): Message => {
    const { outbox, lists } = this.parts;
    const key = outbox.keyFor(json) ?? text(json.ts);
    const message = messageOf(json, conversationId, key);
    return lists.isSaved(conversationId, message.ts) ? { ...message, isSaved: true } : message;
  };

  take(event: Happening): void {
    const { workspace, presence, typing, emoji } = this.parts;
    const { type, json } = event;
    batch(() => {
      if (type === "presence_change") presence.take(json);
      else if (type === "user_typing") typing.take(json);
      const isNews = workspace.apply(event);
      this.toTimelines(json, isNews);
      if (type === "message" && isNews) this.message(json);
    });
    if (type === "emoji_changed") emoji.renew();
  }

  /** The answer to a post, which may come before its event or after it. */
  posted(conversationId: Id, json: Json): void {
    const message = this.read(json, conversationId);
    batch(() => {
      this.parts.timelines.take(conversationId, { op: "post", message });
      this.parts.outbox.shown(message.key);
      // Who writes somewhere has read what is there; the server does not take that for granted.
      if (!isReply(json)) this.markRead(conversationId, message.ts);
    });
  }

  markRead(id: Id, ts: Ts): void {
    const { workspace, marks, timelines } = this.parts;
    const mine = workspace.membership(id);
    if (mine === undefined || (marks.pending(id) ?? mine.lastRead) === ts) return;
    if (ts < mine.lastRead) timelines.main(id)?.setUnread(ts);
    marks.set(id, ts);
    workspace.readUpTo(id, ts);
  }

  private toTimelines(json: Json, isNews: boolean): void {
    const { outbox, lists, timelines, selfId } = this.parts;
    const placed = opOf(json, this.read);
    if (placed === null) return;
    const { conversationId, op } = placed;
    if (op.op === "post") outbox.shown(op.message.key);
    if (op.op === "save") {
      const message = object(object(json.item).message);
      lists.tookSaved(conversationId, op.ts, op.on, op.on ? this.read(message, conversationId) : null);
    }
    timelines.take(conversationId, op);
    if (op.op === "change") {
      const changed = (had: Message) => ({ ...keepingOwn(had, op.message, selfId), isSaved: true });
      lists.changed(conversationId, op.message.ts, changed);
    }
    if (op.op === "delete") {
      lists.changed(conversationId, op.ts, null);
      if (isNews) this.removed(json, conversationId, op.ts);
    }
  }

  private message(json: Json): void {
    const { workspace, typing, lists, timelines, selfId } = this.parts;
    workspace.message(json);
    const conversationId = text(json.channel);
    typing.said(conversationId, text(json.thread_ts) || null, text(json.user));
    if (!isToRead(json) || json.user === selfId) return;
    if (isNamed(json, selfId)) lists.mentioned(this.read(json, conversationId));
    const why = whyNotify(json, {
      selfId,
      conversation: workspace.conversation(conversationId).peek(),
      preferences: workspace.preferences.peek(),
      keywords: workspace.keywords,
      isSeen: isWatched() && timelines.isShown(conversationId) && !isReply(json),
      nowS: Date.now() / 1000,
    });
    if (why === null) return;
    const message = this.read(json, conversationId);
    for (const listener of this.listeners) listener(message, why);
  }

  private removed(json: Json, conversationId: Id, ts: Ts): void {
    const { workspace, timelines } = this.parts;
    const wasLatest = workspace.latest(conversationId) === ts;
    const left = wasLatest ? timelines.main(conversationId)?.newest(isShownToRead) : null;
    const newest = left === null ? "" : (left?.ts ?? null);
    workspace.removed(conversationId, object(json.previous_message), ts, wasLatest ? newest : null);
    if (wasLatest && newest === null) void this.findLatest(conversationId, json, ts).catch(() => undefined);
  }

  /** The newest message was removed, and it is not known here which is now. */
  private async findLatest(conversationId: Id, json: Json, ts: Ts): Promise<void> {
    const { api, workspace } = this.parts;
    const answer = await api.read("conversations.history", { channel: conversationId, limit: 20 });
    const newest = objects(answer.messages).find(isToRead);
    workspace.removed(conversationId, object(json.previous_message), ts, text(newest?.ts));
  }
}

const isShownToRead = (message: Message): boolean =>
  !/^(channel|group)_(join|leave)$|^tombstone$/.test(message.subtype);
