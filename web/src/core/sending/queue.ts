/**
 * Messages that the server does not have yet, and which of them may go: in each conversation one after the other, in the
 * order in which they were written. Pure: takes the time (milliseconds), sends nothing itself.
 */
import type { Delivery, Id, Ts } from "../contract";
import { type Json, number, text } from "../net/json";

/** Unsent messages at a time. */
export const UNSENT_MAX = 200;
/** Conversations in which something is on its way at a time. */
const UNDER_WAY_MAX = 4;
/** `notBefore` of what another tab sends. */
export const HELD = Number.MAX_SAFE_INTEGER;

export interface Unsent {
  /** Is the message's client_msg_id as well: whoever sends it twice has sent it once. */
  readonly id: string;
  readonly conversationId: Id;
  readonly threadTs: Ts | null;
  readonly alsoToConversation: boolean;
  readonly text: string;
  /** Milliseconds, above those of all that were written before. */
  readonly writtenAt: number;
  readonly delivery: Exclude<Delivery, "sent">;
  readonly failure: string;
  /** Tries so far, and when the next one may be. */
  readonly tries: number;
  readonly notBefore: number;
}

export function unsentOf(json: Json): Unsent {
  return {
    id: text(json.id),
    conversationId: text(json.conversationId),
    threadTs: text(json.threadTs) || null,
    alsoToConversation: json.alsoToConversation === true,
    text: text(json.text),
    writtenAt: number(json.writtenAt),
    delivery: json.delivery === "failed" || json.delivery === "sending" ? json.delivery : "waiting",
    failure: text(json.failure),
    tries: 0,
    notBefore: 0,
  };
}

export class Queue {
  private readonly unsent = new Map<string, Unsent>();
  private readonly underWay = new Set<string>();
  private lastAt = 0;

  /** In the order of writing. */
  get all(): readonly Unsent[] {
    return [...this.unsent.values()].sort((one, other) => one.writtenAt - other.writtenAt);
  }

  /** The same as people are shown them: what stands behind one that waits, waits as well. */
  get shown(): readonly Unsent[] {
    const held = new Set<Id>();
    return this.all.map((each) => {
      if (each.delivery === "waiting") held.add(each.conversationId);
      return each.delivery === "sending" && held.has(each.conversationId) ? { ...each, delivery: "waiting" } : each;
    });
  }

  get(id: string): Unsent | undefined {
    return this.unsent.get(id);
  }

  get isFull(): boolean {
    return this.unsent.size >= UNSENT_MAX;
  }

  put(entry: Unsent): void {
    this.lastAt = Math.max(this.lastAt, entry.writtenAt);
    this.unsent.set(entry.id, entry);
  }

  /** A time for the next message that is after all others'. */
  stamp(now: number): number {
    this.lastAt = Math.max(now, this.lastAt + 1);
    return this.lastAt;
  }

  /** The server has it, or nobody wants it any more. */
  delete(id: string): boolean {
    this.underWay.delete(id);
    return this.unsent.delete(id);
  }

  /** Which may be sent now; they count as under way until `sent`, `failed` or `later`. */
  take(now: number): readonly Unsent[] {
    const busy = new Set([...this.underWay].map((id) => this.unsent.get(id)?.conversationId));
    const taken: Unsent[] = [];
    for (const each of this.all) {
      if (each.delivery === "failed" || busy.has(each.conversationId)) continue;
      busy.add(each.conversationId); // whoever is first and has to wait lets nobody past
      if (each.notBefore > now || this.underWay.size >= UNDER_WAY_MAX) continue;
      this.underWay.add(each.id);
      const going: Unsent = { ...each, delivery: each.tries ? each.delivery : "sending", tries: each.tries + 1 };
      this.unsent.set(each.id, going);
      taken.push(going);
    }
    return taken;
  }

  /** It is not known what became of it: again, later. */
  later(id: string, notBefore: number): Unsent | undefined {
    return this.change(id, { delivery: "waiting", notBefore });
  }

  failed(id: string, failure: string): Unsent | undefined {
    return this.change(id, { delivery: "failed", failure });
  }

  again(id: string): Unsent | undefined {
    return this.change(id, { delivery: "sending", failure: "", tries: 0, notBefore: 0 });
  }

  /** Let all that wait try at once: the connection is back. */
  hurry(): void {
    for (const each of this.unsent.values())
      if (each.notBefore && each.notBefore < HELD) this.unsent.set(each.id, { ...each, notBefore: 0 });
  }

  /** When somebody may go who may not yet; null: nobody waits. */
  get nextAt(): number | null {
    let next: number | null = null;
    for (const each of this.unsent.values()) {
      if (each.delivery === "failed" || this.underWay.has(each.id)) continue;
      if (!each.notBefore || each.notBefore === HELD) continue;
      next = next === null ? each.notBefore : Math.min(next, each.notBefore);
    }
    return next;
  }

  private change(id: string, fields: Partial<Unsent>): Unsent | undefined {
    this.underWay.delete(id);
    const had = this.unsent.get(id);
    if (had === undefined) return undefined;
    const now = { ...had, ...fields };
    this.unsent.set(id, now);
    return now;
  }
}
