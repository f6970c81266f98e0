/** Files on their way: promised to the server, sent with progress, then posted together in one message. */
import { type ReadonlySignal, signal } from "@preact/signals";
import type { Id, Ts, Upload } from "../contract";
import type { Calls } from "../net/api";
import { type Json, text } from "../net/json";
import { refusal } from "../net/words";

/** At a time; others wait. */
const UNDER_WAY_MAX = 3;
/** What is done is shown for this long. */
const DONE_MS = 1_500;
/** Progress is told this often at most. */
const TOLD_MS = 100;

/** Sends bytes to an address; the browser's way is below. Rejects with a Refusal. */
export type Carry = (address: string, file: File, sent: (bytes: number) => void, signal: AbortSignal) => Promise<void>;

export interface Errand {
  readonly conversationId: Id;
  readonly threadTs: Ts | null;
  readonly comment: string;
}

export class Uploads {
  private readonly held = signal<readonly Upload[]>([]);
  private readonly stops = new Map<string, AbortController>();
  private readonly waiting: (() => void)[] = [];
  private underWay = 0;
  private count = 0;

  constructor(
    private readonly calls: Calls,
    private readonly carry: Carry,
    private readonly base = "",
  ) {}

  get all(): ReadonlySignal<readonly Upload[]> {
    return this.held;
  }

  /**
   * Post these in one message; a file that fails, or is given up, is left out. Throws the last Refusal if all are, and
   * `cancelled` where all were given up: what was to be said with them has not been.
   */
  async upload(files: readonly File[], errand: Errand): Promise<void> {
    let failure: unknown = null;
    const keys: string[] = [];
    const carried = files.map(async (file) => {
      const key = `upload:${++this.count}`;
      keys.push(key);
      this.add(key, file, errand);
      try {
        return await this.one(key, file);
      } catch (error) {
        failure = error;
        this.failed(key, error);
        return null;
      }
    });
    const done = (await Promise.all(carried)).filter((each) => each !== null);
    if (!done.length) {
      if (failure === null) return;
      throw isStop(failure) ? refusal("cancelled") : failure;
    }
    try {
      await this.complete(done, errand);
    } catch (error) {
      for (const key of keys) this.failed(key, error);
      throw error;
    }
    for (const key of keys) this.doneWith(key);
  }

  cancel(key: string): void {
    this.stops.get(key)?.abort();
    this.stops.delete(key);
    this.held.value = this.held.peek().filter((each) => each.key !== key);
  }

  end(): void {
    for (const key of [...this.stops.keys()]) this.cancel(key);
  }

  private async one(key: string, file: File): Promise<Json> {
    const stop = new AbortController();
    this.stops.set(key, stop);
    await this.turn();
    try {
      stop.signal.throwIfAborted();
      this.change(key, { state: "uploading" });
      const asked = { filename: file.name || "file", length: file.size };
      const promise = await this.calls.call("files.getUploadURLExternal", asked, { signal: stop.signal });
      let toldAt = 0;
      const tell = (sent: number) => {
        if (Date.now() - toldAt < TOLD_MS) return;
        toldAt = Date.now();
        this.change(key, { sent });
      };
      await this.carry(this.here(text(promise.upload_url)), file, tell, stop.signal);
      this.change(key, { sent: file.size });
      return { id: text(promise.file_id), title: file.name };
    } finally {
      this.underWay -= 1;
      this.waiting.shift()?.();
    }
  }

  /** The way to it from where the page came from: it may go nowhere else. */
  private here(address: string): string {
    const { pathname, search } = new URL(address);
    return this.base + pathname + search;
  }

  /** The same completion is answered as the first time, so it may be tried again. */
  private complete(files: readonly Json[], errand: Errand): Promise<Json> {
    const thread = errand.threadTs ? { thread_ts: errand.threadTs } : {};
    const comment = errand.comment ? { initial_comment: errand.comment } : {};
    const args = { files, channel_id: errand.conversationId, ...thread, ...comment };
    return this.calls.call("files.completeUploadExternal", args, { isRepeatable: true });
  }

  private async turn(): Promise<void> {
    if (this.underWay >= UNDER_WAY_MAX) await new Promise<void>((resolve) => this.waiting.push(resolve));
    this.underWay += 1;
  }

  private add(key: string, file: File, errand: Errand): void {
    const { conversationId, threadTs } = errand;
    const upload: Upload = { key, file, conversationId, threadTs, sent: 0, state: "queued", failure: "" };
    this.held.value = [...this.held.peek(), upload];
  }

  private failed(key: string, error: unknown): void {
    const failure = error instanceof Error ? error.message : "The file could not be uploaded.";
    if (isStop(error)) this.cancel(key);
    else this.change(key, { state: "failed", failure });
  }

  private doneWith(key: string): void {
    this.stops.delete(key);
    if (this.held.peek().find((each) => each.key === key)?.state === "failed") return;
    this.change(key, { state: "done" });
    setTimeout(() => this.cancel(key), DONE_MS);
  }

  private change(key: string, fields: Partial<Upload>): void {
    this.held.value = this.held.peek().map((each) => (each.key === key ? { ...each, ...fields } : each));
  }
}

const isStop = (error: unknown): boolean => error instanceof Error && error.name === "AbortError";

/** By XMLHttpRequest, since fetch does not say how far it has come. */
export const carryByXhr: Carry = (address, file, sent, stop) =>
  new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", address);
    request.upload.onprogress = (event) => sent(event.loaded);
    request.onload = () => (request.status < 300 ? resolve() : reject(refusal(codeOf(request))));
    request.onerror = () => reject(refusal("unreachable"));
    request.onabort = () => reject(stop.reason);
    stop.addEventListener("abort", () => request.abort(), { once: true });
    request.send(file);
  });

function codeOf(request: XMLHttpRequest): string {
  if (request.status === 413) return "file_upload_size_restricted";
  if (request.status === 507) return "storage_limit_reached";
  return request.status === 429 ? "ratelimited" : `http_${request.status}`;
}
