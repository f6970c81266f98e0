/** What was begun to be written, by place, kept over reloads and shared with other tabs. */
import { type ReadonlySignal, signal } from "@preact/signals";
import type { Draft } from "../contract";
import { type Json, number, text } from "../net/json";
import type { Kept } from "./kept";

/** The oldest go beyond this. */
export const DRAFTS_MAX = 300;
/** Longer ones are kept while the page is open, and not over reloads. */
const KEPT_CHARS_MAX = 40_000;

export class Drafts {
  private readonly held = signal<ReadonlyMap<string, Draft>>(new Map());
  private readonly unwatch: () => void;

  constructor(private readonly kept: Kept) {
    const found = [...kept.all()].map(([place, json]) => [place, draftOf(json)] as const);
    this.held.value = new Map(found.sort((one, other) => one[1].updatedAt - other[1].updatedAt));
    this.unwatch = kept.watch((place, json) => this.put(place, json ? draftOf(json) : null));
  }

  get all(): ReadonlySignal<ReadonlyMap<string, Draft>> {
    return this.held;
  }

  set(place: string, said: string, now: number): void {
    if ((this.held.peek().get(place)?.text ?? "") === said) return;
    const draft = said.trim() ? { text: said, updatedAt: now } : null;
    if (draft && said.length <= KEPT_CHARS_MAX) this.kept.set(place, draft);
    else this.kept.delete(place);
    this.put(place, draft);
  }

  end(): void {
    this.unwatch();
  }

  private put(place: string, draft: Draft | null): void {
    const now = new Map(this.held.peek());
    now.delete(place);
    if (draft) now.set(place, draft);
    for (const oldest of now.keys()) {
      if (now.size <= DRAFTS_MAX) break;
      now.delete(oldest);
      this.kept.delete(oldest);
    }
    this.held.value = now;
  }
}

const draftOf = (json: Json): Draft => ({ text: text(json.text), updatedAt: number(json.updatedAt) });
