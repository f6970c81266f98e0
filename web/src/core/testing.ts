/** For tests: a server with its gateway. Calls come by a fetch that goes nowhere, events over sockets that are none. */
import { vi } from "vitest";
import { type Json, number, object, text } from "./net/json";
import { decode, encode } from "./net/tokens";

export interface Call {
  readonly method: string;
  readonly args: Json;
}

type Answer = (args: Json) => Json;

const OPEN = 1;
const CLOSED = 3;

/** The browser's end, as far as the client uses it. */
class FakeSocket {
  readyState = 0;
  /** It was said from where this connection delivers: what happens is told from then on. */
  isFollowing = false;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;

  constructor(
    readonly url: string,
    private readonly server: FakeServer,
  ) {
    server.sockets.push(this);
    setTimeout(() => this.open(), 0);
  }

  /** As over any wire, nothing is answered before this returned; unless the server `isHasty`. */
  send(data: string): void {
    if (this.server.isHasty) void this.server.heard(this, JSON.parse(data));
    else setTimeout(() => void this.server.heard(this, JSON.parse(data)), 0);
  }

  close(): void {
    this.readyState = CLOSED;
  }

  get isOpen(): boolean {
    return this.readyState === OPEN;
  }

  /** From the gateway. */
  tell(frame: Json): void {
    if (this.isOpen) this.onmessage?.({ data: JSON.stringify(frame) });
  }

  break(code: number): void {
    if (this.readyState === CLOSED) return;
    this.readyState = CLOSED;
    this.onclose?.({ code });
  }

  private open(): void {
    if (this.readyState === CLOSED) return;
    this.readyState = OPEN;
    this.onopen?.();
    const code = this.server.refuses(this.url);
    if (code) this.break(code);
    else this.tell({ type: "hello" });
  }
}

export class FakeServer {
  readonly calls: Call[] = [];
  readonly sockets: FakeSocket[] = [];
  /** Frames other than resumes and questions. */
  readonly frames: Json[] = [];
  readonly resumes: Map<string, number>[] = [];
  /** What each resume repeated of a way back. */
  readonly starts: string[] = [];
  /** What is sent over a socket is answered before the sending has returned. */
  isHasty = false;
  /** With what code a socket to an address is closed when it has opened; 0: it is not. */
  refuses: (url: string) => number = () => 0;
  /** By method, and by the kind of a question over the socket. */
  readonly answers = new Map<string, Answer>();
  /** What of a resume cannot be had any more. */
  lost: readonly string[] = [];
  /** The end of each channel's log. */
  readonly heads = new Map<string, number>();
  private readonly log: Json[] = [];

  install(): void {
    vi.stubGlobal("fetch", async (url: string, init: RequestInit) => this.fetch(url, init));
    const server = this;
    vi.stubGlobal(
      "WebSocket",
      class extends FakeSocket {
        constructor(url: string) {
          super(url, server);
        }
      },
    );
  }

  get socket(): FakeSocket | undefined {
    return this.sockets.at(-1);
  }

  asked(method: string): readonly Json[] {
    return this.calls.filter((each) => each.method === method).map((each) => each.args);
  }

  /** Something happened: it is in the log, and told to whoever is connected. */
  happens(channel: string, event: Json): void {
    const offset = (this.heads.get(channel) ?? 0) + 1;
    this.heads.set(channel, offset);
    const frame = { ...event, position: `${channel}:${offset}` };
    this.log.push(frame);
    if (this.socket?.isFollowing) this.socket.tell(frame);
  }

  async token(): Promise<string> {
    return encode(this.heads);
  }

  /** What was sent on a socket that has ended since is heard by nobody. */
  async heard(socket: FakeSocket, frame: Json): Promise<void> {
    if (!socket.isOpen) return;
    const { type, id } = frame;
    if (type === "resume") {
      await this.resume(socket, await decode(text(frame.token)), text(frame.starts));
      return;
    }
    if (type === "ping") {
      socket.tell({ type: "pong", reply_to: id });
      return;
    }
    const answer = this.answers.get(text(type));
    if (answer && id !== undefined) socket.tell({ ok: true, reply_to: id, ...answer(frame) });
    else this.frames.push(frame);
  }

  /** All at once, when the tokens are read and written: a socket that ended meanwhile has taken nothing. */
  private async resume(socket: FakeSocket, had: Map<string, number>, starts: string): Promise<void> {
    const { lost } = this;
    const token = await encode(new Map(lost.map((each) => [each, this.heads.get(each) ?? 0])));
    if (!socket.isOpen) return;
    this.resumes.push(had);
    this.starts.push(starts);
    if (lost.length) {
      socket.tell({ type: "resume_failed", channels: lost });
      socket.tell({ type: "positions", token });
    } else socket.tell({ type: "resumed", channels: had.size });
    for (const frame of this.log) {
      const [channel = "", offset] = text(frame.position).split(":");
      if (!lost.includes(channel) && number(offset) > (had.get(channel) ?? 0)) socket.tell(frame);
    }
    socket.isFollowing = true;
    this.lost = [];
  }

  private async fetch(url: string, init: RequestInit) {
    const method = url.replace(/^\/api\//, "");
    const args = typeof init.body === "string" ? object(JSON.parse(init.body)) : {};
    this.calls.push({ method, args });
    const said = (this.answers.get(method) ?? this.answers.get(method.replace(/^client\./, "")))?.(args) ?? {};
    const body =
      method === "client.boot" ? { token: await this.token(), url: "ws://gateway", host_id: "g1", ...said } : said;
    return { status: 200, headers: new Headers(), text: async () => JSON.stringify({ ok: true, ...body }) };
  }
}
