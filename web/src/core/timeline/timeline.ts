/** A window with signals around it: loads pages when asked, takes what happens, and says what rows there are. */
import { batch, computed, type ReadonlySignal, signal } from "@preact/signals";
import type { Message, Row, Timeline, Ts } from "../contract";
import { type Loading, Loads } from "./loads";
import { Rereads } from "./rereads";
import { firstUnread, Rows } from "./rows";
import type { Source } from "./source";
import { BEGINNING, type Op, type Page, Window } from "./window";

/** Messages held; some 1 KB each. */
export const MESSAGES_MAX = 2_000;
/** What is heard adds to a window until it is this much larger: then one end goes. */
const SLACK = 200;
/** Tries to jump to a place, when the window is begun anew each time. */
const JUMPS = 3;

export interface Place {
  readonly source: Source;
  readonly belongs: (message: Message) => boolean;
  readonly isThread: boolean;
  /** One's own that the server has not named yet, oldest first. */
  readonly pending: ReadonlySignal<readonly Message[]>;
  readonly selfId: string;
  /** Told of what came in a page, when it is shown. */
  readonly arrived: (messages: readonly Message[]) => void;
  /** Whether somebody looks at the page. */
  readonly isWatched: () => boolean;
  readonly now: () => number;
}

export class LiveTimeline implements Timeline {
  private readonly window: Window;
  private readonly shown = new Rows();
  private readonly version = signal(0);
  private readonly unreadAfter = signal<Ts | null>(null);
  private readonly loads = new Loads();
  private readonly rereads = new Rereads((ts) => this.readAgain(ts));
  /** One's own that the server has named before the first page was there. */
  private early: readonly Message[] = [];
  private lean: "old" | "new" = "new";
  private holders = 0;
  private isStale = false;

  readonly rows: ReadonlySignal<readonly Row[]>;
  readonly hasOlder: ReadonlySignal<boolean>;
  readonly hasNewer: ReadonlySignal<boolean>;
  readonly isLoading: ReadonlySignal<Loading> = this.loads.kind;
  readonly problem: ReadonlySignal<string> = this.loads.problem;

  constructor(private readonly at: Place) {
    this.window = new Window(at.belongs, at.selfId);
    this.rows = computed(() => this.build());
    this.hasOlder = computed(() => this.version.value >= 0 && this.window.isLoaded && !this.window.isAtStart);
    this.hasNewer = computed(() => this.version.value >= 0 && this.window.isLoaded && !this.window.isAtEnd);
  }

  get isHeld(): boolean {
    return this.holders > 0;
  }

  get isLoaded(): boolean {
    return this.window.isLoaded;
  }

  /** Somebody shows it from now on. `lastRead`: where the reader was; null where nobody keeps that. */
  hold(lastRead: Ts | null, mayLoad: boolean): void {
    this.holders += 1;
    if (this.holders > 1) return;
    this.unreadAfter.value = lastRead;
    if (mayLoad) this.loadIfNeeded();
    else this.loads.expect();
  }

  /** It may load from now on. */
  begin(lastRead: Ts | null): void {
    if (this.unreadAfter.peek() === null) this.unreadAfter.value = lastRead;
    this.loads.expectNone();
    this.loadIfNeeded();
  }

  private loadIfNeeded(): void {
    if ((!this.window.isLoaded || this.isStale) && !this.loads.isBusy) void this.reload();
  }

  letGo(): void {
    this.holders = Math.max(0, this.holders - 1);
  }

  /** Forget what is on its way. */
  end(): void {
    this.rereads.end();
    this.window.clear();
  }

  /** Take the newest page, that came by itself. */
  given(page: Page, askedAt: number): void {
    if (this.window.isLoaded && !this.isStale) return;
    this.isStale = false;
    batch(() => {
      this.window.reset(page, askedAt);
      this.at.arrived(page.messages);
      this.changed();
    });
  }

  take(op: Op): void {
    const { changed, reread } = this.window.apply(op, this.at.now());
    if (reread !== null) this.rereads.soon(reread);
    const isEarly = op.op === "post" && !this.window.isLoaded && this.at.pending.peek().some(isSame(op.message));
    if (isEarly) this.early = [...this.early, op.message];
    else if (op.op === "post" && changed) this.posted(op.message);
    if (changed || isEarly) this.changed();
  }

  /** What it shows may be wrong: something happened that nobody will tell. */
  invalidate(): void {
    this.isStale = true;
    this.window.doubt();
    if (this.isHeld) void this.reload();
  }

  /** The reader says what is new: everything after this. */
  setUnread(after: Ts): void {
    this.unreadAfter.value = after;
  }

  message(ts: Ts): Message | undefined {
    return this.window.get(ts);
  }

  /** The newest message that `isWanted`, if it is known that there is no newer one; null: there is none. */
  newest(isWanted: (message: Message) => boolean): Message | null | undefined {
    if (!this.window.isAtEnd || this.isStale) return undefined;
    const found = this.window.messages.findLast(isWanted);
    return found ?? (this.window.isAtStart ? null : undefined);
  }

  loadOlder(): Promise<void> {
    if (!this.window.isLoaded || this.window.isAtStart) return Promise.resolve();
    return this.loads.alone("older", async () => {
      this.lean = "old";
      if (this.at.isThread) await this.replaced(() => this.at.source.newest());
      else await this.merged(() => this.at.source.older(this.window.low));
    });
  }

  loadNewer(): Promise<void> {
    if (!this.window.isLoaded || this.window.isAtEnd) return Promise.resolve();
    return this.loads.alone("newer", async () => {
      this.lean = "new";
      await this.merged(() => this.at.source.newer(this.window.high, this.window.messages));
    });
  }

  async jumpTo(ts: Ts, tries = JUMPS): Promise<boolean> {
    if (this.window.get(ts)) return true;
    let isThere = false;
    await this.loads.alone("first", async () => {
      if (this.window.get(ts)) {
        isThere = true;
        return;
      }
      isThere = await this.replaced(() => this.at.source.around(ts));
    });
    // The first boot may have brought the newest page meanwhile: what was asked for before it was not taken.
    if (isThere && !this.window.get(ts) && tries > 1) return this.jumpTo(ts, tries - 1);
    if (!isThere && !this.window.isLoaded) await this.reload();
    return isThere;
  }

  jumpToNow(): Promise<void> {
    this.lean = "new";
    if (this.window.isAtEnd) return Promise.resolve();
    return this.loads.alone("first", async () => {
      await this.replaced(() => this.at.source.newest());
    });
  }

  async retry(): Promise<void> {
    await (this.loads.again() ?? this.reload());
  }

  /** See what nobody told: the newest page again, without a word of loading or of failing. */
  async look(): Promise<void> {
    if (this.loads.isBusy || this.isStale || !this.window.isAtEnd) return;
    const had = this.window.messages.at(-1)?.ts ?? BEGINNING;
    await this.asking(
      () => this.at.source.newest(),
      (page, askedAt) => {
        // What was not told of may be more than a page: then there is a hole before it.
        if (page.low > had) this.window.reset(page, askedAt);
        else this.window.merge(page, askedAt);
        this.window.trim(MESSAGES_MAX, this.lean);
      },
    ).catch(() => undefined); // it is seen the next time
  }

  /** Read anew what is shown: the newest page, or the middle of where the reader is. */
  private reload(): Promise<void> {
    return this.loads.alone("first", async () => {
      const { messages } = this.window;
      const middle = this.window.isLoaded && !this.window.isAtEnd ? messages[messages.length >> 1] : undefined;
      const isThere = middle !== undefined && (await this.replaced(() => this.at.source.around(middle.ts)));
      if (!isThere) await this.replaced(() => this.at.source.newest());
      this.isStale = false;
    });
  }

  private async merged(ask: () => Promise<Page>): Promise<void> {
    await this.asking(ask, (page, askedAt) => {
      this.window.merge(page, askedAt);
      this.window.trim(MESSAGES_MAX, this.lean);
      this.rereadUnsure();
    });
  }

  private replaced(ask: () => Promise<Page | null>): Promise<boolean> {
    return this.asking(ask, (page, askedAt) => {
      this.window.reset(page, askedAt);
      this.rereadUnsure();
    });
  }

  /** Ask for a page and take it, unless the window was begun anew meanwhile; whether there was one. */
  private async asking<T extends Page | null>(
    ask: () => Promise<T>,
    take: (page: Page, askedAt: number) => void,
  ): Promise<boolean> {
    const askedAt = this.at.now();
    const { generation } = this.window;
    this.window.asked(askedAt);
    try {
      const page = await ask();
      if (page === null) return false;
      batch(() => {
        if (generation === this.window.generation) take(page, askedAt);
        this.at.arrived(page.messages);
        this.changed();
      });
      return true;
    } finally {
      this.window.settled(askedAt);
    }
  }

  private posted(message: Message): void {
    if (message.authorId === this.at.selfId) {
      if (this.unreadAfter.peek() !== null) this.unreadAfter.value = message.ts;
    } else if (this.isHeld && this.at.isWatched() && this.unreadAfter.peek() !== null) {
      // Who looks on as it comes needs no line above it.
      const first = firstUnread(this.window.messages, this.unreadAfter.peek() ?? BEGINNING, this.at.selfId);
      if (first === message.ts) this.unreadAfter.value = message.ts;
    }
    if (this.window.messages.length > MESSAGES_MAX + SLACK) this.window.trim(MESSAGES_MAX, this.lean);
  }

  private rereadUnsure(): void {
    for (const ts of this.window.unsureOf) this.rereads.soon(ts);
  }

  private readAgain(ts: Ts): void {
    this.asking(
      () => this.at.source.one(ts),
      (page, askedAt) => this.window.merge(page, askedAt),
    ).catch(() => this.invalidate());
  }

  private build(): readonly Row[] {
    const { window } = this;
    if (this.version.value < 0) return []; // reading it is what makes this be done again
    const after = this.unreadAfter.value;
    const pending = this.at.pending.value;
    return this.shown.build(
      window.isLoaded ? window.messages : this.early,
      window.isLoaded && !window.isAtEnd ? [] : pending,
      {
        unreadAfter: after !== null && window.low <= after ? after : null,
        selfId: this.at.selfId,
        hasBeginning: window.isLoaded && window.isAtStart && !this.at.isThread,
        isThread: this.at.isThread,
      },
    );
  }

  private changed(): void {
    if (this.window.isLoaded) this.early = [];
    this.version.value += 1;
  }
}

const isSame = (message: Message) => (other: Message) => other.key === message.key;
