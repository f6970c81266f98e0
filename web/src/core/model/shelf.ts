/** A signal for each id, made when it is asked for. Those that nobody looks at are forgotten first. */
import { type ReadonlySignal, type Signal, signal } from "@preact/signals";

const SIGNALS_MAX = 20_000;

export class Shelf<T> {
  private readonly made = new Map<string, Signal<T>>();
  private readonly watched = new Set<string>();

  constructor(private readonly make: (id: string) => T) {}

  get(id: string): ReadonlySignal<T> {
    const had = this.made.get(id);
    if (had !== undefined) return had;
    const fresh = signal(this.make(id), {
      watched: () => this.watched.add(id),
      unwatched: () => this.watched.delete(id),
    });
    this.made.set(id, fresh);
    if (this.made.size > SIGNALS_MAX) this.forget();
    return fresh;
  }

  /** What is on screen now, or depended on. */
  get watchedIds(): ReadonlySet<string> {
    return this.watched;
  }

  /** Make it anew, if anybody ever asked for it. */
  refresh(id: string): void {
    const had = this.made.get(id);
    if (had) had.value = this.make(id);
  }

  refreshAll(): void {
    for (const id of this.made.keys()) this.refresh(id);
  }

  private forget(): void {
    for (const id of this.made.keys()) {
      if (this.made.size <= SIGNALS_MAX * 0.9) return;
      if (!this.watched.has(id)) this.made.delete(id);
    }
  }
}
