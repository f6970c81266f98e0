/** All timelines of a client, by place: those on screen, and the last ones that were. */
import { type ReadonlySignal, untracked } from "@preact/signals";
import type { Id, Message, Timeline, Ts } from "../contract";
import type { Calls } from "../net/api";
import type { Json } from "../net/json";
import type { Chance } from "../net/retrying";
import { isInChannel, isInThread } from "./messages";
import { HistorySource, ThreadSource } from "./source";
import { LiveTimeline } from "./timeline";
import type { Op } from "./window";

/** Timelines kept while nobody shows them. */
export const KEPT_MAX = 30;
/** Where one is not a member nobody tells what happens: while it is on screen, it is read again about this often. */
export const LOOK_MS = 15_000;

export interface Surroundings {
  readonly calls: Calls;
  readonly selfId: Id;
  read(json: Json, conversationId: Id): Message;
  pending(conversationId: Id, threadTs: Ts | null): ReadonlySignal<readonly Message[]>;
  /** Where the reader was; null where nobody knows. */
  lastRead(conversationId: Id): Ts | null;
  /** Messages that came in a page are shown. */
  arrived(messages: readonly Message[]): void;
  isWatched(): boolean;
  /** The page is on a screen. */
  isVisible(): boolean;
  /** Events come, so what is loaded from now on is kept right. */
  isBooted(): boolean;
  isMember(conversationId: Id): boolean;
  /** Somebody shows this conversation from now on. */
  opened(conversationId: Id): void;
}

export interface Held {
  readonly timeline: Timeline;
  release(): void;
}

export class Timelines {
  private readonly made = new Map<string, LiveTimeline>();
  private looker: ReturnType<typeof setTimeout> | undefined;
  private readonly byConversation = new Map<Id, Map<Ts, LiveTimeline>>();

  constructor(
    private readonly around: Surroundings,
    private readonly chance: Chance = Math.random,
  ) {}

  hold(conversationId: Id, root: Ts | null): Held {
    return untracked(() => {
      const timeline = this.at(conversationId, root);
      const { around } = this;
      const isBlind = timeline.isLoaded && !timeline.isHeld && !around.isMember(conversationId);
      if (isBlind) timeline.invalidate();
      timeline.hold(root === null ? around.lastRead(conversationId) : null, around.isBooted());
      if (root === null) around.opened(conversationId);
      this.lookLater();
      let isOver = false;
      const release = () => {
        if (!isOver) timeline.letGo();
        isOver = true;
        this.forget();
      };
      return { timeline, release };
    });
  }

  /** The first boot is there, and perhaps the newest messages of the conversation that is shown. */
  booted(history: { readonly channel: Id; readonly json: Json } | null, askedAt: number): void {
    if (history) {
      const source = this.history(history.channel);
      this.at(history.channel, null).given(source.given(history.json), askedAt);
    }
    for (const [key, timeline] of this.made) {
      const [conversationId = "", root] = key.split("/");
      if (timeline.isHeld) timeline.begin(root ? null : this.around.lastRead(conversationId));
    }
  }

  /** Tell all timelines of a conversation what happened. */
  take(conversationId: Id, op: Op): void {
    for (const timeline of this.byConversation.get(conversationId)?.values() ?? []) timeline.take(op);
  }

  find(conversationId: Id, ts: Ts): Message | undefined {
    for (const timeline of this.byConversation.get(conversationId)?.values() ?? []) {
      const found = timeline.message(ts);
      if (found) return found;
    }
    return undefined;
  }

  main(conversationId: Id): LiveTimeline | undefined {
    return this.byConversation.get(conversationId)?.get("");
  }

  isShown(conversationId: Id): boolean {
    return this.main(conversationId)?.isHeld ?? false;
  }

  /** What was missed there nobody will tell. */
  invalidate(conversationId: Id): void {
    for (const timeline of this.byConversation.get(conversationId)?.values() ?? []) timeline.invalidate();
  }

  retryAll(): void {
    for (const timeline of this.made.values()) if (timeline.isHeld && timeline.problem.peek()) void timeline.retry();
  }

  /** Look for what nobody tells, as long as anything is shown. */
  private lookLater(): void {
    this.looker ??= setTimeout(
      () => {
        this.looker = undefined;
        const held = [...this.made].filter(([, each]) => each.isHeld);
        if (held.length) this.lookLater();
        if (!this.around.isBooted() || !this.around.isVisible()) return;
        for (const [key, each] of held) if (!this.around.isMember(key.split("/")[0] ?? "")) void each.look();
      },
      LOOK_MS * (0.8 + 0.4 * this.chance()),
    );
  }

  end(): void {
    clearTimeout(this.looker);
    for (const timeline of this.made.values()) timeline.end();
    this.made.clear();
    this.byConversation.clear();
  }

  private at(conversationId: Id, root: Ts | null): LiveTimeline {
    const key = `${conversationId}/${root ?? ""}`;
    const had = this.made.get(key);
    if (had) {
      this.made.delete(key);
      this.made.set(key, had);
      return had;
    }
    const { around } = this;
    const read = (json: Json) => around.read(json, conversationId);
    const made = new LiveTimeline({
      source: root ? new ThreadSource(around.calls, conversationId, root, read) : this.history(conversationId),
      belongs: root ? (message) => isInThread(message, root) : isInChannel,
      isThread: root !== null,
      pending: around.pending(conversationId, root),
      selfId: around.selfId,
      arrived: (messages) => around.arrived(messages),
      isWatched: () => around.isWatched(),
      now: Date.now,
    });
    this.made.set(key, made);
    const siblings = this.byConversation.get(conversationId) ?? new Map<Ts, LiveTimeline>();
    this.byConversation.set(conversationId, siblings.set(root ?? "", made));
    this.forget();
    return made;
  }

  private history(conversationId: Id): HistorySource {
    const { around } = this;
    return new HistorySource(around.calls, conversationId, (json) => around.read(json, conversationId));
  }

  private forget(): void {
    let surplus = [...this.made.values()].filter((each) => !each.isHeld).length - KEPT_MAX;
    for (const [key, timeline] of this.made) {
      if (surplus <= 0) return;
      if (timeline.isHeld) continue;
      surplus -= 1;
      timeline.end();
      this.made.delete(key);
      const [conversationId = "", root = ""] = key.split("/");
      const siblings = this.byConversation.get(conversationId);
      siblings?.delete(root);
      if (!siblings?.size) this.byConversation.delete(conversationId);
    }
  }
}
