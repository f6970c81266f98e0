/**
 * A workspace as one person sees it: the first screen from a boot, the rest as it is asked for, events on top.
 *
 * A boot is true up to a position in each channel. Events up to there are in it already, so what a resumed connection
 * replays from before them changes nothing here. What changes is noted, and told by signals once for all that comes in
 * one moment.
 */
import { batch, type ReadonlySignal, signal } from "@preact/signals";
import type { Conversation, Id, Preferences, Ts, User } from "../contract";
import { isObject, type Json, number, object, objects, text, texts, time } from "../net/json";
import type { Happening, Positions } from "../net/session";
import type { Membership } from "./counting";
import * as counting from "./counting";
import { Holding } from "./holding";
import { conversationOf, type Surroundings, slackbot, userOf } from "./people";
import * as preferences from "./preferences";
import { Shelf } from "./shelf";

/** Users and channels named as near in a search, as the contract says. */
const NEAR_MAX = 200;
/** Conversations whose number of members is remembered. */
const SIZES_MAX = 500;

export interface Hooks {
  /** Where the reader is said to be in a conversation, while the server was not told so. */
  marking(id: Id): Ts | null;
  /** This will be shown, and is not there. */
  want(id: Id): void;
  /** One is in it now, and was not. */
  joined(id: Id): void;
}

export class Workspace {
  readonly holding = new Holding((id) => this.objectChanged(id));
  readonly team: ReadonlySignal<{ readonly id: Id; readonly name: string; readonly domain: string }>;
  readonly preferences: ReadonlySignal<Preferences>;
  readonly conversations: ReadonlySignal<ReadonlyMap<Id, Conversation>>;
  isBooted = false;
  isEmojiOld = true;
  private readonly teamNow;
  private readonly chosen = signal(preferences.DEFAULTS);
  private readonly listed = signal<ReadonlyMap<Id, Conversation>>(new Map());
  private readonly users = new Shelf<User | undefined>((id) => this.makeUser(id));
  private readonly single = new Shelf<Conversation | undefined>((id) => this.makeConversation(id));
  private readonly mine = new Map<Id, Membership>();
  private readonly sizes = new Map<Id, number>();
  private readonly dirty = new Set<Id>();
  private isListDirty = false;
  private isScheduled = false;
  private positions = new Map<string, number>();
  private self: Json = {};
  private prefs: Json = {};
  private closed: ReadonlyMap<Id, Ts> = new Map();

  constructor(
    team: { readonly id: Id; readonly name: string; readonly domain: string },
    readonly selfId: Id,
    private readonly hooks: Hooks,
  ) {
    this.teamNow = signal(team);
    this.team = this.teamNow;
    this.preferences = this.chosen;
    this.conversations = this.listed;
  }

  // What is there ------------------------------------------------------------------------------------------------

  user(id: Id): ReadonlySignal<User | undefined> {
    return this.users.get(id);
  }

  conversation(id: Id): ReadonlySignal<Conversation | undefined> {
    return this.single.get(id);
  }

  membership(id: Id): Membership | undefined {
    return this.mine.get(id);
  }

  get memberships(): Iterable<Membership> {
    return this.mine.values();
  }

  get keywords(): readonly string[] {
    return preferences.keywordsOf(this.prefs);
  }

  /** Users on screen, or depended on. */
  get watchedUserIds(): ReadonlySet<string> {
    return this.users.watchedIds;
  }

  /** Whom and what one deals with, the most recent first; searches rank them first. */
  near(): readonly Id[] {
    const recent = [...this.mine.values()].filter((each) => each.kind !== "mpim");
    recent.sort((one, other) => (one.latest < other.latest ? 1 : -1));
    return recent.map((each) => each.userId ?? each.id).slice(0, NEAR_MAX);
  }

  /** What is known of a conversation that the server described. */
  described(json: Json): Conversation {
    return conversationOf(this.mine.get(text(json.id)), json, this.around());
  }

  // What is told -------------------------------------------------------------------------------------------------

  boot(answer: Json, positions: Positions): void {
    const isDelta = answer.is_delta === true && this.isBooted;
    const entries = objects(answer.channels);
    if (!isDelta || answer.complete === true) {
      for (const id of this.mine.keys()) this.touch(id);
      this.mine.clear();
    }
    for (const entry of entries) this.put(counting.fromBoot(entry));
    if (isDelta) this.holding.age([...texts(answer.changed), ...entries.map((each) => text(each.id))]);
    else this.holding.age();
    this.replace(answer, isDelta);
    for (const user of objects(answer.users)) this.holding.put(user);
    this.positions = new Map(isDelta ? [...this.positions, ...positions] : positions);
    this.isBooted = true;
    this.flush();
  }

  /** Take what happened, in the order in which the connection brings it. False: it is in the boot already. */
  apply(event: Happening): boolean {
    if (event.offset) {
      if (event.offset <= (this.positions.get(event.channelId) ?? 0)) return false;
      this.positions.set(event.channelId, event.offset);
    }
    READERS[event.type]?.call(this, event.json, event);
    return true;
  }

  /** Events of this channel before `start` will never be told. True: a whole boot is needed. */
  missed(channelId: string, start: number): boolean {
    if (start <= (this.positions.get(channelId) ?? 0)) return false; // the boot has all that
    this.positions.set(channelId, start);
    if (!channelId.startsWith("T")) return channelId.startsWith("U") || this.mine.has(channelId);
    this.holding.age();
    this.isEmojiOld = true;
    return false;
  }

  message(json: Json): void {
    const id = text(json.channel);
    this.alter(id, (had) => counting.withMessage(had, json, this.selfId));
    const subtype = text(json.subtype);
    if (/_(topic|purpose)$/.test(subtype)) {
      const what = subtype.endsWith("_topic") ? "topic" : "purpose";
      this.holding.change(id, { [what]: { value: text(json[what]) } });
    }
  }

  /** `newest`: the newest message to be read that is left, if known. */
  removed(id: Id, message: Json, at: Ts, newest: Ts | null): void {
    this.alter(id, (had) => counting.withRemoval(had, message, at, newest, this.selfId));
  }

  /** The reader is at `at`, as far as this browser is concerned. */
  readUpTo(id: Id, at: Ts): void {
    this.alter(id, (had) => (at >= had.latest ? counting.withMark(had, at, 0, at) : { ...had, lastRead: at }));
  }

  joined(type: string, shape: Json, peerId: Id): void {
    const id = text(shape.id);
    if (!id) return;
    this.setClosed(id, null);
    if (this.mine.has(id)) return;
    this.put(counting.fromEvent(type, shape, peerId));
    this.hooks.joined(id);
  }

  left(id: Id): void {
    if (this.mine.delete(id)) this.touch(id);
  }

  /** Put a direct conversation out of sight, or, with null, back. */
  setClosed(id: Id, until: Ts | null): void {
    if (until === null && !this.closed.has(id)) return;
    const closed = new Map(this.closed);
    closed.delete(id);
    if (until !== null) closed.set(id, until);
    this.closed = closed;
    this.touch(id);
  }

  get closedPrefs(): Json {
    return preferences.closedPrefs(this.closed);
  }

  latest(id: Id): Ts {
    return this.mine.get(id)?.latest ?? "";
  }

  changePrefs(change: Json): void {
    this.prefs = { ...this.prefs, ...change };
    this.closed = preferences.closedOf(this.prefs);
    this.chosen.value = preferences.preferencesOf(this.prefs);
    this.touchAll();
  }

  setSize(id: Id, count: number): void {
    this.sizes.delete(id);
    this.sizes.set(id, count);
    for (const oldest of this.sizes.keys()) {
      if (this.sizes.size <= SIZES_MAX) break;
      this.sizes.delete(oldest);
    }
    this.touch(id);
  }

  setPeople(id: Id, userIds: readonly Id[]): void {
    this.alter(id, (had) => ({ ...had, userIds }));
  }

  // Readers of events --------------------------------------------------------------------------------------------

  marked(json: Json): void {
    const id = text(json.channel);
    const at = time(json.ts);
    const pending = this.hooks.marking(id);
    if (pending !== null && pending !== at) return; // a later one is on its way
    const told = number(json.num_mentions ?? json.mention_count);
    this.alter(id, (had) => counting.withMark(had, at, told, text(json.event_ts)));
  }

  changedUser(json: Json, event: Happening): void {
    if (!isObject(json.user)) return;
    this.holding.put(json.user, Math.max(number(json.user.v), event.offset));
    if (json.user.id === this.selfId) this.self = json.user;
    this.objectChanged(text(json.user.id));
  }

  renamed(json: Json): void {
    const channel = object(json.channel);
    const [id, name] = [text(channel.id), text(channel.name)];
    this.alter(id, (had) => ({ ...had, name }));
    this.holding.change(id, { name });
  }

  archived(json: Json, isArchived: boolean): void {
    const id = text(json.channel);
    this.alter(id, (had) => ({ ...had, isArchived }));
    this.holding.change(id, { is_archived: isArchived });
  }

  moved(json: Json, by: number): void {
    const id = text(json.channel);
    const size = this.sizes.get(id);
    if (size !== undefined) this.setSize(id, size + by);
  }

  rename(name: string): void {
    this.teamNow.value = { ...this.teamNow.peek(), name };
  }

  // Telling ------------------------------------------------------------------------------------------------------

  private replace(answer: Json, isDelta: boolean): void {
    if (isObject(answer.self)) this.self = answer.self;
    if (isObject(answer.team)) {
      const { id, name, domain } = answer.team;
      this.teamNow.value = { id: text(id), name: text(name), domain: text(domain) };
    }
    if ("prefs" in answer || !isDelta) {
      this.prefs = {};
      this.changePrefs(object(answer.prefs));
    }
    if ("emoji_version" in answer || !isDelta) this.isEmojiOld = true;
    this.objectChanged(this.selfId);
  }

  private put(membership: Membership): void {
    this.mine.set(membership.id, membership);
    this.touch(membership.id);
  }

  private alter(id: Id, become: (had: Membership) => Membership): void {
    const had = this.mine.get(id);
    if (had === undefined) return;
    const now = become(had);
    if (now === had) return;
    this.mine.set(id, now);
    this.touch(id);
  }

  private objectChanged(id: string): void {
    this.touch(id);
    if (!id.startsWith("U") && !id.startsWith("W")) return;
    // Direct conversations are called what their people are.
    for (const each of this.mine.values()) if (each.userId === id || each.userIds.includes(id)) this.touch(each.id);
  }

  private touch(id: Id): void {
    this.dirty.add(id);
    if (/^[CDG]/.test(id)) this.isListDirty = true;
    if (this.isScheduled) return;
    this.isScheduled = true;
    queueMicrotask(() => this.flush());
  }

  private touchAll(): void {
    for (const id of this.mine.keys()) this.touch(id);
  }

  private flush(): void {
    this.isScheduled = false;
    batch(() => {
      for (const id of this.dirty) if (/^[UW]/.test(id)) this.users.refresh(id);
      if (this.isListDirty) this.relist();
      this.dirty.clear();
      this.isListDirty = false;
    });
  }

  private relist(): void {
    const now = new Map(this.listed.peek());
    for (const id of this.dirty) {
      if (!/^[CDG]/.test(id)) continue;
      const made = this.makeConversation(id);
      if (made?.isMember && !made.isArchived && !this.isClosed(id)) now.set(id, made);
      else now.delete(id);
      this.single.refresh(id);
    }
    this.listed.value = now;
  }

  private isClosed(id: Id): boolean {
    const until = this.closed.get(id);
    return until !== undefined && this.latest(id) <= until;
  }

  private makeUser(id: Id): User | undefined {
    if (id === "USLACKBOT") return slackbot();
    const json = id === this.selfId && this.self.id ? this.self : this.holding.get(id);
    return json && userOf(json);
  }

  private makeConversation(id: Id): Conversation | undefined {
    const mine = this.mine.get(id);
    const json = this.holding.get(id);
    if (mine === undefined && json === undefined) return undefined;
    const size = this.sizes.get(id);
    return conversationOf(mine, size === undefined ? (json ?? {}) : { ...json, num_members: size }, this.around());
  }

  private label(id: Id): string | undefined {
    const user = this.makeUser(id);
    if (user === undefined && this.isBooted) this.hooks.want(id);
    return user?.label;
  }

  private around(): Surroundings {
    const { mutedIds, starredIds } = this.chosen.peek();
    return { selfId: this.selfId, selfName: text(this.self.name), mutedIds, starredIds, label: (id) => this.label(id) };
  }
}

type Reader = (this: Workspace, json: Json, event: Happening) => void;

const joined: Reader = function (json, event) {
  if (isObject(json.channel)) this.joined(event.type, json.channel, text(json.user));
  else this.setClosed(text(json.channel), null);
};
const left: Reader = function (json) {
  this.left(text(isObject(json.channel) ? json.channel.id : json.channel));
};
const closed: Reader = function (json) {
  const id = text(json.channel);
  this.setClosed(id, this.latest(id) || "0");
};

/** What events mean. Messages are read by the client, because timelines are told of them first. */
const READERS: Readonly<Record<string, Reader>> = {
  channel_marked: Workspace.prototype.marked,
  group_marked: Workspace.prototype.marked,
  im_marked: Workspace.prototype.marked,
  mpim_marked: Workspace.prototype.marked,
  user_change: Workspace.prototype.changedUser,
  team_join: Workspace.prototype.changedUser,
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
  channel_rename: Workspace.prototype.renamed,
  group_rename: Workspace.prototype.renamed,
  channel_archive(json) {
    this.archived(json, true);
  },
  group_archive(json) {
    this.archived(json, true);
  },
  channel_unarchive(json) {
    this.archived(json, false);
  },
  group_unarchive(json) {
    this.archived(json, false);
  },
  member_joined_channel(json) {
    this.moved(json, 1);
  },
  member_left_channel(json) {
    this.moved(json, -1);
  },
  user_objects(json) {
    for (const user of objects(json.users)) this.holding.put(user);
  },
  pref_change(json) {
    this.changePrefs({ [text(json.name)]: json.value });
  },
  emoji_changed() {
    this.isEmojiOld = true;
  },
  team_rename(json) {
    if (text(json.name)) this.rename(text(json.name));
  },
};
