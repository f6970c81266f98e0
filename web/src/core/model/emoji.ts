/** The workspace's own emoji: loaded when somebody wants to see them, and again when they changed. */
import { type ReadonlySignal, signal } from "@preact/signals";
import { number, object, text } from "../net/json";
import type { Loader } from "./loader";

/** Who knows whether what is known may be old. */
interface Freshness {
  isEmojiOld: boolean;
}

export class CustomEmoji {
  private readonly known = signal<ReadonlyMap<string, string>>(new Map());
  private version = 0;

  constructor(
    private readonly loader: Pick<Loader, "query">,
    private readonly workspace: Freshness,
  ) {}

  get all(): ReadonlySignal<ReadonlyMap<string, string>> {
    return this.known;
  }

  async load(): Promise<void> {
    if (!this.workspace.isEmojiOld && this.version) return;
    this.workspace.isEmojiOld = false;
    try {
      const answer = await this.loader.query("emoji", { version: this.version });
      this.version = number(answer.version);
      if (answer.unchanged === true) return;
      const all = Object.entries(object(answer.emoji)).map(([name, value]) => [name, text(value)] as const);
      this.known.value = new Map(all);
    } catch (error) {
      this.workspace.isEmojiOld = true;
      throw error;
    }
  }

  /** They may be old: load them again if anybody ever wanted them. */
  renew(): void {
    if (this.version) void this.load().catch(() => undefined); // tried again with the next connection
  }
}
