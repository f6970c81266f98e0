/**
 * The users and channels that were loaded, each with its version; the least used ones go first. Pure.
 *
 * An object that may have changed is old: it can still be shown, and costs nothing to confirm, because the client says
 * which version it has. A higher version is newer, whichever way it came: asked for, brought along, or in an event.
 */
import { type Json, number, text } from "../net/json";

export const OBJECTS_MAX = 20_000;

interface Held {
  readonly version: number;
  readonly json: Json;
  isOld: boolean;
}

/** What to ask for: ids, each with the version that is held. For `Holding.answered`. */
export interface Ask {
  readonly ids: ReadonlyMap<string, number | null>;
  readonly generation: number;
}

export class Holding {
  private readonly held = new Map<string, Held>();
  private generation = 0;

  /** `changed`: told of each object that is held anew. */
  constructor(
    private readonly changed: (id: string) => void = () => {},
    private readonly objectsMax = OBJECTS_MAX,
  ) {}

  get size(): number {
    return this.held.size;
  }

  /** An object, perhaps an old one. */
  get(id: string): Json | undefined {
    const held = this.held.get(id);
    if (held === undefined) return undefined;
    this.held.delete(id);
    this.held.set(id, held);
    return held.json;
  }

  isFresh(id: string): boolean {
    return this.held.get(id)?.isOld === false;
  }

  ask(ids: Iterable<string>): Ask {
    const wanted = new Map<string, number | null>();
    for (const id of ids) if (!this.isFresh(id)) wanted.set(id, this.held.get(id)?.version ?? null);
    return { ids: wanted, generation: this.generation };
  }

  /** Take the answer: what is in it is new, what is not has not changed. */
  answered(ask: Ask, objects: readonly Json[]): void {
    for (const each of objects) this.put(each);
    // Something may have been said to be old meanwhile, perhaps after the answer was made.
    if (ask.generation !== this.generation) return;
    for (const [id, version] of ask.ids) {
      const held = this.held.get(id);
      if (held !== undefined && version !== null && held.version >= version) held.isOld = false;
    }
  }

  /** Hold an object, unless a newer version is held. */
  put(json: Json, version = number(json.v)): void {
    const id = text(json.id);
    const held = this.held.get(id);
    if (!id || (held !== undefined && held.version > version)) return;
    // The same version again proves nothing about a change that was announced since.
    const isOld = held !== undefined && held.version === version && held.isOld;
    this.held.delete(id);
    this.held.set(id, { version, json, isOld });
    this.changed(id);
    for (const oldest of this.held.keys()) {
      if (this.held.size <= this.objectsMax) break;
      this.held.delete(oldest);
    }
  }

  /** Change what is known to have changed; the rest is old until it is asked for. */
  change(id: string, fields: Json): void {
    const held = this.held.get(id);
    if (held === undefined) return;
    this.held.set(id, { ...held, json: { ...held.json, ...fields } });
    this.age([id]);
    this.changed(id);
  }

  /** Note that these may have changed; all of them when none are named. */
  age(ids: Iterable<string> = this.held.keys()): void {
    this.generation += 1;
    for (const id of ids) {
      const held = this.held.get(id);
      if (held) held.isOld = true;
    }
  }
}
