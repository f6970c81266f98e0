/** Who is there, of those on screen: subscribed to as their union, a moment after it changes. */
import type { ReadonlySignal } from "@preact/signals";
import type { Id } from "../contract";
import { type Json, text, texts } from "../net/json";
import { Shelf } from "./shelf";

type State = "active" | "away" | "unknown";

/** Users that one subscribes to at most, as the contract says. */
const SUBSCRIBED_MAX = 1_400;
const MOMENT_MS = 150;

export class Presence {
  private readonly states = new Map<Id, State>();
  private readonly shelf = new Shelf<State>((id) => this.states.get(id) ?? "unknown");
  private readonly counts = new Map<Id, number>();
  private asked = "";
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly send: (frame: Json) => boolean) {}

  of(userId: Id): ReadonlySignal<State> {
    return this.shelf.get(userId);
  }

  watch(userIds: readonly Id[]): () => void {
    const ids = [...new Set(userIds)];
    for (const id of ids) this.counts.set(id, (this.counts.get(id) ?? 0) + 1);
    this.soon();
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      for (const id of ids) {
        const left = (this.counts.get(id) ?? 1) - 1;
        if (left) this.counts.set(id, left);
        else this.counts.delete(id);
      }
      this.soon();
    };
  }

  /** A presence_change. */
  take(frame: Json): void {
    const state = frame.presence === "active" ? "active" : "away";
    const one = text(frame.user);
    for (const id of one ? [one] : texts(frame.users)) {
      if (!this.counts.has(id)) continue;
      this.states.set(id, state);
      this.shelf.refresh(id);
    }
  }

  /** There is a new connection, which knows of no subscription. */
  began(): void {
    this.asked = "";
    this.soon();
  }

  end(): void {
    clearTimeout(this.timer);
  }

  private soon(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.subscribe(), MOMENT_MS);
  }

  private subscribe(): void {
    const ids = [...this.counts.keys()].slice(0, SUBSCRIBED_MAX);
    for (const id of [...this.states.keys()]) {
      if (this.counts.has(id)) continue;
      this.states.delete(id);
      this.shelf.refresh(id);
    }
    const wanted = [...ids].sort().join();
    if (wanted !== this.asked && this.send({ type: "presence_sub", ids })) this.asked = wanted;
  }
}
