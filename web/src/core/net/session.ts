/**
 * What a client has of each channel, and what a frame of the gateway means for that. Pure: sockets are somebody else's.
 *
 * Offsets of a channel are dense, so everything is arithmetic:
 *
 *     offset <= had        seen before: dropped
 *     offset == had + 1    handed on
 *     offset >  had + 1    something is missing: leave, come back, and resume from what is had
 *
 * Messages are posted over HTTP here, so every event of this user's comes over the socket, its own ones too.
 */
import { type Json, text, texts } from "./json";

/** Channels remembered after they were left, so that coming back to one repeats nothing. */
const LEFT_MAX = 1_000;
/** Close code of a gateway for a token that is over. */
export const TOKEN_OVER = 4102;

export type Positions = ReadonlyMap<string, number>;

/** A persisted event, with its place; transient ones have an offset of 0. */
export interface Happening {
  readonly type: string;
  readonly json: Json;
  readonly channelId: string;
  readonly offset: number;
}

export type Action =
  | { readonly do: "hand"; readonly event: Happening }
  /** Answers to queries. */
  | { readonly do: "answer"; readonly frame: Json }
  /** The session has to say where it continues. */
  | { readonly do: "resume" }
  /** Everything from now on comes. */
  | { readonly do: "ready" }
  /** Events were missed that can never be had: reload what is known of these. */
  | { readonly do: "reload"; readonly channelIds: readonly string[] }
  | { readonly do: "leave"; readonly reason: string; readonly isGoodbye: boolean };

export type Return = "at_once" | "later" | "never";

const leave = (reason: string, isGoodbye = false): Action => ({ do: "leave", reason, isGoodbye });

export class Session {
  private readonly had = new Map<string, number>();
  private readonly left = new Map<string, number>();
  private readonly failed = new Set<string>();
  /** What this connection was told to follow, until that is known to be all. */
  private listed: Set<string> | null = null;
  private isResuming = false;
  private isTrusted = true;
  /** Whether the gateway has said from where this connection delivers. */
  isReady = false;
  duplicates = 0;
  holes = 0;

  /** Up to where each channel has been received. */
  get positions(): Positions {
    return this.had;
  }

  get resumes(): boolean {
    return this.isResuming;
  }

  /** Whether the next connection could go on from what is had. */
  get canResume(): boolean {
    return this.isTrusted && this.had.size > 0;
  }

  /** Begin a connection; the arguments for its boot. */
  connecting(): Json {
    const isReturning = this.had.size > 0;
    this.failed.clear();
    this.listed = new Set();
    this.isReady = false;
    this.isResuming = this.isTrusted;
    return this.isResuming
      ? { resume_aware: 1, resume: 1 }
      : { resume_aware: 1, ...(isReturning ? { reconnect: 1 } : {}) };
  }

  /** Take the positions of the boot that a connection begins with: who has nothing continues from them. */
  booted(positions: Positions): void {
    if (this.had.size > 0) return;
    for (const [id, offset] of positions) this.had.set(id, offset);
  }

  closed(code: number): Return {
    // What we follow is not known there any more, or our token is too large: begin from the heads, and be told so.
    if (code === 4004 || (code === 1009 && this.isResuming && !this.isReady)) this.isTrusted = false;
    // The token's end as it was when this connection began: perhaps it was put off since, which a boot finds out.
    if (code === TOKEN_OVER) return "at_once";
    if (code >= 4100 && code <= 4199) return "never";
    const isOurFault = [1002, 1003, 1007, 1008, 1009].includes(code);
    return isOurFault || code === 4003 ? "later" : "at_once";
  }

  /** Take a frame, in which a token of positions has been read: `starts`. */
  take(frame: Json, starts: Positions | null = null): Action[] {
    switch (frame.type) {
      case "hello":
        return this.isResuming ? [{ do: "resume" }] : [];
      case "goodbye":
        return [leave("the gateway is leaving", true)];
      case "error":
        return "reply_to" in frame ? [{ do: "answer", frame }] : [leave("the gateway refuses")];
      case "resumed":
        this.listed = null;
        return this.becomesReady();
      case "resume_failed":
        // Where these channels begin anew is said by the positions that follow.
        for (const each of texts(frame.channels)) this.failed.add(each);
        return [];
      case "positions":
        return starts === null ? [leave("positions that cannot be read")] : this.started(frame, starts);
      case "positions_dropped":
        this.drop(texts(frame.channels));
        return [];
      case "position": {
        const [channelId, offset] = placeOf(frame);
        return offset ? this.arrived({ type: "", json: frame, channelId, offset }) : [];
      }
      default:
        return this.event(frame);
    }
  }

  private event(frame: Json): Action[] {
    if ("reply_to" in frame || "ok" in frame) return [{ do: "answer", frame }];
    const [channelId, offset] = placeOf(frame);
    const event = { type: text(frame.type), json: frame, channelId, offset };
    return offset ? this.arrived(event) : [{ do: "hand", event }];
  }

  private arrived(event: Happening): Action[] {
    const { channelId, offset } = event;
    const left = this.left.get(channelId) ?? 0;
    const had = this.had.get(channelId) ?? (offset <= left ? left : offset - 1);
    if (offset <= had) {
      this.duplicates += 1;
      return [];
    }
    if (offset > had + 1) {
      this.holes += 1;
      return [leave(`events of ${channelId} before ${offset} are missing`)];
    }
    this.had.set(channelId, offset);
    return event.type ? [{ do: "hand", event }] : [];
  }

  private started(frame: Json, starts: Positions): Action[] {
    const actions = this.becomesReady();
    this.isTrusted = true;
    const reload: string[] = [];
    for (const [channelId, start] of starts) {
      const had = this.had.get(channelId);
      if (this.failed.delete(channelId) || (had !== undefined && start > had)) {
        reload.push(channelId);
        this.left.delete(channelId);
        this.had.set(channelId, start);
      } else if (had === undefined) {
        this.had.set(channelId, Math.max(start, this.left.get(channelId) ?? 0));
        this.left.delete(channelId);
      }
    }
    if (reload.length) actions.push({ do: "reload", channelIds: reload });
    this.unlist(starts, frame.complete === true);
    return actions;
  }

  /** Leave what a connection that begins anew does not follow, once it has said everything that it does. */
  private unlist(starts: Positions, isLast: boolean): void {
    if (this.listed === null) return;
    for (const channelId of starts.keys()) this.listed.add(channelId);
    if (!isLast) return;
    const { listed } = this;
    this.drop([...this.had.keys()].filter((channelId) => !listed.has(channelId)));
    this.listed = null;
  }

  private drop(channelIds: readonly string[]): void {
    for (const channelId of channelIds) {
      const had = this.had.get(channelId);
      if (had === undefined) continue;
      this.had.delete(channelId);
      this.left.set(channelId, had);
    }
    for (const oldest of this.left.keys()) {
      if (this.left.size <= LEFT_MAX) break;
      this.left.delete(oldest);
    }
  }

  private becomesReady(): Action[] {
    if (this.isReady) return [];
    this.isReady = true;
    return [{ do: "ready" }];
  }
}

/** Channel and offset of a frame; an offset of 0 when it has none. */
function placeOf(frame: Json): readonly [string, number] {
  const found = /^([^:]+):(\d{1,16})$/.exec(text(frame.position));
  return found ? [found[1] ?? "", Number(found[2])] : ["", 0];
}
