/** Puts the parts of a client together, and keeps them to the beat of the connection: boots, resumes, what was missed. */
import { effect } from "@preact/signals";
import { Census } from "./census";
import type { ClientOptions } from "./client";
import type { Client, Id, Message, Ts } from "./contract";
import { clientOf } from "./facade";
import { Happenings } from "./happenings";
import { Lists } from "./lists";
import { CustomEmoji } from "./model/emoji";
import { Loader } from "./model/loader";
import { Marks } from "./model/marks";
import { Presence } from "./model/presence";
import { Typing } from "./model/typing";
import { Workspace } from "./model/workspace";
import { Api } from "./net/api";
import { Connection } from "./net/connection";
import { isObject, type Json, object, text } from "./net/json";
import type { Happening, Positions } from "./net/session";
import type { Parts } from "./parts";
import { Drafts } from "./sending/drafts";
import { browserStorage, Kept } from "./sending/kept";
import { Outbox } from "./sending/outbox";
import { carryByXhr, Uploads } from "./sending/uploads";
import { isVisible, isWatched, tabId, watchPage } from "./surroundings";
import { Timelines } from "./timeline/timelines";

/** What was saved is loaded this much after the first screen. */
const LATER_MS = 1_500;
/** How often the server hears that the page is in use, so that its session goes on. */
const IN_USE_MS = 6 * 3_600_000;

export class Conductor implements Parts {
  readonly api: Api;
  readonly connection: Connection;
  readonly workspace: Workspace;
  readonly loader: Loader;
  readonly timelines: Timelines;
  readonly outbox: Outbox;
  readonly drafts: Drafts;
  readonly uploads: Uploads;
  readonly presence: Presence;
  readonly typing: Typing;
  readonly lists: Lists;
  readonly marks: Marks;
  readonly emoji: CustomEmoji;
  readonly census: Census;
  private readonly happenings: Happenings = new Happenings(this);
  private readonly ends: (() => void)[] = [];
  private savedTimer: ReturnType<typeof setTimeout> | undefined;
  private bootedAt = 0;
  private mustBeWhole = false;

  constructor(
    team: { readonly id: Id; readonly name: string; readonly domain: string },
    readonly selfId: Id,
    private readonly options: ClientOptions,
  ) {
    const storage = options.storage === undefined ? browserStorage() : options.storage;
    const place = (what: string) => new Kept(storage, `parley.${what}.${team.id}.${selfId}.`);
    this.api = new Api(options.base ?? "", options.headers, Math.random, options.begun ?? null);
    this.connection = new Connection(this.api, this.owner());
    this.marks = new Marks((id, ts) =>
      this.api.call("conversations.mark", { channel: id, ts }, { isRepeatable: true }),
    );
    this.workspace = new Workspace(team, selfId, {
      marking: this.marks.pending,
      want: (id) => this.loader.want(id),
      joined: (id) => this.joined(id),
    });
    const ask = (kind: string, fields: Json, timeoutMs: number) => this.connection.ask(kind, fields, timeoutMs);
    this.loader = new Loader(this.workspace.holding, ask, this.api, (id) => this.isPrivate(id));
    const posted = (id: Id, json: Json) => this.happenings.posted(id, json);
    this.outbox = new Outbox(this.api, place("outbox"), selfId, posted, tabId());
    this.drafts = new Drafts(place("draft"));
    this.uploads = new Uploads(this.api, carryByXhr, options.base ?? "");
    const send = (frame: Json) => this.connection.send(frame);
    this.presence = new Presence(send);
    this.typing = new Typing(selfId, send);
    this.timelines = new Timelines(this.surroundings());
    const savedChanged = (id: Id, ts: Ts, on: boolean) => this.timelines.take(id, { op: "save", ts, on });
    this.lists = new Lists(this.api, this.loader, this.workspace, this.happenings.read, savedChanged);
    this.emoji = new CustomEmoji(this.loader, this.workspace);
    this.census = new Census(this.lists, this.workspace);
  }

  begin(): Client {
    this.api.onSignedOut = this.connection.signedOut;
    this.ends.push(watchPage(this.connection, () => this.marks.flush()));
    this.ends.push(effect(() => this.phaseChanged(this.connection.state.value.phase)));
    const inUse = setInterval(() => void this.api.web("session").catch(() => undefined), IN_USE_MS);
    this.ends.push(() => clearInterval(inUse));
    this.connection.start();
    return clientOf(this, this.happenings, () => this.dispose());
  }

  // The connection -----------------------------------------------------------------------------------------------

  private owner() {
    const conductor = this;
    return {
      get hasBoot() {
        return conductor.workspace.isBooted && !conductor.mustBeWhole;
      },
      bootArguments: () => this.bootArguments(),
      booted: (answer: Json, positions: Positions) => this.booted(answer, positions),
      hand: (event: Happening) => this.happenings.take(event),
      reload: (ids: readonly string[]) => this.missed(ids),
      began: () => this.began(),
    };
  }

  private bootArguments(): Json {
    this.bootedAt = Date.now();
    const first = this.options.first;
    const channel = first && !this.workspace.isBooted ? { channel: first } : {};
    return { lazy_aware: 1, batch_presence_aware: 1, ...channel };
  }

  private booted(answer: Json, positions: Positions): void {
    const isFirst = !this.workspace.isBooted;
    this.mustBeWhole = false;
    this.workspace.boot(answer, positions);
    if (isFirst) {
      this.loader.begin();
      const history = object(answer.history);
      const given = isObject(answer.history) ? { channel: text(history.channel), json: history } : null;
      this.timelines.booted(given, this.bootedAt);
      // Shown without it, and asked for again by whoever shows what was saved.
      this.savedTimer = setTimeout(() => void this.lists.loadSaved().catch(() => undefined), LATER_MS);
    }
    for (const id of this.workspace.watchedUserIds) this.loader.want(id);
    this.census.findPeople();
  }

  private began(): void {
    this.presence.began();
    this.loader.retry();
    this.outbox.hurry();
    this.timelines.retryAll();
    if (this.workspace.isEmojiOld) this.emoji.renew();
  }

  private phaseChanged(phase: string): void {
    if (phase === "signed_out") for (const stop of this.ends.splice(0)) queueMicrotask(stop);
  }

  /** Events of these can never be had: what is known of them is read anew, and of the rest nothing. */
  private missed(channelIds: readonly string[]): void {
    let isWhole = false;
    for (const id of channelIds) {
      this.timelines.invalidate(id);
      if (this.workspace.missed(id, this.connection.session.positions.get(id) ?? 0)) isWhole = true;
    }
    if (!isWhole) return;
    this.mustBeWhole = true;
    this.connection.reboot();
  }

  // What is shown ------------------------------------------------------------------------------------------------

  private surroundings() {
    return {
      calls: this.api,
      selfId: this.selfId,
      read: this.happenings.read,
      pending: (id: Id, root: Ts | null) => this.outbox.pending(id, root),
      lastRead: (id: Id) => this.workspace.membership(id)?.lastRead ?? null,
      arrived: (messages: readonly Message[]) => {
        for (const each of messages) this.outbox.shown(each.key);
      },
      isWatched,
      isVisible,
      isBooted: () => this.workspace.isBooted,
      isMember: (id: Id) => this.workspace.membership(id) !== undefined,
      opened: (id: Id) => this.census.opened(id),
    };
  }

  private joined(id: Id): void {
    this.timelines.invalidate(id);
    this.census.findPeople();
  }

  private isPrivate(id: Id): boolean {
    return this.workspace.membership(id)?.kind === "private";
  }

  private dispose(): void {
    for (const stop of this.ends.splice(0)) stop();
    clearTimeout(this.savedTimer);
    this.marks.flush();
    this.connection.end();
    this.api.end();
    this.outbox.end();
    this.drafts.end();
    this.uploads.end();
    this.presence.end();
    this.typing.end();
    this.census.end();
    this.timelines.end();
    this.happenings.listeners.clear();
  }
}
