/**
 * What is kept in the browser over reloads, one entry a key, so that tabs do not overwrite each other's. Where nothing
 * can be kept (a full disk, a private window that forbids it) everything goes on in memory alone.
 */
import { type Json, parsed } from "../net/json";

export type Keeping = Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;

export class Kept {
  constructor(
    private readonly storage: Keeping | null,
    private readonly prefix: string,
  ) {}

  all(): Map<string, Json> {
    const found = new Map<string, Json>();
    for (let at = 0; at < (this.storage?.length ?? 0); at += 1) {
      const key = this.storage?.key(at) ?? "";
      if (!key.startsWith(this.prefix)) continue;
      const value = parsed(this.storage?.getItem(key));
      if (value !== undefined) found.set(key.slice(this.prefix.length), value);
    }
    return found;
  }

  one(name: string): Json | undefined {
    return parsed(this.storage?.getItem(this.prefix + name));
  }

  /** Says whether it is kept. */
  set(name: string, value: object): boolean {
    try {
      this.storage?.setItem(this.prefix + name, JSON.stringify(value));
      return this.storage !== null;
    } catch {
      return false; // full: it lives as long as this tab does
    }
  }

  delete(name: string): void {
    try {
      this.storage?.removeItem(this.prefix + name);
    } catch {
      // Nothing can be kept here, so nothing has to go.
    }
  }

  /** Be told what another tab has done: undefined where it took something away. */
  watch(changed: (name: string, value: Json | undefined) => void): () => void {
    const listen = (event: StorageEvent) => {
      if (event.key?.startsWith(this.prefix)) changed(event.key.slice(this.prefix.length), parsed(event.newValue));
    };
    globalThis.addEventListener?.("storage", listen);
    return () => globalThis.removeEventListener?.("storage", listen);
  }
}

/** The browser's own; null where there is none. */
export function browserStorage(): Keeping | null {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}
