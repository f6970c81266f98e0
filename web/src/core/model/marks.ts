/** Tells the server where the reader is: at most once a second a conversation, and in the end always. */
import type { Id, Ts } from "../contract";

const EVERY_MS = 1_000;

interface Mark {
  /** What the server is to be told yet, or is being told. */
  ts: Ts;
  isUnderWay: boolean;
  timer: ReturnType<typeof setTimeout> | undefined;
}

export class Marks {
  private readonly marks = new Map<Id, Mark>();
  private readonly toldAt = new Map<Id, number>();

  constructor(private readonly tell: (id: Id, ts: Ts) => Promise<unknown>) {}

  /** Where the reader is said to be, while the server does not know; null: it knows. */
  pending = (id: Id): Ts | null => this.marks.get(id)?.ts ?? null;

  set(id: Id, ts: Ts): void {
    const had = this.marks.get(id);
    if (had) {
      had.ts = ts;
      return;
    }
    const waitMs = Math.max(0, (this.toldAt.get(id) ?? 0) + EVERY_MS - Date.now());
    const mark: Mark = { ts, isUnderWay: false, timer: undefined };
    mark.timer = setTimeout(() => void this.send(id, mark), waitMs);
    this.marks.set(id, mark);
  }

  /** Tell all at once: the page is about to go. */
  flush(): void {
    for (const [id, mark] of this.marks) if (!mark.isUnderWay) void this.send(id, mark);
  }

  private async send(id: Id, mark: Mark): Promise<void> {
    clearTimeout(mark.timer);
    mark.isUnderWay = true;
    const { ts } = mark;
    this.toldAt.set(id, Date.now());
    if (this.toldAt.size > 1_000) this.toldAt.clear();
    await this.tell(id, ts).catch(() => undefined); // a mark that got lost is set again by what is read next
    this.marks.delete(id);
    if (mark.ts !== ts) this.set(id, mark.ts);
  }
}
