/**
 * A workspace as one person sees it: the first screen from a boot, the rest as it is asked for, events on top.
 *
 * A boot is true up to a position in each channel. Events up to there are in it already, so what a resumed connection
 * replays from before them changes nothing here. `readers.ts` says what events mean, `telling.ts` how it is told.
 */
import { type ReadonlySignal, signal } from "@preact/signals";
import type { Conversation, Id, Preferences, Ts, User } from "../contract";
import { isObject, type Json, object, objects, text, texts } from "../net/json";
import type { Happening, Positions } from "../net/session";
import type { Membership } from "./counting";
import * as counting from "./counting";
import { Holding } from "./holding";
import { Memberships } from "./memberships";
import { conversationOf, type Surroundings, slackbot, userOf } from "./people";
import * as preferences from "./preferences";
import { READERS } from "./readers";
import { Telling } from "./telling";

export interface Hooks {
  /** Where the reader is said to be in a conversation, while the server was not told so. */
  marking(id: Id): Ts | null;
  /** This will be shown, and is not there. */
  want(id: Id): void;
  /** One is in it now, and was not. */
  joined(id: Id): void;
}

interface Team {
  readonly id: Id;
  readonly name: string;
  readonly domain: string;
}

export class Workspace {
  readonly holding = new Holding((id) => this.objectChanged(id));
  readonly mine = new Memberships((id) => this.telling.touch(id));
  readonly team: ReadonlySignal<Team>;
  readonly preferences: ReadonlySignal<Preferences>;
  readonly conversations: ReadonlySignal<ReadonlyMap<Id, Conversation>>;
  isBooted = false;
  isEmojiOld = true;
  private readonly telling: Telling;
  private readonly teamNow;
  private readonly chosen = signal(preferences.DEFAULTS);
  private positions = new Map<string, number>();
  private self: Json = {};
  private prefs: Json = {};

  constructor(
    team: Team,
    readonly selfId: Id,
    private readonly hooks: Hooks,
  ) {
    this.teamNow = signal(team);
    this.team = this.teamNow;
    this.preferences = this.chosen;
    this.telling = new Telling({
      user: (id) => this.makeUser(id),
      conversation: (id) => this.makeConversation(id),
      isClosed: (id) => this.mine.isClosed(id),
    });
    this.conversations = this.telling.conversations;
  }

  // What is there ------------------------------------------------------------------------------------------------

  user(id: Id): ReadonlySignal<User | undefined> {
    return this.telling.users.get(id);
  }

  conversation(id: Id): ReadonlySignal<Conversation | undefined> {
    return this.telling.each.get(id);
  }

  membership(id: Id): Membership | undefined {
    return this.mine.get(id);
  }

  get keywords(): readonly string[] {
    return preferences.keywordsOf(this.prefs);
  }

  /** Users on screen, or depended on. */
  get watchedUserIds(): ReadonlySet<string> {
    return this.telling.users.watchedIds;
  }

  get closedPrefs(): Json {
    return preferences.closedPrefs(this.mine.closed);
  }

  latest(id: Id): Ts {
    return this.mine.latest(id);
  }

  /** Where the reader is said to be, while the server was not told so. */
  marking(id: Id): Ts | null {
    return this.hooks.marking(id);
  }

  /** What is known of a conversation that the server described. */
  described(json: Json): Conversation {
    return conversationOf(this.mine.get(text(json.id)), json, this.around());
  }

  // What is told -------------------------------------------------------------------------------------------------

  boot(answer: Json, positions: Positions): void {
    const isDelta = answer.is_delta === true && this.isBooted;
    const entries = objects(answer.channels);
    if (!isDelta || answer.complete === true) this.mine.clear();
    for (const entry of entries) this.mine.put(counting.fromBoot(entry));
    if (isDelta) this.holding.age([...texts(answer.changed), ...entries.map((each) => text(each.id))]);
    else this.holding.age();
    this.replace(answer, isDelta);
    for (const user of objects(answer.users)) this.holding.put(user);
    this.positions = new Map(isDelta ? [...this.positions, ...positions] : positions);
    this.isBooted = true;
    this.telling.flush();
  }

  /** Take what happened, in the order in which the connection brings it. False: it is in the boot already. */
  apply(event: Happening): boolean {
    if (event.offset) {
      if (event.offset <= (this.positions.get(event.channelId) ?? 0)) return false;
      this.positions.set(event.channelId, event.offset);
    }
    READERS[event.type]?.(this, event.json, event);
    return true;
  }

  /** Events of this channel before `start` will never be told. True: a whole boot is needed. */
  missed(channelId: string, start: number): boolean {
    if (start <= (this.positions.get(channelId) ?? 0)) return false; // the boot has all that
    this.positions.set(channelId, start);
    if (!channelId.startsWith("T")) return channelId.startsWith("U") || this.mine.get(channelId) !== undefined;
    this.holding.age();
    this.isEmojiOld = true;
    return false;
  }

  message(json: Json): void {
    const id = text(json.channel);
    this.mine.alter(id, (had) => counting.withMessage(had, json, this.selfId));
    const subtype = text(json.subtype);
    if (/_(topic|purpose)$/.test(subtype)) {
      const what = subtype.endsWith("_topic") ? "topic" : "purpose";
      this.holding.change(id, { [what]: { value: text(json[what]) } });
    }
  }

  /** `newest`: the newest message to be read that is left, if known. */
  removed(id: Id, message: Json, at: Ts, newest: Ts | null): void {
    this.mine.alter(id, (had) => counting.withRemoval(had, message, at, newest, this.selfId));
  }

  /** The reader is at `at`, as far as this browser is concerned. */
  readUpTo(id: Id, at: Ts): void {
    this.mine.alter(id, (had) => (at >= had.latest ? counting.withMark(had, at, 0, at) : { ...had, lastRead: at }));
  }

  joined(type: string, shape: Json, peerId: Id): void {
    const id = text(shape.id);
    if (!id) return;
    this.setClosed(id, null);
    if (this.mine.get(id)) return;
    this.mine.put(counting.fromEvent(type, shape, peerId));
    this.hooks.joined(id);
  }

  left(id: Id): void {
    this.mine.delete(id);
  }

  /** Put a direct conversation out of sight, or, with null, back. */
  setClosed(id: Id, until: Ts | null): void {
    this.mine.setClosed(id, until);
  }

  setPeople(id: Id, userIds: readonly Id[]): void {
    this.mine.alter(id, (had) => ({ ...had, userIds }));
  }

  changePrefs(change: Json): void {
    this.prefs = { ...this.prefs, ...change };
    this.chosen.value = preferences.preferencesOf(this.prefs);
    this.mine.closed = preferences.closedOf(this.prefs);
  }

  changedUser(user: Json, version: number): void {
    this.holding.put(user, version);
    if (user.id === this.selfId) this.self = user;
    this.objectChanged(text(user.id));
  }

  rename(name: string): void {
    this.teamNow.value = { ...this.teamNow.peek(), name };
  }

  // What becomes of it -------------------------------------------------------------------------------------------

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

  private objectChanged(id: string): void {
    this.telling.touch(id);
    if (id.startsWith("U") || id.startsWith("W")) this.mine.touchThoseWith(id);
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
    const size = this.mine.size(id);
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
