/** Who types where: heard of while it lasts, and forgotten when nothing more is heard. */
import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Id, Ts } from "../contract";
import { type Json, text } from "../net/json";

/** Typing is told again every few seconds; beyond this it has ended. */
const LASTS_MS = 6_000;
const TELL_MS = 3_000;
const PLACES_MAX = 200;

export class Typing {
  private readonly places = new Map<string, Signal<readonly Id[]>>();
  private readonly timers = new Map<string, ReturnType<typeof setTimeout>>();
  private readonly toldAt = new Map<string, number>();

  constructor(
    private readonly selfId: Id,
    private readonly send: (frame: Json) => boolean,
  ) {}

  at(conversationId: Id, threadTs: Ts | null): ReadonlySignal<readonly Id[]> {
    return this.place(placeOf(conversationId, threadTs));
  }

  take(frame: Json): void {
    const userId = text(frame.user);
    if (!userId || userId === this.selfId) return;
    const place = placeOf(text(frame.channel), text(frame.thread_ts) || null);
    const known = this.place(place);
    if (!known.peek().includes(userId)) known.value = [...known.peek(), userId];
    const key = `${place} ${userId}`;
    clearTimeout(this.timers.get(key));
    this.timers.set(
      key,
      setTimeout(() => this.ended(place, userId), LASTS_MS),
    );
  }

  /** Somebody who has said it is not typing it any more. */
  ended(place: string, userId: Id): void {
    const key = `${place} ${userId}`;
    clearTimeout(this.timers.get(key));
    this.timers.delete(key);
    const known = this.places.get(place);
    if (known?.peek().includes(userId)) known.value = known.peek().filter((each) => each !== userId);
  }

  said(conversationId: Id, threadTs: Ts | null, userId: Id): void {
    this.ended(placeOf(conversationId, threadTs), userId);
  }

  /** Oneself types: told now and then. */
  note(conversationId: Id, threadTs: Ts | null, now: number): void {
    const place = placeOf(conversationId, threadTs);
    if (now - (this.toldAt.get(place) ?? 0) < TELL_MS) return;
    const thread = threadTs ? { thread_ts: threadTs } : {};
    if (this.send({ type: "typing", channel: conversationId, ...thread })) this.toldAt.set(place, now);
    if (this.toldAt.size > PLACES_MAX) this.toldAt.clear();
  }

  end(): void {
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
  }

  private place(place: string): Signal<readonly Id[]> {
    const had = this.places.get(place) ?? signal<readonly Id[]>([]);
    this.places.set(place, had);
    for (const [oldest, each] of this.places) {
      if (this.places.size <= PLACES_MAX) break;
      if (oldest !== place && !each.peek().length) this.places.delete(oldest);
      else break;
    }
    return had;
  }
}

const placeOf = (conversationId: Id, threadTs: Ts | null) => `${conversationId}/${threadTs ?? ""}`;
