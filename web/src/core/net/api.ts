/**
 * The Web API over HTTP: one call, tried again for as long as that is safe and its deadline allows. The browser's cookie
 * says who asks; a program may give a token instead.
 */
import type { Begun } from "../../begun";
import type { Refusal } from "../contract";
import { type Json, parsed } from "./json";
import { Backoff, type Chance, type Judged, judge, SIGNED_OUT, spread } from "./retrying";
import { refusal } from "./words";

/** Longest that one try may take: a server that hangs leaves time for another. */
const ATTEMPT_S = 8;
const DEADLINE_S = 20;
const BASE_S = 0.1;
const CAP_S = 3;

export interface CallOptions {
  /** How long it is tried. */
  readonly deadlineS?: number;
  readonly attemptS?: number;
  /** Doing it twice does no harm: it is tried again after unknown outcomes, too. */
  readonly isRepeatable?: boolean;
  readonly signal?: AbortSignal;
}

/** What every module here may call; Api is the one that does it over HTTP. */
export interface Calls {
  call(method: string, args?: Json, options?: CallOptions): Promise<Json>;
  /** The same, for what only reads. */
  read(method: string, args?: Json, options?: CallOptions): Promise<Json>;
}

/** Nothing certain is known of a try: it failed on its way. */
export class Unreachable extends Error {
  readonly retryAfterS: number;
  constructor(what: string, retryAfterS = 0) {
    super(what);
    this.name = "Unreachable";
    this.retryAfterS = retryAfterS;
  }
}

interface Tried {
  readonly judged: Judged;
  readonly body: Json;
}

export class Api implements Calls {
  /** Told when the server says that nobody is signed in. */
  onSignedOut: (() => void) | null = null;
  private isEnded = false;

  constructor(
    private readonly base: string,
    private readonly headers: Readonly<Record<string, string>> = {},
    private readonly chance: Chance = Math.random,
    /** What was asked for already, by other means. */
    private readonly begun: Begun | null = null,
  ) {}

  read(method: string, args: Json = {}, options: CallOptions = {}): Promise<Json> {
    return this.call(method, args, { isRepeatable: true, ...options });
  }

  /** Call until it is done or refused. Throws a Refusal: "unreachable" where nothing certain is known. */
  call(method: string, args: Json = {}, options: CallOptions = {}): Promise<Json> {
    return this.until(`/api/${method}`, "POST", args, options);
  }

  /** One of the pages' own endpoints, under /web/. */
  web(name: string, args: Json | null = null, options: CallOptions = {}): Promise<Json> {
    return this.until(`/web/${name}`, args === null ? "GET" : "POST", args ?? {}, options);
  }

  /** Try once. Throws a Refusal, or Unreachable for every other failure. */
  async once(method: string, args: Json, attemptS: number, signal?: AbortSignal): Promise<Json> {
    let tried: Tried;
    try {
      tried = await this.attempt(`/api/${method}`, "POST", args, attemptS, signal);
    } catch (error) {
      throw new Unreachable(`${method}: ${error}`);
    }
    if (tried.judged.verdict === "done") return tried.body;
    if (tried.judged.verdict === "refused") throw this.refused(tried.judged);
    throw new Unreachable(`${method}: ${tried.judged.code}`, spread(tried.judged.retryAfterS, this.chance));
  }

  /** Ask nothing more; what is on its way goes on, once. */
  end(): void {
    this.isEnded = true;
  }

  private async until(path: string, verb: "GET" | "POST", args: Json, options: CallOptions): Promise<Json> {
    const { deadlineS = DEADLINE_S, attemptS = ATTEMPT_S, isRepeatable = verb === "GET", signal } = options;
    const deadline = Date.now() + deadlineS * 1000;
    const backoff = new Backoff(BASE_S, CAP_S, this.chance);
    while (true) {
      if (this.isEnded) throw refusal("unreachable");
      let failed: Refusal;
      let waitS = backoff.nextS();
      try {
        const leftS = Math.max(0.1, (deadline - Date.now()) / 1000);
        const { judged, body } = await this.attempt(path, verb, args, Math.min(attemptS, leftS), signal);
        if (judged.verdict === "done") return body;
        if (judged.verdict === "refused" || (judged.verdict === "unknown" && !isRepeatable)) throw this.refused(judged);
        waitS = Math.max(waitS, spread(judged.retryAfterS, this.chance));
        failed = refusal(judged.code, judged.retryAfterS || null);
      } catch (error) {
        if (error instanceof Error && error.name === "Refusal") throw error;
        signal?.throwIfAborted();
        failed = refusal("unreachable");
        if (!isRepeatable) throw failed;
      }
      if (Date.now() + waitS * 1000 >= deadline) throw failed;
      await pause(waitS, signal);
    }
  }

  private refused(judged: Judged): Refusal {
    if (SIGNED_OUT.has(judged.code)) this.onSignedOut?.();
    return refusal(judged.code, judged.retryAfterS || null);
  }

  private async attempt(
    path: string,
    verb: "GET" | "POST",
    args: Json,
    attemptS: number,
    signal?: AbortSignal,
  ): Promise<Tried> {
    const limit = AbortSignal.timeout(attemptS * 1000);
    const init: RequestInit = {
      method: verb,
      headers: verb === "POST" ? { "content-type": "application/json", ...this.headers } : { ...this.headers },
      credentials: "same-origin",
      cache: "no-store",
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    };
    const said = verb === "POST" ? JSON.stringify(args) : null;
    if (said !== null) init.body = said;
    const answer = await (this.begun?.take(this.base + path, said) ?? fetch(this.base + path, init));
    const body = parsed(await answer.text());
    return { judged: judge(answer.status, body, answer.headers.get("retry-after")), body: body ?? {} };
  }
}

/** Wait; ends at once, and throws, when the signal says so. */
export function pause(seconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, seconds * 1000);
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop, { once: true });
  });
}
