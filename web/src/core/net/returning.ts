/**
 * Where to go when a connection breaks, without asking anybody: what the gateway said while it was well. Any of the
 * gateways named takes the ticket, each once. It is for a moment after the connection: who was away for longer is told by
 * a boot what has become of everything, in one answer instead of all that happened. Pure: takes the time (milliseconds).
 */
import { type Json, number, objects, text } from "./json";
import type { Chance } from "./retrying";

/** How long after a connection's end one comes back with its ticket. */
export const AWAY_MAX_MS = 60_000;
/** By which a ticket is taken to expire earlier than it does: clocks differ, and a connection takes its time. */
const MARGIN_MS = 5_000;
/** The longest that is waited for the others of a gateway to come back, whatever it said. */
const SPREAD_MAX_MS = 30_000;
/** Gateways of one ticket; the contract knows three. */
const GATEWAYS_MAX = 8;

export interface Way {
  readonly hostId: string;
  /** With the ticket. */
  readonly url: string;
  /** What the resume frame repeats. */
  readonly starts: string;
}

export class Returning {
  private ways: Way[] = [];
  private expiresAt = 0;
  private leftAt: number | null = null;
  private spread: number | null = null;

  constructor(private readonly chance: Chance) {}

  /** Whether there is a gateway to go to, unless it is too late. */
  get isThere(): boolean {
    return this.ways.length > 0;
  }

  /** Within what time those who were at the gateway are to come back; null: nobody said. */
  get spreadMs(): number | null {
    return this.isThere ? this.spread : null;
  }

  /** Take what a gateway says: a `return` frame. One that is not understood is as good as none. */
  take(frame: Json, now: number): void {
    const [ticket, starts] = [text(frame.ticket), text(frame.starts)];
    if (!ticket || !starts || !Array.isArray(frame.gateways)) return;
    const named = objects(frame.gateways).slice(0, GATEWAYS_MAX);
    const doors = named.map((each) => ({ hostId: text(each.id), door: text(each.url), order: this.chance() }));
    this.ways = doors
      .filter((each) => each.door)
      .sort((one, other) => one.order - other.order)
      .map(({ hostId, door }) => ({ hostId, url: door + ticket, starts }));
    this.expiresAt = now + number(frame.expires_in) * 1000 - MARGIN_MS;
    const isSaid = typeof frame.spread === "number";
    this.spread = isSaid ? Math.min(SPREAD_MAX_MS, Math.max(0, number(frame.spread) * 1000)) : null;
  }

  /** A connection that delivered has ended. */
  left(now: number): void {
    this.leftAt = now;
  }

  /** Come back in the ordinary way next time. */
  forget(): void {
    this.ways = [];
  }

  /** A gateway to go to, each once and none of the `dead`; null when there is none any more. */
  way(now: number, dead: readonly string[]): Way | null {
    if (this.leftAt === null || now > Math.min(this.expiresAt, this.leftAt + AWAY_MAX_MS)) this.forget();
    for (let way = this.ways.shift(); way !== undefined; way = this.ways.shift())
      if (!dead.includes(way.hostId)) return way;
    return null;
  }
}
