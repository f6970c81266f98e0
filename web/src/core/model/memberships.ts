/** The conversations that one is in, which of them are out of sight, and how many are in any. Pure: tells what it touched. */
import type { Id, Ts } from "../contract";
import type { Membership } from "./counting";

/** Users and channels named as near in a search, as the contract says. */
const NEAR_MAX = 200;
/** Conversations whose number of members is remembered. */
const SIZES_MAX = 500;

export class Memberships {
  private readonly mine = new Map<Id, Membership>();
  private readonly sizes = new Map<Id, number>();
  private hidden: ReadonlyMap<Id, Ts> = new Map();

  constructor(private readonly touch: (id: Id) => void) {}

  get(id: Id): Membership | undefined {
    return this.mine.get(id);
  }

  get all(): Iterable<Membership> {
    return this.mine.values();
  }

  latest(id: Id): Ts {
    return this.mine.get(id)?.latest ?? "";
  }

  put(membership: Membership): void {
    this.mine.set(membership.id, membership);
    this.touch(membership.id);
  }

  /** Change it, if one is in it. */
  alter(id: Id, become: (had: Membership) => Membership): void {
    const had = this.mine.get(id);
    if (had === undefined) return;
    const now = become(had);
    if (now === had) return;
    this.mine.set(id, now);
    this.touch(id);
  }

  delete(id: Id): void {
    if (this.mine.delete(id)) this.touch(id);
  }

  clear(): void {
    this.touchAll();
    this.mine.clear();
  }

  touchAll(): void {
    for (const id of this.mine.keys()) this.touch(id);
  }

  /** Direct conversations are called what their people are. */
  touchThoseWith(userId: Id): void {
    for (const each of this.mine.values())
      if (each.userId === userId || each.userIds.includes(userId)) this.touch(each.id);
  }

  /** Whom and what one deals with, the most recent first; searches rank them first. */
  near(): readonly Id[] {
    const recent = [...this.mine.values()].filter((each) => each.kind !== "mpim");
    recent.sort((one, other) => (one.latest < other.latest ? 1 : -1));
    return recent.map((each) => each.userId ?? each.id).slice(0, NEAR_MAX);
  }

  // Out of sight -------------------------------------------------------------------------------------------------

  /** Direct conversations out of sight, each until something is written after the time named. */
  get closed(): ReadonlyMap<Id, Ts> {
    return this.hidden;
  }

  set closed(closed: ReadonlyMap<Id, Ts>) {
    this.hidden = closed;
    this.touchAll();
  }

  isClosed(id: Id): boolean {
    const until = this.hidden.get(id);
    return until !== undefined && this.latest(id) <= until;
  }

  /** Put a direct conversation out of sight, or, with null, back. */
  setClosed(id: Id, until: Ts | null): void {
    if (until === null && !this.hidden.has(id)) return;
    const closed = new Map(this.hidden);
    closed.delete(id);
    if (until !== null) closed.set(id, until);
    this.hidden = closed;
    this.touch(id);
  }

  // How many are there -------------------------------------------------------------------------------------------

  size(id: Id): number | undefined {
    return this.sizes.get(id);
  }

  setSize(id: Id, count: number): void {
    this.sizes.delete(id);
    this.sizes.set(id, count);
    for (const oldest of this.sizes.keys()) {
      if (this.sizes.size <= SIZES_MAX) break;
      this.sizes.delete(oldest);
    }
    this.touch(id);
  }

  /** Somebody came or went: known only where it was asked for. */
  moved(id: Id, by: number): void {
    const size = this.sizes.get(id);
    if (size !== undefined) this.setSize(id, size + by);
  }
}
