/**
 * When to boot, to open, to ping, to give up and to wait: the rules of being connected, over and over. Who was connected a
 * moment ago boots only when the way back (`returning.ts`) leads nowhere. Pure: it is told what happened and when
 * (milliseconds), and says what to do; `connection.ts` does it.
 */
import type { ConnectionState } from "../contract";
import type { Json } from "./json";
import { Backoff, type Chance, SIGNED_OUT } from "./retrying";
import { Returning } from "./returning";
import type { Return } from "./session";

/** Longest that opening a socket may take: who is there opens it in milliseconds. */
export const OPEN_MS = 2_000;
/** The same, after it was too short again and again: perhaps it is the network that is slow, and not a gateway gone. */
export const OPEN_MAX_MS = 8_000;
/** Longest from an open socket until the gateway says from where it delivers. */
export const GREET_MS = 10_000;
/** When nothing was heard for this long, the gateway is pinged. */
export const PING_MS = 2_500;
/** When it does not answer for this long, it is gone. */
export const PONG_MS = 3_000;
/** The same where there is reason for doubt: after sleep, or when the browser says that the network went. */
export const DOUBT_MS = 2_000;
/** A connection that stood for this long begins the waits anew. */
export const SETTLED_MS = 5_000;
/** Where coming back at once is of no use. */
const LATER_MS = 1_000;
/** After a connection broke, perhaps with a gateway and thousands of others, all come back within this time. */
const HERD_MS = 1_000;
/** Gateways that we ask not to be sent to again, since they did not answer. */
const DEAD_MAX = 4;
const BACKOFF_BASE_S = 0.1;
const BACKOFF_CAP_S = 5;
/** Trouble that lasts for this many tries is told. */
const TELL_AFTER = 3;

export type Command =
  | { readonly do: "boot"; readonly avoid: readonly string[] }
  /** `starts`: nobody was asked, and this goes into the resume frame; "" after a boot. */
  | { readonly do: "open"; readonly url: string; readonly starts: string }
  | { readonly do: "ping" }
  /** Let go of whatever there is: a boot under way, a socket. */
  | { readonly do: "drop" };

type Stage = "idle" | "booting" | "opening" | "greeting" | "live" | "waiting" | "ended";

export class Line {
  private stage: Stage = "idle";
  private readonly backoff: Backoff;
  private readonly dead: string[] = [];
  private readonly returning: Returning;
  private hostId = "";
  private wasLive = false;
  private isOnline = true;
  private isSignedOut = false;
  private failures = 0;
  /** Sockets in a row that were given up before they opened. */
  private unopened = 0;
  private since = 0;
  private heardAt = 0;
  /** When a ping was sent that nothing was heard after; 0: none is out. */
  private pingedAt = 0;
  private patienceMs = PONG_MS;
  private retryAt = 0;

  constructor(private readonly chance: Chance) {
    this.backoff = new Backoff(BACKOFF_BASE_S, BACKOFF_CAP_S, chance);
    this.returning = new Returning(chance);
  }

  get state(): ConnectionState {
    const isWaiting = this.stage === "waiting";
    const problem = this.failures >= TELL_AFTER ? "The server does not answer." : "";
    if (this.isSignedOut) return { phase: "signed_out", retryAt: null, problem: "You are signed out." };
    if (this.stage === "live") return { phase: "live", retryAt: null, problem: "" };
    if (isWaiting && !this.isOnline) return { phase: "offline", retryAt: this.retryAt, problem };
    if (isWaiting) return { phase: "waiting", retryAt: this.retryAt, problem };
    // Nobody tries any more, and nobody was sent away.
    if (this.stage === "ended") return { phase: "offline", retryAt: null, problem: "" };
    return { phase: this.wasLive ? "resuming" : "starting", retryAt: null, problem };
  }

  get isLive(): boolean {
    return this.stage === "live";
  }

  /** When `tick` has something to do; null: never. */
  get nextAt(): number | null {
    switch (this.stage) {
      case "opening":
        return this.since + Math.min(OPEN_MAX_MS, OPEN_MS * 2 ** Math.min(this.unopened, 10));
      case "greeting":
        return this.since + GREET_MS;
      case "live":
        return this.pingedAt ? this.pingedAt + this.patienceMs : this.heardAt + PING_MS;
      case "waiting":
        return this.retryAt;
      default:
        return null;
    }
  }

  start(now: number): Command[] {
    return this.stage === "idle" ? this.boot(now) : [];
  }

  booted(now: number, url: string, hostId: string): Command[] {
    if (this.stage !== "booting") return [];
    this.hostId = hostId;
    this.enter("opening", now);
    return [{ do: "open", url, starts: "" }];
  }

  /** The gateway says where else one may go: a `return` frame. */
  told(frame: Json, now: number): void {
    if (this.stage === "live") this.returning.take(frame, now);
  }

  /** What it said is of no use: it could not be continued from there, nor could it be elsewhere. */
  forgetReturn(): void {
    this.returning.forget();
  }

  /** `code`: the server's word when it refused, "" when it was not reached or could not. */
  bootFailed(now: number, code: string, retryAfterMs: number): Command[] {
    if (this.stage !== "booting") return [];
    if (SIGNED_OUT.has(code)) return this.signedOut();
    this.failures += 1;
    return this.wait(now, Math.max(code ? LATER_MS : 0, retryAfterMs));
  }

  opened(now: number): Command[] {
    if (this.stage !== "opening") return [];
    this.unopened = 0;
    this.enter("greeting", now);
    return [];
  }

  heard(now: number): void {
    this.heardAt = now;
    this.pingedAt = 0;
    this.patienceMs = PONG_MS;
  }

  ready(now: number): void {
    if (this.stage !== "greeting") return;
    this.enter("live", now);
    this.heard(now);
    this.wasLive = true;
    this.failures = 0;
    this.dead.length = 0;
  }

  /** The socket ended by itself, or the session wants to leave it. `isBroken`: without a word. */
  closed(now: number, back: Return, isBroken: boolean): Command[] {
    if (this.stage !== "opening" && this.stage !== "greeting" && this.stage !== "live") return [];
    if (back === "never") return this.signedOut();
    const hasSettled = this.stage === "live" && now - this.since > SETTLED_MS;
    if (hasSettled) this.backoff.reset();
    if (this.stage === "live") this.returning.left(now);
    else this.failures += 1;
    if (isBroken || this.stage !== "live") this.doubt(this.hostId);
    // One way back did not lead anywhere: the next one may, and nobody else is in its way.
    if (this.stage !== "live" && back === "at_once" && this.returning.isThere) return this.goOn(now);
    const herdMs = isBroken && this.stage === "live" ? this.chance() * (this.returning.spreadMs ?? HERD_MS) : 0;
    return this.wait(now, back === "later" ? LATER_MS : herdMs);
  }

  /** The gateway said goodbye: go elsewhere at once. */
  moved(now: number): Command[] {
    this.returning.left(now);
    this.doubt(this.hostId);
    return this.goOn(now);
  }

  tick(now: number): Command[] {
    if (this.nextAt === null || now < this.nextAt) return [];
    if (this.stage === "waiting") return this.goOn(now);
    if (this.stage === "live" && !this.pingedAt) return this.ping(now, PONG_MS);
    if (this.stage === "opening") this.unopened += 1;
    return [{ do: "drop" }, ...this.closed(now, "at_once", true)];
  }

  online(now: number): Command[] {
    this.isOnline = true;
    return this.hurry(now);
  }

  /** The browser says that there is no network. What is on this machine may still be reached. */
  offline(now: number): Command[] {
    this.isOnline = false;
    return this.stage === "live" ? this.ping(now, DOUBT_MS) : [];
  }

  /** Somebody looks at it again, perhaps after a sleep; or wants to try now. */
  hurry(now: number): Command[] {
    if (this.stage === "waiting") {
      this.backoff.reset();
      return this.goOn(now);
    }
    return this.stage === "live" && now - this.heardAt > DOUBT_MS ? this.ping(now, DOUBT_MS) : [];
  }

  signedOut(): Command[] {
    this.isSignedOut = true;
    this.stage = "ended";
    return [{ do: "drop" }];
  }

  end(): Command[] {
    this.stage = "ended";
    return [{ do: "drop" }];
  }

  /** Go back by what the last gateway said, or boot. */
  private goOn(now: number): Command[] {
    const way = this.returning.way(now, this.dead);
    if (way === null) return this.boot(now);
    this.hostId = way.hostId;
    this.enter("opening", now);
    return [{ do: "drop" }, { do: "open", url: way.url, starts: way.starts }];
  }

  private boot(now: number): Command[] {
    this.returning.forget();
    this.enter("booting", now);
    return [{ do: "drop" }, { do: "boot", avoid: [...this.dead] }];
  }

  private wait(now: number, leastMs: number): Command[] {
    this.enter("waiting", now);
    this.retryAt = now + Math.max(leastMs, this.backoff.nextS() * 1000);
    return [{ do: "drop" }];
  }

  private ping(now: number, patienceMs: number): Command[] {
    this.pingedAt = now;
    this.patienceMs = patienceMs;
    return [{ do: "ping" }];
  }

  private enter(stage: Stage, now: number): void {
    this.stage = stage;
    this.since = now;
    this.pingedAt = 0;
  }

  /** Ask for another gateway next time, until one delivers. */
  private doubt(hostId: string): void {
    if (!hostId) return;
    const at = this.dead.indexOf(hostId);
    if (at >= 0) this.dead.splice(at, 1);
    this.dead.push(hostId);
    if (this.dead.length > DEAD_MAX) this.dead.shift();
  }
}
