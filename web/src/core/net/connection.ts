/**
 * The socket: does what `line.ts` says, feeds frames to `session.ts`, and asks lazy queries over it. Thin on purpose:
 * whatever can be decided without a socket is decided in those two.
 */
import { type ReadonlySignal, signal } from "@preact/signals";
import { type ConnectionState, Refusal } from "../contract";
import { type Api, Unreachable } from "./api";
import { type Json, number, object, parsed, text } from "./json";
import { type Command, Line } from "./line";
import type { Chance } from "./retrying";
import { type Action, type Happening, type Positions, Session, TOKEN_OVER } from "./session";
import { decode, encode } from "./tokens";
import { refusal } from "./words";

/** Longest that a boot may take: the first one of a large workspace waits until it is loaded. */
const BOOT_S = 20;
/** Answers awaited at a time. */
const ASKED_MAX = 64;
/** Close code of a gateway that could not learn what the session follows. */
const NOT_READY = 4003;

/** Whom a connection is for. */
export interface Owner {
  /** Arguments of the next boot, beside those of the session; `hasBoot`: it may be a delta. */
  bootArguments(): Json;
  readonly hasBoot: boolean;
  /** The workspace was told anew, before the connection that brings what happens from now on. */
  booted(answer: Json, positions: Positions): void;
  hand(event: Happening): void;
  /** Events of these can never be had. */
  reload(channelIds: readonly string[]): void;
  /** A connection delivers from now on. */
  began(): void;
}

interface Asked {
  readonly done: (frame: Json) => void;
  readonly failed: (error: Error) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

export class Connection {
  readonly session = new Session();
  private readonly line: Line;
  private readonly now = signal<ConnectionState>({ phase: "starting", retryAt: null, problem: "" });
  private socket: WebSocket | null = null;
  private booting: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly frames: unknown[] = [];
  private isPumping = false;
  private readonly asked = new Map<number, Asked>();
  private lastNumber = 0;
  /** What the resume frame of this connection repeats; "" where a boot has led to it. */
  private starts = "";

  constructor(
    private readonly api: Api,
    private readonly owner: Owner,
    chance: Chance = Math.random,
  ) {
    this.line = new Line(chance);
  }

  get state(): ReadonlySignal<ConnectionState> {
    return this.now;
  }

  start = (): void => this.follow(this.line.start(Date.now()));
  online = (): void => this.follow(this.line.online(Date.now()));
  offline = (): void => this.follow(this.line.offline(Date.now()));
  hurry = (): void => this.follow(this.line.hurry(Date.now()));
  signedOut = (): void => this.follow(this.line.signedOut());
  end = (): void => this.follow(this.line.end());

  /** Come back with another boot: nothing is lost meanwhile. */
  reboot(): void {
    this.line.forgetReturn();
    this.follow(this.line.closed(Date.now(), "at_once", false));
  }

  /** Send a frame that nobody answers; false when there is no connection that delivers. */
  send(frame: Json): boolean {
    if (!this.line.isLive || this.socket?.readyState !== 1) return false;
    this.socket.send(JSON.stringify(frame));
    return true;
  }

  /** Ask over the socket. Throws Unreachable where it cannot be asked or answered, a Refusal otherwise. */
  ask(kind: string, fields: Json, timeoutMs: number): Promise<Json> {
    return new Promise((done, failed) => {
      if (this.asked.size >= ASKED_MAX) {
        failed(new Unreachable("too many questions at once"));
        return;
      }
      const id = ++this.lastNumber;
      const giveUp = (why: string) => {
        clearTimeout(this.asked.get(id)?.timer);
        if (this.asked.delete(id)) failed(new Unreachable(why));
      };
      // Noted before it is sent, so that no answer comes too early to be known.
      this.asked.set(id, { done, failed, timer: setTimeout(giveUp, timeoutMs, "no answer in time") });
      if (!this.send({ ...fields, id, type: kind })) giveUp("there is no connection");
    });
  }

  private follow(commands: readonly Command[]): void {
    for (const command of commands) this.obey(command);
    clearTimeout(this.timer);
    const at = this.line.nextAt;
    if (at !== null) {
      this.timer = setTimeout(() => this.follow(this.line.tick(Date.now())), Math.max(0, at - Date.now()) + 1);
    }
    const [before, state] = [this.now.peek(), this.line.state];
    if (before.phase !== state.phase || before.retryAt !== state.retryAt || before.problem !== state.problem)
      this.now.value = state;
  }

  private obey(command: Command): void {
    switch (command.do) {
      case "boot":
        void this.boot(command.avoid);
        return;
      case "open":
        this.open(command.url, command.starts);
        return;
      case "ping":
        this.send({ id: ++this.lastNumber, type: "ping" });
        return;
      case "drop":
        this.drop();
    }
  }

  private async boot(avoid: readonly string[]): Promise<void> {
    const booting = new AbortController();
    this.booting = booting;
    let failure: { code: string; retryAfterMs: number };
    try {
      const args = this.session.connecting();
      const since = this.owner.hasBoot && this.session.resumes ? await encode(this.session.positions) : "";
      const more = { ...(avoid.length ? { avoid: avoid.join(",") } : {}), ...(since ? { since } : {}) };
      const all = { ...this.owner.bootArguments(), ...args, ...more };
      const answer = await this.api.once("client.boot", all, BOOT_S, booting.signal);
      const positions = await decode(text(answer.token));
      if (this.booting !== booting) return;
      this.session.booted(positions);
      this.owner.booted(answer, positions);
      this.follow(this.line.booted(Date.now(), text(answer.url), text(answer.host_id)));
      return;
    } catch (error) {
      const retryAfterMs = error instanceof Unreachable ? error.retryAfterS * 1000 : 0;
      failure = { code: error instanceof Refusal ? error.code : "", retryAfterMs };
    }
    if (this.booting === booting) this.follow(this.line.bootFailed(Date.now(), failure.code, failure.retryAfterMs));
  }

  /** `starts`: as in the command. Who has booted has begun with that; who returns begins here. */
  private open(url: string, starts: string): void {
    if (starts) this.session.connecting();
    this.starts = starts;
    let socket: WebSocket;
    try {
      socket = new WebSocket(url);
    } catch {
      this.follow(this.line.closed(Date.now(), "later", true)); // no address, or one that the page may not go to
      return;
    }
    this.socket = socket;
    socket.onopen = () => {
      if (this.socket === socket) this.follow(this.line.opened(Date.now()));
    };
    socket.onmessage = (event) => {
      if (this.socket !== socket) return;
      this.line.heard(Date.now());
      this.frames.push(event.data);
      if (!this.isPumping) void this.pump();
    };
    socket.onclose = (event) => {
      if (this.socket !== socket) return;
      const isBroken = event.code === 1006 || event.code === 1005;
      const back = this.session.closed(event.code);
      if (event.code === NOT_READY || event.code === TOKEN_OVER || !this.session.canResume) this.line.forgetReturn();
      this.follow(this.line.closed(Date.now(), back, isBroken));
    };
  }

  /** Take frames in their order, though reading some of them takes a moment. */
  private async pump(): Promise<void> {
    this.isPumping = true;
    try {
      while (this.frames.length) {
        const frame = parsed(this.frames.shift());
        if (frame === undefined) continue;
        if (frame.type === "return") {
          this.line.told(frame, Date.now());
          continue;
        }
        const { socket } = this;
        let starts: Positions | null = null;
        if (frame.type === "positions") {
          starts = await decode(text(frame.token)).catch(() => null);
          if (this.socket !== socket) continue;
        }
        for (const action of this.session.take(frame, starts)) if (!(await this.act(action, socket))) break;
      }
    } finally {
      this.isPumping = false;
    }
  }

  /** Do what a frame means; false when the connection is left because of it. */
  private act(action: Action, socket: WebSocket | null): boolean | Promise<boolean> {
    switch (action.do) {
      case "hand":
        this.owner.hand(action.event);
        return true;
      case "answer":
        this.answered(action.frame);
        return true;
      case "ready":
        this.line.ready(Date.now());
        this.follow([]);
        this.owner.began();
        return true;
      case "reload":
        this.owner.reload(action.channelIds);
        return true;
      case "resume":
        return encode(this.session.positions).then((token) => {
          const more = this.starts ? { starts: this.starts } : {};
          if (this.socket === socket) socket?.send(JSON.stringify({ type: "resume", token, ...more }));
          return this.socket === socket;
        });
      case "leave": {
        const now = Date.now();
        this.follow(action.isGoodbye ? this.line.moved(now) : this.line.closed(now, "at_once", false));
        return false;
      }
    }
  }

  private answered(frame: Json): void {
    const id = number(frame.reply_to);
    const asked = this.asked.get(id);
    if (asked === undefined) return;
    this.asked.delete(id);
    clearTimeout(asked.timer);
    const error = object(frame.error);
    if (frame.ok === true) asked.done(frame);
    else asked.failed(refusal(text(error.msg) || "service_unavailable", number(error.retry_after) || null));
  }

  private drop(): void {
    const { socket } = this;
    this.booting?.abort();
    this.booting = null;
    this.socket = null;
    this.frames.length = 0;
    socket?.close();
    for (const asked of this.asked.values()) {
      clearTimeout(asked.timer);
      asked.failed(new Unreachable("the connection ended"));
    }
    this.asked.clear();
  }
}
