/**
 * Loads what is about to be shown: what is asked for in one moment goes in one query, over the socket, and over HTTP where
 * that breaks, is slow, or is not there. Queries only read, so any of them may be repeated.
 */
import type { Id } from "../contract";
import { Refusal } from "../contract";
import { type Calls, pause, Unreachable } from "../net/api";
import { type Json, number, object, objects, texts } from "../net/json";
import { Backoff, type Chance, LIMITED } from "../net/retrying";
import type { Ask, Holding } from "./holding";

/** Longest wait for an answer over the socket: an edge answers in milliseconds, a gateway gives up after two seconds. */
const SOCKET_MS = 3_000;
const DEADLINE_S = 10;
/** Queries at a time; more wait here. */
const UNDER_WAY_MAX = 8;
/** Ids in one query, as the contract says. */
const IDS_MAX = 500;
/** Ids that nobody has, remembered so that nobody is asked for them again. */
const UNKNOWN_MAX = 5_000;
/** What a socket cannot answer, and HTTP may. */
const BY_HTTP = new Set(["service_unavailable", "internal_error", "answer_too_large"]);

export type AskSocket = (kind: string, fields: Json, timeoutMs: number) => Promise<Json>;

export class Loader {
  private readonly wanted = new Set<Id>();
  private readonly missed = new Set<Id>();
  private readonly unknown = new Set<Id>();
  private readonly waiting: (() => void)[] = [];
  private underWay = 0;
  private isScheduled = false;
  private began: (() => void) | null = null;
  private readonly beginning: Promise<void>;

  /** `isPrivate`: of which conversations edges do not know. */
  constructor(
    private readonly holding: Holding,
    private readonly ask: AskSocket,
    private readonly calls: Calls,
    private readonly isPrivate: (id: Id) => boolean,
    private readonly chance: Chance = Math.random,
  ) {
    this.beginning = new Promise((resolve) => {
      this.began = resolve;
    });
  }

  /** There is a workspace. Until then nothing is asked: the first boot brings most of it, and has the line for itself. */
  begin(): void {
    this.began?.();
    this.began = null;
    if (this.wanted.size > 0) this.schedule();
  }

  /** Have this as it is now, in a moment; what is held and fresh costs nothing. */
  want(id: Id): void {
    if (!id || this.holding.isFresh(id) || this.unknown.has(id)) return;
    this.wanted.add(id);
    if (this.began === null) this.schedule();
  }

  private schedule(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    setTimeout(() => this.flush(), 0);
  }

  /** What could not be had is asked for again: there is a connection. */
  retry(): void {
    const missed = [...this.missed];
    this.missed.clear();
    this.unknown.clear();
    for (const id of missed) this.want(id);
  }

  /** The answer to any lazy query: objects, search, members, emoji. Throws a Refusal. */
  async query(kind: string, fields: Json): Promise<Json> {
    await this.beginning;
    const deadline = Date.now() + DEADLINE_S * 1000;
    const backoff = new Backoff(0.1, 2, this.chance);
    await this.turn();
    try {
      while (true) {
        try {
          return await this.ask(kind, fields, SOCKET_MS);
        } catch (error) {
          const isElsewhere = error instanceof Unreachable || (error instanceof Refusal && BY_HTTP.has(error.code));
          if (isElsewhere) return await this.calls.read(`client.${kind}`, fields, { deadlineS: DEADLINE_S });
          const isLimited = error instanceof Refusal && LIMITED.has(error.code);
          if (!isLimited || Date.now() > deadline) throw error;
          await pause(Math.max(backoff.nextS(), (error.retryAfterS ?? 0) * (1 + this.chance() / 2)));
        }
      }
    } finally {
      this.underWay -= 1;
      this.waiting.shift()?.();
    }
  }

  private flush(): void {
    this.isScheduled = false;
    const { ids, generation } = this.holding.ask(this.wanted);
    this.wanted.clear();
    const shared: [Id, number | null][] = [];
    for (const [id, version] of ids) {
      if (this.isPrivate(id)) void this.loading([id], () => this.loadPrivate(id, generation));
      else if (/^[UWC]/.test(id)) shared.push([id, version]);
    }
    for (let at = 0; at < shared.length; at += IDS_MAX) {
      const chunk = new Map(shared.slice(at, at + IDS_MAX));
      void this.loading([...chunk.keys()], () => this.loadObjects({ ids: chunk, generation }));
    }
  }

  private async loading(ids: readonly Id[], load: () => Promise<void>): Promise<void> {
    try {
      await load();
    } catch {
      for (const id of ids) this.missed.add(id); // told by the state of the connection; asked for again when it is back
    }
  }

  private async loadObjects(ask: Ask): Promise<void> {
    let left = new Map(ask.ids);
    while (left.size) {
      const answer = await this.query("objects", { ids: Object.fromEntries(left) });
      // Those for which there was no room: nothing is said of them, not even that they did not change.
      const more = new Set(texts(answer.more).filter((id) => left.has(id)));
      const told = new Map([...left].filter(([id]) => !more.has(id)));
      this.holding.answered({ ids: told, generation: ask.generation }, shapes(answer));
      for (const id of texts(answer.unknown)) this.unknown.add(id);
      if (this.unknown.size > UNKNOWN_MAX) this.unknown.clear();
      if (more.size === left.size) throw new Unreachable("an answer with nothing in it");
      left = new Map([...left].filter(([id]) => more.has(id)));
    }
  }

  private async loadPrivate(id: Id, generation: number): Promise<void> {
    const answer = await this.calls.read("conversations.info", { channel: id, include_num_members: true });
    const ask = { ids: new Map([[id, 0]]), generation };
    // It has no version: when it changed last stands for one.
    const channel = object(answer.channel);
    this.holding.answered(ask, [{ ...channel, v: number(channel.updated) }]);
  }

  private async turn(): Promise<void> {
    if (this.underWay >= UNDER_WAY_MAX) await new Promise<void>((resolve) => this.waiting.push(resolve));
    this.underWay += 1;
  }
}

export const shapes = (answer: Json): readonly Json[] => [...objects(answer.users), ...objects(answer.channels)];
