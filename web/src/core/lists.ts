/** What is looked for and listed: people, channels, messages, members, files, pins, what was saved, who mentioned one. */
import { type ReadonlySignal, signal } from "@preact/signals";
import type { Conversation, FileInfo, Found, FoundMessage, Id, Message, Ts, User } from "./contract";
import { isDirect } from "./model/counting";
import { type Loader, shapes } from "./model/loader";
import { fileOf } from "./model/people";
import type { Workspace } from "./model/workspace";
import type { Calls } from "./net/api";
import { type Json, number, object, objects, text, texts } from "./net/json";

/** Found at once by a prefix, which has at most so many characters; as the contract says. */
const FOUND_MAX = 20;
const PREFIX_CHARS_MAX = 64;
const PAGE = 50;
const MEMBERS_PAGE = 200;
/** Mentions that are held. */
const ACTIVITY_MAX = 200;
/** What marks what was searched for. */
const MARKS = /[\uE000\uE001]/g;

type Read = (json: Json, conversationId: Id) => Message;
type SavedChange = (conversationId: Id, ts: Ts, on: boolean) => void;

export class Lists {
  private readonly mentions = signal<readonly FoundMessage[]>([]);
  private readonly kept = signal<readonly Message[]>([]);
  private savedKeys = new Set<string>();

  constructor(
    private readonly calls: Calls,
    private readonly loader: Loader,
    private readonly workspace: Workspace,
    private readonly read: Read,
    private readonly savedChanged: SavedChange,
  ) {}

  get activity(): ReadonlySignal<readonly FoundMessage[]> {
    return this.mentions;
  }

  get saved(): ReadonlySignal<readonly Message[]> {
    return this.kept;
  }

  async searchPeople(prefix: string, near: readonly Id[]): Promise<readonly User[]> {
    const wanted = prefix.trim().slice(0, PREFIX_CHARS_MAX);
    const all = [...new Set([...near, ...this.workspace.mine.near()])];
    if (!wanted) return this.known(all.filter((id) => /^[UW]/.test(id)).slice(0, FOUND_MAX));
    const ranked = all.slice(0, 200);
    const answer = await this.loader.query("search", {
      prefix: wanted,
      kinds: ["users"],
      limit: FOUND_MAX,
      near: ranked,
    });
    for (const each of shapes(answer)) this.workspace.holding.put(each);
    return this.known(objects(answer.users).map((each) => text(each.id)));
  }

  /** One's own first, then what else is public. */
  async searchChannels(prefix: string): Promise<readonly Conversation[]> {
    const wanted = prefix.trim().slice(0, PREFIX_CHARS_MAX).toLowerCase();
    const mine = [...this.workspace.conversations.peek().values()].filter((each) => !isDirect(each.kind));
    const begins = mine.filter((each) => each.name.toLowerCase().startsWith(wanted));
    begins.sort((one, other) => one.name.localeCompare(other.name));
    if (!wanted) return begins.slice(0, FOUND_MAX);
    const near = this.workspace.mine.near().slice(0, 200);
    const answer = await this.loader.query("search", { prefix: wanted, kinds: ["channels"], limit: FOUND_MAX, near });
    for (const each of shapes(answer)) this.workspace.holding.put(each);
    const ids = new Set(begins.map((each) => each.id));
    const others = objects(answer.channels).filter((each) => !ids.has(text(each.id)) && each.is_archived !== true);
    return [...begins, ...others.map((each) => this.workspace.described(each))].slice(0, FOUND_MAX);
  }

  async searchMessages(query: string, order: "best" | "newest", page: number): Promise<Found<FoundMessage>> {
    const sort = order === "newest" ? "timestamp" : "score";
    const args = { query, sort, highlight: true, count: FOUND_MAX, page };
    const answer = object((await this.calls.read("search.messages", args)).messages);
    const paging = object(answer.paging);
    const hasMore = number(paging.page) < number(paging.pages);
    const items = objects(answer.matches).map((each) => this.found(each));
    return { items, total: number(answer.total), nextPage: hasMore ? page + 1 : null };
  }

  async members(conversationId: Id, cursor: string): Promise<{ ids: readonly Id[]; total: number; cursor: string }> {
    const answer = await this.loader.query("members", { channel: conversationId, cursor, limit: MEMBERS_PAGE });
    const total = number(answer.total);
    this.workspace.mine.setSize(conversationId, total);
    return { ids: texts(answer.members), total, cursor: text(answer.cursor) };
  }

  async browseChannels(cursor: string): Promise<{ channels: readonly Conversation[]; cursor: string }> {
    const args = { types: "public_channel", exclude_archived: true, limit: 200, ...(cursor ? { cursor } : {}) };
    const answer = await this.calls.read("conversations.list", args);
    const channels = objects(answer.channels).map((each) => this.workspace.described(each));
    return { channels, cursor: text(object(answer.response_metadata).next_cursor) };
  }

  async files(conversationId: Id): Promise<readonly FileInfo[]> {
    const answer = await this.calls.read("files.list", { channel: conversationId, count: 100 });
    return objects(answer.files).map(fileOf);
  }

  async pins(conversationId: Id): Promise<readonly Message[]> {
    const answer = await this.calls.read("pins.list", { channel: conversationId });
    return objects(answer.items).map((each) => this.read(object(each.message), conversationId));
  }

  async loadActivity(): Promise<void> {
    const args = { query: "to:me", sort: "timestamp", highlight: false, count: PAGE, page: 1 };
    const answer = object((await this.calls.read("search.messages", args)).messages);
    // What one did oneself begins with one's own name: that is no call.
    const isCall = (each: Json) => object(each.channel).is_im !== true && each.user !== this.workspace.selfId;
    const matches = objects(answer.matches).filter(isCall);
    const found = matches.map((each) => this.found(each));
    const had = this.mentions.peek();
    const heard = had.filter((each) => each.message.ts > (found[0]?.message.ts ?? ""));
    this.mentions.value = [...heard, ...found].slice(0, ACTIVITY_MAX);
  }

  /** Somebody has just mentioned one. */
  mentioned(message: Message): void {
    if (this.mentions.peek().some((each) => isSame(each.message, message))) return;
    const conversationName = this.workspace.conversation(message.conversationId).peek()?.name ?? "";
    const found = { message, conversationName, highlighted: message.text };
    this.mentions.value = [found, ...this.mentions.peek()].slice(0, ACTIVITY_MAX);
  }

  isSaved(conversationId: Id, ts: Ts): boolean {
    return this.savedKeys.has(`${conversationId}/${ts}`);
  }

  async loadSaved(): Promise<void> {
    const items: Json[] = [];
    let cursor = "";
    do {
      const answer = await this.calls.read("stars.list", { limit: 100, ...(cursor ? { cursor } : {}) });
      items.push(...objects(answer.items).filter((each) => each.type === "message"));
      cursor = text(object(answer.response_metadata).next_cursor);
    } while (cursor && items.length < 2_000);
    const before = this.savedKeys;
    const messages = items.map((each) => ({
      ...this.read(object(each.message), text(each.channel)),
      isSaved: true,
    }));
    this.savedKeys = new Set(messages.map((each) => `${each.conversationId}/${each.ts}`));
    this.kept.value = messages;
    for (const key of this.savedKeys) if (!before.has(key)) this.told(key, true);
    for (const key of before) if (!this.savedKeys.has(key)) this.told(key, false);
  }

  /** star_added or star_removed, or what was done here. */
  tookSaved(conversationId: Id, ts: Ts, on: boolean, message: Message | null): void {
    const key = `${conversationId}/${ts}`;
    if (on) this.savedKeys.add(key);
    else this.savedKeys.delete(key);
    const others = this.kept.peek().filter((each) => each.ts !== ts || each.conversationId !== conversationId);
    this.kept.value = on && message ? [{ ...message, isSaved: true }, ...others] : others;
  }

  /** A message changed, or is gone (null), that may stand in one of the lists. */
  changed(conversationId: Id, ts: Ts, become: ((had: Message) => Message) | null): void {
    const isIt = (each: Message) => each.ts === ts && each.conversationId === conversationId;
    if (this.kept.peek().some(isIt)) {
      const all = become ? this.kept.peek().map((each) => (isIt(each) ? become(each) : each)) : this.kept.peek();
      this.kept.value = become ? all : all.filter((each) => !isIt(each));
    }
    if (become === null && this.mentions.peek().some((each) => isIt(each.message)))
      this.mentions.value = this.mentions.peek().filter((each) => !isIt(each.message));
  }

  private told(key: string, on: boolean): void {
    const [conversationId = "", ts = ""] = key.split("/");
    this.savedChanged(conversationId, ts, on);
  }

  private found(match: Json): FoundMessage {
    const channel = object(match.channel);
    const id = text(channel.id);
    const highlighted = text(match.text);
    const message = this.read({ ...match, text: highlighted.replace(MARKS, "") }, id);
    const conversationName = this.workspace.conversation(id).peek()?.name || text(channel.name);
    return { message, conversationName, highlighted };
  }

  private known(ids: readonly Id[]): readonly User[] {
    const found = ids.map((id) => this.workspace.user(id).peek());
    return found.filter((each) => each !== undefined);
  }
}

const isSame = (one: Message, other: Message) => one.ts === other.ts && one.conversationId === other.conversationId;
