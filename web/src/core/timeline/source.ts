/**
 * Where a timeline's pages come from. A conversation is read backwards by the server: what is newer than a place is found
 * by asking for a span of time that is expected to hold a page of it. A thread is read forwards.
 */
import type { Id, Message, Ts } from "../contract";
import type { Calls } from "../net/api";
import { type Json, objects } from "../net/json";
import { BEGINNING, NOW, type Page } from "./window";

export const FIRST_COUNT = 60;
export const PAGE_COUNT = 100;
/** Replies come in one piece, as far as the server gives them so. */
const REPLIES_COUNT = 1_000;
/** Tries to find what comes next after a place: each looks further ahead than the last. */
const PROBES_MAX = 12;
/** Pages read back from the end of one span: beyond them a shorter one is tried. */
const PAGES_A_PROBE_MAX = 3;
const SPAN_S = 600;
const SPAN_GROWTH = 12;

export type Reader = (json: Json) => Message;

export interface Source {
  /** The page that one sees first. */
  newest(): Promise<Page>;
  older(before: Ts): Promise<Page>;
  /** `known`: what is there before it, by which is guessed how much comes in a time. */
  newer(after: Ts, known: readonly Message[]): Promise<Page>;
  /** Messages around a place; null: it is not there. */
  around(ts: Ts): Promise<Page | null>;
  /** One message as it is now, as a page of it alone; empty when it is gone. */
  one(ts: Ts): Promise<Page>;
}

/** "1700000000.000100", some microseconds later or earlier. */
export function shifted(ts: Ts, microseconds: number): Ts {
  const [seconds = "0", part = "0"] = ts.split(".");
  const all = BigInt(seconds) * 1_000_000n + BigInt(part) + BigInt(Math.round(microseconds));
  return `${all / 1_000_000n}.${String(all % 1_000_000n).padStart(6, "0")}`;
}

export class HistorySource implements Source {
  constructor(
    private readonly calls: Calls,
    private readonly channel: Id,
    private readonly reader: Reader,
    /** Unix seconds. */
    private readonly nowS: () => number = () => Date.now() / 1000,
  ) {}

  async newest(): Promise<Page> {
    return this.page(await this.read({ limit: FIRST_COUNT }), NOW);
  }

  /** What client.boot brought along. */
  given(history: Json): Page {
    return this.page(history, NOW);
  }

  async older(before: Ts): Promise<Page> {
    return this.page(await this.read({ latest: before, inclusive: 1, limit: PAGE_COUNT + 1 }), before);
  }

  async newer(after: Ts, known: readonly Message[]): Promise<Page> {
    let spanS = expectedSpanS(known);
    for (let probe = 1; ; probe += 1) {
      const isLast = Number.parseFloat(after) + spanS >= this.nowS();
      const end = isLast ? NOW : shifted(after, spanS * 1e6);
      const found = await this.between(after, end, probe < PROBES_MAX ? PAGES_A_PROBE_MAX : Number.POSITIVE_INFINITY);
      if ("moreAfter" in found) {
        const crowdedS = Number.parseFloat(found.moreAfter) - Number.parseFloat(after);
        spanS = Math.max(Math.min(spanS / 4, crowdedS), 1e-4);
      } else if (isLast || found.messages.some((each) => each.ts > after)) {
        return found;
      } else spanS *= SPAN_GROWTH;
    }
  }

  /** All from `low` to `high`, or that there are more before a place than are worth reading. */
  private async between(low: Ts, high: Ts, pagesMax: number): Promise<Page | { readonly moreAfter: Ts }> {
    let messages: readonly Message[] = [];
    let latest = high;
    for (let pages = 0; pages < pagesMax; pages += 1) {
      const upTo = latest === NOW ? {} : { latest };
      const answer = await this.read({ oldest: low, inclusive: 1, limit: 2 * PAGE_COUNT, ...upTo });
      messages = [...this.page(answer, latest).messages, ...messages];
      if (answer.has_more !== true) return { messages, low, high };
      latest = shifted(messages[0]?.ts ?? latest, -1);
    }
    return { moreAfter: latest };
  }

  async around(ts: Ts): Promise<Page | null> {
    const older = this.page(await this.read({ latest: ts, inclusive: 1, limit: PAGE_COUNT / 2 }), ts);
    if (older.messages.at(-1)?.ts !== ts) return null;
    const newer = await this.newer(ts, older.messages);
    const more = newer.messages.filter((each) => each.ts > ts);
    return { messages: [...older.messages, ...more], low: older.low, high: newer.high };
  }

  async one(ts: Ts): Promise<Page> {
    const page = this.page(await this.read({ latest: ts, oldest: ts, inclusive: 1, limit: 1 }), ts);
    return { messages: page.messages, low: ts, high: ts };
  }

  private read(args: Json): Promise<Json> {
    return this.calls.read("conversations.history", { channel: this.channel, ...args });
  }

  private page(answer: Json, high: Ts): Page {
    const messages = objects(answer.messages).map(this.reader).reverse();
    return { messages, low: answer.has_more === true ? (messages[0]?.ts ?? high) : BEGINNING, high };
  }
}

/** For how long people talked to fill a page here. */
function expectedSpanS(known: readonly Message[]): number {
  const some = known.slice(-PAGE_COUNT);
  const [first, last] = [some[0], some.at(-1)];
  if (first === undefined || last === undefined || first === last) return SPAN_S;
  const tookS = Number.parseFloat(last.ts) - Number.parseFloat(first.ts);
  return Math.min(Math.max((tookS / some.length) * PAGE_COUNT, 0.01), 30 * 86_400);
}

export class ThreadSource implements Source {
  constructor(
    private readonly calls: Calls,
    private readonly channel: Id,
    private readonly root: Ts,
    private readonly reader: Reader,
  ) {}

  newest(): Promise<Page> {
    return this.from(BEGINNING);
  }

  /** A thread is read from its beginning, so what is older than a part of it is its beginning. */
  older(_: Ts): Promise<Page> {
    return this.from(BEGINNING);
  }

  newer(after: Ts): Promise<Page> {
    return this.from(after);
  }

  async around(ts: Ts): Promise<Page | null> {
    let page = await this.from(BEGINNING);
    while (page.high !== NOW && page.high < ts) {
      const more = await this.from(page.high);
      const next = more.messages.filter((each) => each.ts > page.high);
      page = { messages: [...page.messages, ...next], low: page.low, high: more.high };
    }
    return page.messages.some((each) => each.ts === ts) ? page : null;
  }

  async one(ts: Ts): Promise<Page> {
    const answer = await this.read({ oldest: ts, latest: ts, inclusive: 1, limit: 2 });
    const messages = objects(answer.messages).map(this.reader);
    return { messages: messages.filter((each) => each.ts === ts), low: ts, high: ts };
  }

  private async from(after: Ts): Promise<Page> {
    const answer = await this.read({ limit: REPLIES_COUNT, ...(after ? { oldest: after, inclusive: 1 } : {}) });
    const all = objects(answer.messages).map(this.reader);
    const messages = all.filter((each) => each.ts >= after);
    return { messages, low: after, high: answer.has_more === true ? (messages.at(-1)?.ts ?? after) : NOW };
  }

  private read(args: Json): Promise<Json> {
    return this.calls.read("conversations.replies", { channel: this.channel, ts: this.root, ...args });
  }
}
