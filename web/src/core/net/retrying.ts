/**
 * When to try again, and whether that is safe. Waits are fully jittered (Brooker, "Exponential Backoff and Jitter",
 * 2015), so that clients that lost the same server do not come back together. What a server asks for is kept, and spread
 * as well. Pure but for the chance that it is given.
 */
import { type Json, text } from "./json";

export type Chance = () => number;

/** The longest that a server's Retry-After is obeyed. */
const RETRY_AFTER_MAX_S = 300;
/** What a server says that could not do its work: whether it did some of it is not known. */
const TROUBLE = new Set(["service_unavailable", "internal_error", "fatal_error", "request_timeout"]);
/** Said to who asks too fast: nothing was done. */
export const LIMITED: ReadonlySet<string> = new Set(["ratelimited", "rate_limited", "too_many_tries", "overloaded"]);
/** Whoever is told one of these is not signed in any more. */
export const SIGNED_OUT: ReadonlySet<string> = new Set([
  "invalid_auth",
  "not_authed",
  "token_revoked",
  "token_expired",
  "account_inactive",
  "not_allowed_token_type",
]);

/** Waits that grow with each try: up to base x 2^n, never above the cap, never below a tenth of that. */
export class Backoff {
  private tries = 0;
  constructor(
    private readonly baseS: number,
    private readonly capS: number,
    private readonly chance: Chance,
  ) {}

  nextS(): number {
    const ceiling = Math.min(this.capS, this.baseS * 2 ** Math.min(this.tries, 30));
    this.tries += 1;
    return ceiling * (0.1 + 0.9 * this.chance());
  }

  reset(): void {
    this.tries = 0;
  }
}

export type Verdict = "done" | "refused" | "limited" | "unknown";

export interface Judged {
  readonly verdict: Verdict;
  readonly code: string;
  readonly retryAfterS: number;
}

/** Judge an answer by its HTTP status, its JSON (undefined: it was none) and its Retry-After. */
export function judge(status: number, body: Json | undefined, retryAfter: string | null): Judged {
  const code = text(body?.error) || `http_${status}`;
  const retryAfterS = retryAfterOf(retryAfter);
  if (status === 429) return { verdict: "limited", code, retryAfterS };
  if (status < 500 && body?.ok === true) return { verdict: "done", code: "", retryAfterS: 0 };
  if (status >= 500 || TROUBLE.has(code) || body === undefined) return { verdict: "unknown", code, retryAfterS };
  return { verdict: "refused", code, retryAfterS: 0 };
}

/** Whether asking later may be answered otherwise: nothing was decided. */
export const mayPass = (code: string): boolean =>
  code === "unreachable" || TROUBLE.has(code) || LIMITED.has(code) || /^http_(429|5\d\d)$/.test(code);

export function retryAfterOf(value: string | null): number {
  const said = (value ?? "").trim();
  return /^\d{1,9}$/.test(said) ? Math.min(Number(said), RETRY_AFTER_MAX_S) : 0;
}

/** A wait of what was asked for, and up to half as much again and one (headers tell whole seconds). */
export const spread = (retryAfterS: number, chance: Chance): number =>
  retryAfterS ? retryAfterS + chance() * (1 + retryAfterS / 2) : 0;
