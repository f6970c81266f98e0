/** Puts the parts of a client together, and hands on what happens from one to the other. */
import { batch, effect, type ReadonlySignal, signal, untracked } from "@preact/signals";
import { type Actions, makeActions } from "./actions";
import type { ClientOptions } from "./client";
import type { Client, Id, Message, Preferences, Ts } from "./contract";
import { Lists } from "./lists";
import { isNamed, isReply, isToRead } from "./model/counting";
import { Loader } from "./model/loader";
import { Marks } from "./model/marks";
import { type Why, whyNotify } from "./model/notify";
import { prefsOf } from "./model/preferences";
import { Presence } from "./model/presence";
import { Typing } from "./model/typing";
import { Workspace } from "./model/workspace";
import { Api, pause } from "./net/api";
import { Connection } from "./net/connection";
import { isObject, type Json, number, object, objects, text } from "./net/json";
import type { Happening, Positions } from "./net/session";
import { Drafts } from "./sending/drafts";
import { browserStorage, Kept } from "./sending/kept";
import { Outbox } from "./sending/outbox";
import { carryByXhr, Uploads } from "./sending/uploads";
import { tabId, watchPage } from "./surroundings";
import { messageOf, withReaction } from "./timeline/messages";
import { opOf } from "./timeline/ops";
import { Timelines } from "./timeline/timelines";

/** What was saved is loaded this much after the first screen. */
const LATER_MS = 1_500;
/** How many are in a conversation is asked this much after it was opened. */
const SIZE_S = 0.3;
/** People in a group message: more there are not. */
const GROUP_MAX = 20;
/** Group messages whose people are asked for by themselves. */
const GROUPS_MAX = 50;

type Listener = (message: Message, why: Why) => void;

export class Conductor {
  private readonly api: Api;
  private readonly connection: Connection;
  private readonly workspace: Workspace;
  private readonly loader: Loader;
  private readonly timelines: Timelines;
  private readonly outbox: Outbox;
  private readonly drafts: Drafts;
  private readonly uploads: Uploads;
  private readonly presence: Presence;
  private readonly typing: Typing;
  private readonly lists: Lists;
  private readonly marks: Marks;
  private readonly actions: Actions;
  private readonly emoji = signal<ReadonlyMap<string, string>>(new Map());
  private emojiVersion = 0;
  private readonly listeners = new Set<Listener>();
  private readonly ends: (() => void)[] = [];
  private readonly sizesAsked = new Set<Id>();
  private bootedAt = 0;
  private mustBeWhole = false;
  private readonly read = (json: Json, conversationId: Id): Message => this.readMessage(json, conversationId);

  constructor(
    team: { readonly id: Id; readonly name: string; readonly domain: string },
    private readonly selfId: Id,
    private readonly options: ClientOptions,
  ) {
    const storage = options.storage === undefined ? browserStorage() : options.storage;
    const place = (what: string) => new Kept(storage, `parley.${what}.${team.id}.${selfId}.`);
    this.api = new Api(options.base ?? "", options.headers);
    this.connection = new Connection(this.api, this.owner());
    this.marks = new Marks((id, ts) =>
      this.api.call("conversations.mark", { channel: id, ts }, { isRepeatable: true }),
    );
    this.workspace = new Workspace(team, selfId, {
      marking: this.marks.pending,
      want: (id) => this.loader.want(id),
      joined: (id) => {
        this.timelines.invalidate(id);
        this.findPeople();
      },
    });
    const ask = (kind: string, fields: Json, timeoutMs: number) => this.connection.ask(kind, fields, timeoutMs);
    this.loader = new Loader(this.workspace.holding, ask, this.api, (id) => this.isPrivate(id));
    this.outbox = new Outbox(this.api, place("outbox"), selfId, (id, json) => this.posted(id, json), tabId());
    this.drafts = new Drafts(place("draft"));
    this.uploads = new Uploads(this.api, carryByXhr, options.base ?? "");
    const send = (frame: Json) => this.connection.send(frame);
    this.presence = new Presence(send);
    this.typing = new Typing(selfId, send);
    this.timelines = new Timelines(this.surroundings());
    const savedChanged = (id: Id, ts: Ts, on: boolean) => this.timelines.take(id, { op: "save", ts, on });
    this.lists = new Lists(this.api, this.loader, this.workspace, this.read, savedChanged);
    this.actions = makeActions(this.api, this.workspace);
  }

  begin(): Client {
    this.api.onSignedOut = this.connection.signedOut;
    this.ends.push(watchPage(this.connection, () => this.marks.flush()));
    this.ends.push(effect(() => this.phaseChanged(this.connection.state.value.phase)));
    this.connection.start();
    return this.client();
  }

  // The connection -----------------------------------------------------------------------------------------------

  private owner() {
    const conductor = this;
    return {
      get hasBoot() {
        return conductor.workspace.isBooted && !conductor.mustBeWhole;
      },
      bootArguments: () => this.bootArguments(),
      booted: (answer: Json, positions: Positions) => this.booted(answer, positions),
      hand: (event: Happening) => this.happened(event),
      reload: (ids: readonly string[]) => this.missed(ids),
      began: () => this.began(),
    };
  }

  private bootArguments(): Json {
    this.bootedAt = Date.now();
    const first = this.options.first;
    const channel = first && !this.workspace.isBooted ? { channel: first } : {};
    return { lazy_aware: 1, batch_presence_aware: 1, ...channel };
  }

  private booted(answer: Json, positions: Positions): void {
    const isFirst = !this.workspace.isBooted;
    this.mustBeWhole = false;
    this.workspace.boot(answer, positions);
    if (isFirst) {
      const history = object(answer.history);
      const given = isObject(answer.history) ? { channel: text(history.channel), json: history } : null;
      this.timelines.booted(given, this.bootedAt);
      setTimeout(() => void this.lists.loadSaved().catch(() => undefined), LATER_MS); // shown without, and asked again
    }
    for (const id of this.workspace.watchedUserIds) this.loader.want(id);
    this.findPeople();
  }

  /** Boots name the people of recent group messages only; a list shows more of them. */
  private findPeople(): void {
    const nameless = [...this.workspace.mine.all].filter((each) => each.kind === "mpim" && !each.userIds.length);
    for (const each of nameless.slice(0, GROUPS_MAX)) this.opened(each.id);
  }

  private began(): void {
    this.presence.began();
    this.loader.retry();
    this.outbox.hurry();
    this.timelines.retryAll();
    if (this.workspace.isEmojiOld && this.emojiVersion) void this.loadEmoji().catch(() => undefined);
  }

  private phaseChanged(phase: string): void {
    if (phase === "signed_out") for (const stop of this.ends.splice(0)) queueMicrotask(stop);
  }

  private missed(channelIds: readonly string[]): void {
    let isWhole = false;
    for (const id of channelIds) {
      this.timelines.invalidate(id);
      if (this.workspace.missed(id, this.connection.session.positions.get(id) ?? 0)) isWhole = true;
    }
    if (!isWhole) return;
    this.mustBeWhole = true;
    this.connection.reboot();
  }

  // What happens -------------------------------------------------------------------------------------------------

  private happened(event: Happening): void {
    const { type, json } = event;
    batch(() => {
      if (type === "presence_change") this.presence.take(json);
      else if (type === "user_typing") this.typing.take(json);
      const isNews = this.workspace.apply(event);
      this.toTimelines(json, isNews);
      if (type === "message" && isNews) this.message(json);
    });
    if (type === "emoji_changed" && this.emojiVersion) void this.loadEmoji().catch(() => undefined);
  }

  private toTimelines(json: Json, isNews: boolean): void {
    const placed = opOf(json, this.read);
    if (placed === null) return;
    const { conversationId, op } = placed;
    if (op.op === "post") this.outbox.shown(op.message.key);
    if (op.op === "save") {
      const message = object(object(json.item).message);
      this.lists.tookSaved(conversationId, op.ts, op.on, op.on ? this.read(message, conversationId) : null);
    }
    this.timelines.take(conversationId, op);
    if (op.op === "change") this.lists.changed(conversationId, op.message.ts, () => ({ ...op.message, isSaved: true }));
    if (op.op === "delete") {
      this.lists.changed(conversationId, op.ts, null);
      if (isNews) this.removed(json, conversationId, op.ts);
    }
  }

  private message(json: Json): void {
    this.workspace.message(json);
    const conversationId = text(json.channel);
    this.typing.said(conversationId, text(json.thread_ts) || null, text(json.user));
    if (!isToRead(json) || json.user === this.selfId) return;
    if (isNamed(json, this.selfId)) this.lists.mentioned(this.read(json, conversationId));
    const why = whyNotify(json, {
      selfId: this.selfId,
      conversation: this.workspace.conversation(conversationId).peek(),
      preferences: this.workspace.preferences.peek(),
      keywords: this.workspace.keywords,
      isSeen: isWatched() && this.timelines.isShown(conversationId) && !isReply(json),
      nowS: Date.now() / 1000,
    });
    if (why === null) return;
    const message = this.read(json, conversationId);
    for (const listener of this.listeners) listener(message, why);
  }

  private removed(json: Json, conversationId: Id, ts: Ts): void {
    const wasLatest = this.workspace.latest(conversationId) === ts;
    const left = wasLatest ? this.timelines.main(conversationId)?.newest(isShownToRead) : null;
    const newest = left === null ? "" : (left?.ts ?? null);
    this.workspace.removed(conversationId, object(json.previous_message), ts, wasLatest ? newest : null);
    if (wasLatest && newest === null) void this.findLatest(conversationId, json, ts).catch(() => undefined);
  }

  /** The newest message was removed, and it is not known here which is now. */
  private async findLatest(conversationId: Id, json: Json, ts: Ts): Promise<void> {
    const answer = await this.api.read("conversations.history", { channel: conversationId, limit: 20 });
    const newest = objects(answer.messages).find(isToRead);
    this.workspace.removed(conversationId, object(json.previous_message), ts, text(newest?.ts));
  }

  /** The answer to a post, which may come before its event or after it. */
  private posted(conversationId: Id, json: Json): void {
    const message = this.read(json, conversationId);
    batch(() => {
      this.timelines.take(conversationId, { op: "post", message });
      this.outbox.shown(message.key);
      // Who writes somewhere has read what is there; the server does not take that for granted.
      if (!isReply(json)) this.markRead(conversationId, message.ts);
    });
  }

  private readMessage(json: Json, conversationId: Id): Message {
    const key = this.outbox.keyFor(json) ?? text(json.ts);
    const message = messageOf(json, conversationId, key);
    return this.lists.isSaved(conversationId, message.ts) ? { ...message, isSaved: true } : message;
  }

  // What is shown ------------------------------------------------------------------------------------------------

  private surroundings() {
    return {
      calls: this.api,
      selfId: this.selfId,
      read: this.read,
      pending: (id: Id, root: Ts | null) => this.outbox.pending(id, root),
      lastRead: (id: Id) => this.workspace.membership(id)?.lastRead ?? null,
      arrived: (messages: readonly Message[]) => {
        for (const each of messages) this.outbox.shown(each.key);
      },
      isWatched,
      isBooted: () => this.workspace.isBooted,
      isMember: (id: Id) => this.workspace.membership(id) !== undefined,
      opened: (id: Id) => this.opened(id),
    };
  }

  /** How many are in a conversation is asked when it is shown. */
  private opened(conversationId: Id): void {
    if (this.sizesAsked.has(conversationId)) return;
    this.sizesAsked.add(conversationId);
    pause(SIZE_S)
      .then(() => this.lists.members(conversationId, ""))
      .then(({ ids, total }) => {
        const isGroup = this.workspace.membership(conversationId)?.kind === "mpim" && total <= GROUP_MAX;
        if (isGroup) this.workspace.setPeople(conversationId, ids);
      })
      .catch(() => this.sizesAsked.delete(conversationId));
  }

  private isPrivate(id: Id): boolean {
    return this.workspace.membership(id)?.kind === "private";
  }

  private async loadEmoji(): Promise<void> {
    if (!this.workspace.isEmojiOld && this.emojiVersion) return;
    this.workspace.isEmojiOld = false;
    try {
      const answer = await this.loader.query("emoji", { version: this.emojiVersion });
      this.emojiVersion = number(answer.version);
      if (answer.unchanged === true) return;
      const all = Object.entries(object(answer.emoji)).map(([name, value]) => [name, text(value)] as const);
      this.emoji.value = new Map(all);
    } catch (error) {
      this.workspace.isEmojiOld = true;
      throw error;
    }
  }

  private markRead(id: Id, ts: Ts): void {
    const mine = this.workspace.membership(id);
    if (mine === undefined || (this.marks.pending(id) ?? mine.lastRead) === ts) return;
    if (ts < mine.lastRead) this.timelines.main(id)?.setUnread(ts);
    this.marks.set(id, ts);
    this.workspace.readUpTo(id, ts);
  }

  private async react(message: Message, name: string, on: boolean): Promise<void> {
    const { conversationId, ts } = message;
    const show = (is: boolean) => {
      this.timelines.take(conversationId, { op: "react", ts, name, userId: this.selfId, on: is });
      this.lists.changed(conversationId, ts, (had) => withReaction(had, name, this.selfId, is));
    };
    show(on);
    try {
      const args = { channel: conversationId, timestamp: ts, name };
      await this.did(on ? "reactions.add" : "reactions.remove", args, ["already_reacted", "no_reaction"]);
    } catch (error) {
      show(!on);
      throw error;
    }
  }

  private async save(message: Message, on: boolean): Promise<void> {
    const { conversationId, ts } = message;
    const args = { channel: conversationId, timestamp: ts };
    await this.did(on ? "stars.add" : "stars.remove", args, ["already_starred", "not_starred"]);
    this.lists.tookSaved(conversationId, ts, on, message);
    this.timelines.take(conversationId, { op: "save", ts, on });
  }

  private async edit(message: Message, said: string): Promise<void> {
    const { conversationId, ts } = message;
    const answer = await this.api.call("chat.update", { channel: conversationId, ts, text: said }, REPEATABLE);
    if (!isObject(answer.message)) return;
    this.timelines.take(conversationId, { op: "change", message: this.read(answer.message, conversationId) });
  }

  private async remove(message: Message): Promise<void> {
    const { conversationId, ts, threadTs } = message;
    await this.did("chat.delete", { channel: conversationId, ts }, ["message_not_found"]);
    // One that has replies leaves something behind, which an event tells.
    if (!message.replyCount) this.timelines.take(conversationId, { op: "delete", ts, threadTs });
  }

  /** Do what is done when it says it was done already: a first try may have got through without its answer. */
  private async did(method: string, args: Json, done: readonly string[]): Promise<void> {
    try {
      await this.api.call(method, args, REPEATABLE);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && done.includes(String(error.code)))) throw error;
    }
  }

  private setPreferences(change: Partial<Preferences>): void {
    const prefs = prefsOf(change);
    this.workspace.changePrefs(prefs);
    // What could not be told lasts until the page is closed.
    void this.api.call("users.prefs.set", { prefs }, REPEATABLE).catch(() => undefined);
  }

  private dispose(): void {
    for (const stop of this.ends.splice(0)) stop();
    this.marks.flush();
    this.connection.end();
    this.outbox.end();
    this.drafts.end();
    this.uploads.end();
    this.presence.end();
    this.typing.end();
    this.timelines.end();
    this.listeners.clear();
  }

  // The contract -------------------------------------------------------------------------------------------------

  private client(): Client {
    const { workspace, loader, timelines, outbox, lists, uploads, api } = this;
    return {
      ...this.actions,
      team: workspace.team,
      selfId: this.selfId,
      connection: this.connection.state,
      preferences: workspace.preferences,
      conversations: workspace.conversations,
      emoji: this.emoji,
      drafts: this.drafts.all,
      uploads: uploads.all,
      activity: lists.activity,
      saved: lists.saved,
      user: (id) => wanting(loader, id, workspace.user(id)),
      conversation: (id) => wanting(loader, id, workspace.conversation(id)),
      typing: (id, root) => this.typing.at(id, root ?? null),
      presence: (id) => this.presence.of(id),
      watchPresence: (ids) => this.presence.watch(ids),
      timeline: (id) => timelines.hold(id, null),
      thread: (id, ts) => timelines.hold(id, ts),
      send: (id, said, options = {}) =>
        outbox.send(id, said, options.threadTs ?? null, options.alsoToConversation === true),
      sendAgain: (key) => outbox.again(key),
      discard: (key) => outbox.discard(key),
      edit: (message, said) => this.edit(message, said),
      remove: (message) => this.remove(message),
      react: (message, name, on) => this.react(message, name, on),
      pin: ({ conversationId, ts }, on) =>
        this.did(on ? "pins.add" : "pins.remove", { channel: conversationId, timestamp: ts }, [
          "already_pinned",
          "no_pin",
        ]),
      save: (message, on) => this.save(message, on),
      schedule: async (channel, said, atS, root) => {
        const thread = root ? { thread_ts: root } : {};
        await api.call("chat.scheduleMessage", { channel, text: said, post_at: Math.round(atS), ...thread });
      },
      permalink: async ({ conversationId, ts }) =>
        text((await api.read("chat.getPermalink", { channel: conversationId, message_ts: ts })).permalink),
      pins: (id) => lists.pins(id),
      loadSaved: () => lists.loadSaved(),
      loadActivity: () => lists.loadActivity(),
      markRead: (id, ts) => untracked(() => this.markRead(id, ts)),
      noteTyping: (id, root) => this.typing.note(id, root ?? null, Date.now()),
      setDraft: (place, said) => this.drafts.set(place, said, Date.now()),
      searchPeople: (prefix, near) => lists.searchPeople(prefix, near),
      searchChannels: (prefix) => lists.searchChannels(prefix),
      searchMessages: (query, order, page) => lists.searchMessages(query, order, page),
      members: (id, cursor) => lists.members(id, cursor),
      browseChannels: (cursor) => lists.browseChannels(cursor),
      loadEmoji: () => this.loadEmoji(),
      upload: (id, files, options = {}) =>
        uploads.upload(files, {
          conversationId: id,
          threadTs: options.threadTs ?? null,
          comment: options.comment ?? "",
        }),
      cancelUpload: (key) => uploads.cancel(key),
      files: (id) => lists.files(id),
      setPreferences: (change) => this.setPreferences(change),
      onNotify: (listener) => {
        this.listeners.add(listener);
        return () => this.listeners.delete(listener);
      },
      retryNow: () => this.connection.hurry(),
      dispose: () => this.dispose(),
    };
  }
}

const REPEATABLE = { isRepeatable: true };

/** Somebody looks at the page, as far as it can be known. */
const isWatched = (): boolean => typeof document !== "undefined" && document.hasFocus() && !document.hidden;

const isShownToRead = (message: Message): boolean =>
  !/^(channel|group)_(join|leave)$|^tombstone$/.test(message.subtype);

function wanting<T>(loader: Loader, id: Id, signalOf: ReadonlySignal<T>): ReadonlySignal<T> {
  loader.want(id);
  return signalOf;
}
