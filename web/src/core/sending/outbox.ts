/**
 * Sends what was written: shown at once, kept over reloads until the server has it, tried again after whatever is not a
 * refusal. A message has an id of its own (client_msg_id), by which the server knows it again, so a second try, or a
 * second tab, does not make it two.
 */
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { Id, Message, Ts } from "../contract";
import { Refusal } from "../contract";
import type { Calls } from "../net/api";
import { isObject, type Json, text } from "../net/json";
import { Backoff, type Chance, LIMITED } from "../net/retrying";
import type { Kept } from "./kept";
import { HELD, Queue, type Unsent, unsentOf } from "./queue";

/** What another tab wrote is taken over when it was not touched for this long: that tab is gone. */
const ABANDONED_MS = 15_000;
const TOUCH_MS = 5_000;
/** What another tab has sent is shown until its event is here, or for this long: it may have been there before. */
const LINGER_MS = 30_000;
/** Ids of sent messages that are remembered of each kind, so that these keep their keys, and are there once. */
const REMEMBERED_MAX = 1_000;
const ATTEMPT_S = 8;
/** Refusals that say nothing about the message. */
const PASSING: ReadonlySet<string> = new Set([
  ...LIMITED,
  "unreachable",
  "service_unavailable",
  "internal_error",
  "fatal_error",
  "request_timeout",
  "not_authed",
  "invalid_auth",
  "token_expired",
  "token_revoked",
]);

const OWN = "own:";
const keyOf = (id: string) => OWN + id;
const idOf = (key: string) => key.slice(OWN.length);

export class Outbox {
  private readonly queue = new Queue();
  private readonly version = signal(0);
  private readonly mine = new Set<string>();
  /** Of other tabs, which have sent them: their events are on the way to this one. */
  private readonly sent = new Set<string>();
  private readonly known = new Map<string, true>();
  /** The server has told of them before it was known here that another tab sends them: its word may come later. */
  private readonly heard = new Map<string, true>();
  private readonly backoffs = new Map<Id, Backoff>();
  private readonly lists = new Map<string, ReadonlySignal<readonly Message[]>>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly toucher: ReturnType<typeof setInterval>;
  private readonly unwatch: () => void;
  private isEnded = false;

  /** `posted`: told what the server made of a message. */
  constructor(
    private readonly calls: Calls,
    private readonly kept: Kept,
    private readonly selfId: Id,
    private readonly posted: (conversationId: Id, message: Json) => void,
    /** Of this tab, also after it was reloaded. */
    private readonly tabId: string,
    private readonly chance: Chance = Math.random,
  ) {
    for (const [id, json] of kept.all()) this.adopt(id, json, false);
    this.unwatch = kept.watch((id, json) => {
      if (json !== undefined) this.adopt(id, json, true);
      else if (!this.mine.has(id)) this.vanished(id);
    });
    this.toucher = setInterval(() => this.touch(), TOUCH_MS);
  }

  /** Unsent messages of a conversation, or of a thread; "failed" ones among them. */
  pending(conversationId: Id, threadTs: Ts | null): ReadonlySignal<readonly Message[]> {
    const place = `${conversationId}/${threadTs ?? ""}`;
    const made = this.lists.get(place) ?? computed(() => this.list(conversationId, threadTs));
    this.lists.set(place, made);
    return made;
  }

  send(conversationId: Id, said: string, threadTs: Ts | null, alsoToConversation: boolean): void {
    const id = crypto.randomUUID();
    const writtenAt = this.queue.stamp(Date.now());
    const isTooMuch = this.queue.isFull;
    const entry: Unsent = {
      id,
      conversationId,
      threadTs,
      alsoToConversation,
      text: said,
      writtenAt,
      delivery: isTooMuch ? "failed" : "sending",
      failure: isTooMuch ? "Too many messages wait to be sent." : "",
      tries: 0,
      notBefore: 0,
    };
    this.mine.add(id);
    remember(this.known, id);
    this.queue.put(entry);
    if (!isTooMuch) this.keep(entry);
    this.changed();
    this.pump();
  }

  again(key: string): void {
    const entry = this.queue.again(idOf(key));
    if (entry === undefined) return;
    this.mine.add(entry.id);
    this.keep(entry);
    this.changed();
    this.pump();
  }

  discard(key: string): void {
    this.settle(idOf(key), false);
  }

  /** The key by which lists know a message of one's own that this browser sent; undefined for all others. */
  keyFor(message: Json): string | undefined {
    const id = text(message.client_msg_id);
    if (!id || message.user !== this.selfId) return undefined;
    if (this.known.has(id)) return keyOf(id);
    remember(this.heard, id);
    return undefined;
  }

  /** A message from the server is shown under this key: if it waited here, it need not any more. */
  shown(key: string): void {
    if (key.startsWith(OWN)) this.settle(idOf(key));
  }

  /** The way to the server is open again. */
  hurry(): void {
    this.queue.hurry();
    this.pump();
  }

  end(): void {
    this.isEnded = true;
    clearTimeout(this.timer);
    clearInterval(this.toucher);
    this.unwatch();
  }

  /** Take what is kept: one's own from before a reload goes on at once, another tab's when that is gone. */
  private adopt(id: string, json: Json, isNews: boolean): void {
    if (json.isSent === true) {
      if (!isNews) this.kept.delete(id);
      else if (this.queue.get(id)) this.sent.add(id);
      return;
    }
    const entry = unsentOf({ ...json, id });
    if (this.mine.has(id) || this.heard.has(id) || !entry.conversationId || this.queue.isFull) return;
    remember(this.known, id);
    this.queue.put(hold(entry));
    this.changed();
    const isOwn = json.tab === this.tabId && !isNews;
    if (entry.delivery !== "failed") setTimeout(() => this.takeOver(id), isOwn ? 0 : ABANDONED_MS);
  }

  /** Send what another tab, or this one before it was reloaded, has left behind. */
  private takeOver(id: string): void {
    const json = this.kept.one(id);
    if (this.isEnded || this.mine.has(id) || !this.queue.get(id) || json === undefined) return;
    const isLeft = json.tab === this.tabId || Number(json.touchedAt) + ABANDONED_MS <= Date.now();
    if (isLeft) this.again(keyOf(id));
    else setTimeout(() => this.takeOver(id), ABANDONED_MS);
  }

  private pump(): void {
    if (this.isEnded) return;
    const now = Date.now();
    const going = this.queue.take(now);
    for (const entry of going) void this.post(entry);
    if (going.length) this.changed();
    clearTimeout(this.timer);
    const { nextAt } = this.queue;
    if (nextAt !== null) this.timer = setTimeout(() => this.pump(), Math.max(0, nextAt - now) + 1);
  }

  private async post(entry: Unsent): Promise<void> {
    const { id, conversationId } = entry;
    const thread = entry.threadTs ? { thread_ts: entry.threadTs } : {};
    const broadcast = entry.alsoToConversation ? { reply_broadcast: true } : {};
    const args = { channel: conversationId, text: entry.text, client_msg_id: id, ...thread, ...broadcast };
    try {
      const answer = await this.calls.call("chat.postMessage", args, { deadlineS: ATTEMPT_S, isRepeatable: true });
      this.backoffs.delete(conversationId);
      if (isObject(answer.message)) this.posted(conversationId, answer.message);
      this.settle(id);
    } catch (error) {
      const isRefused = error instanceof Refusal && !PASSING.has(error.code) && !/^http_5/.test(error.code);
      const failed = isRefused ? this.queue.failed(id, error.message) : undefined;
      if (failed) this.keep(failed);
      if (!isRefused) this.queue.later(id, Date.now() + this.waitMs(conversationId, error));
      this.changed();
    }
    this.pump();
  }

  private waitMs(conversationId: Id, error: unknown): number {
    const backoff = this.backoffs.get(conversationId) ?? new Backoff(0.5, 15, this.chance);
    this.backoffs.set(conversationId, backoff);
    const askedS = error instanceof Refusal ? (error.retryAfterS ?? 0) : 0;
    return Math.max(backoff.nextS(), askedS * (1 + this.chance() / 2)) * 1000;
  }

  /** Another tab has nothing to do any more for one of its messages. */
  private vanished(id: string): void {
    if (this.sent.has(id)) setTimeout(() => this.settle(id), LINGER_MS);
    else this.settle(id, false);
  }

  /** `isSent`: the server has it, and other tabs will hear of it; else nobody wants it. */
  private settle(id: string, isSent = true): void {
    const entry = this.queue.get(id);
    if (entry === undefined || !this.queue.delete(id)) return;
    // Two steps, so that other tabs can tell what was sent from what was thrown away.
    if (isSent && this.mine.has(id)) this.kept.set(id, { ...entry, isSent });
    this.kept.delete(id);
    this.mine.delete(id);
    this.sent.delete(id);
    this.changed();
    // What stood behind it may go: it was perhaps another tab's, that has sent it.
    this.pump();
  }

  /** Say that this tab is alive, and will send these. */
  private touch(): void {
    for (const id of this.mine) {
      const entry = this.queue.get(id);
      if (entry && entry.delivery !== "failed") this.keep(entry);
    }
  }

  private keep(entry: Unsent): void {
    this.kept.set(entry.id, { ...entry, tab: this.tabId, touchedAt: Date.now() });
  }

  private list(conversationId: Id, threadTs: Ts | null): readonly Message[] {
    if (this.version.value < 0) return []; // reading it is what makes this be done again
    return this.queue.shown
      .filter((each) => each.conversationId === conversationId)
      .filter((each) => each.threadTs === threadTs || (threadTs === null && each.alsoToConversation))
      .map((each) => shownAs(each, this.selfId));
  }

  private changed(): void {
    this.version.value += 1;
  }
}

function remember(ids: Map<string, true>, id: string): void {
  ids.set(id, true);
  for (const oldest of ids.keys()) {
    if (ids.size <= REMEMBERED_MAX) break;
    ids.delete(oldest);
  }
}

/** Not to be sent until it is known that nobody else does. */
const hold = (entry: Unsent): Unsent => ({ ...entry, notBefore: HELD });

function shownAs(entry: Unsent, selfId: Id): Message {
  return {
    key: keyOf(entry.id),
    conversationId: entry.conversationId,
    ts: (entry.writtenAt / 1000).toFixed(6),
    threadTs: entry.threadTs,
    authorId: selfId,
    authorName: null,
    authorPicture: null,
    isBot: false,
    subtype: entry.threadTs && entry.alsoToConversation ? "thread_broadcast" : "",
    text: entry.text,
    blocks: [],
    attachments: [],
    files: [],
    reactions: [],
    editedAt: null,
    isPinned: false,
    isSaved: false,
    isEphemeral: false,
    replyCount: 0,
    replyUserIds: [],
    latestReply: null,
    delivery: entry.delivery,
    failure: entry.failure,
  };
}
