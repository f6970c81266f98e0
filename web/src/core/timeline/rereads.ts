/** Messages that are read again, each a moment after it may have changed: what happens until then is read at once. */
import type { Ts } from "../contract";

/** A parent is read again this much after its replies changed. */
const REREAD_MS = 250;

export class Rereads {
  private readonly timers = new Map<Ts, ReturnType<typeof setTimeout>>();

  constructor(private readonly read: (ts: Ts) => void) {}

  soon(ts: Ts): void {
    if (this.timers.has(ts)) return;
    const due = () => {
      this.timers.delete(ts);
      this.read(ts);
    };
    this.timers.set(ts, setTimeout(due, REREAD_MS));
  }

  end(): void {
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
  }
}
