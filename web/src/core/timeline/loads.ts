/** One load at a time, and what there is to say of it: what is on its way, and why the last one failed. */
import { type ReadonlySignal, signal } from "@preact/signals";

export type Loading = "" | "first" | "older" | "newer";

export class Loads {
  private readonly loading = signal<Loading>("");
  private readonly trouble = signal("");
  private under: Promise<void> | null = null;
  private last: (() => Promise<void>) | null = null;

  readonly kind: ReadonlySignal<Loading> = this.loading;
  readonly problem: ReadonlySignal<string> = this.trouble;

  get isBusy(): boolean {
    return this.under !== null;
  }

  /** The first load will begin when it may. */
  expect(): void {
    this.loading.value = "first";
  }

  /** It may. */
  expectNone(): void {
    this.loading.value = "";
  }

  /** Load when nothing else does; who asks for more of a side meanwhile only waits. Failures are told by `problem`. */
  async alone(kind: Loading, load: () => Promise<void>): Promise<void> {
    while (this.under) {
      await this.under;
      if (kind !== "first") return;
    }
    this.under = this.run(kind, load);
    await this.under;
  }

  /** What failed last, once more; null: nothing did. */
  again(): Promise<void> | null {
    return this.last?.() ?? null;
  }

  private async run(kind: Loading, load: () => Promise<void>): Promise<void> {
    this.loading.value = kind;
    this.trouble.value = "";
    try {
      await load();
      this.last = null;
    } catch (error) {
      this.last = () => this.alone(kind, load);
      this.trouble.value = error instanceof Error ? error.message : "This could not be loaded.";
    } finally {
      this.loading.value = "";
      this.under = null;
    }
  }
}
