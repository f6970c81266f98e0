/** How many are in a conversation, and who is in a group message: asked when it is shown, once. */
import { type Id, Refusal } from "./contract";
import type { Lists } from "./lists";
import type { Workspace } from "./model/workspace";
import { pause } from "./net/api";
import { mayPass } from "./net/retrying";

/** How many are in a conversation is asked this much after it was opened, and again after twice as long each time. */
const SIZE_S = 0.3;
/** Times that it is asked, unless the answer is no. */
const TRIES = 6;
/** People in a group message: more there are not. */
const GROUP_MAX = 20;
/** Group messages whose people are asked for by themselves. */
const GROUPS_MAX = 50;

export class Census {
  private readonly asked = new Set<Id>();
  /** Opened before there was a workspace that knows them: the first screen. */
  private readonly early = new Set<Id>();
  private readonly over = new AbortController();

  constructor(
    private readonly lists: Pick<Lists, "members">,
    private readonly workspace: Pick<Workspace, "isBooted" | "membership" | "mine" | "setPeople">,
  ) {}

  opened(conversationId: Id): void {
    if (!this.workspace.isBooted) {
      this.early.add(conversationId);
      return;
    }
    if (this.asked.has(conversationId)) return;
    this.asked.add(conversationId);
    this.count(conversationId).catch(() => this.asked.delete(conversationId));
  }

  /** What was opened before the boot, and whom no boot named: it names the people of recent group messages only. */
  findPeople(): void {
    for (const id of this.early) this.opened(id);
    this.early.clear();
    const nameless = [...this.workspace.mine.all].filter((each) => each.kind === "mpim" && !each.userIds.length);
    for (const each of nameless.slice(0, GROUPS_MAX)) this.opened(each.id);
  }

  end(): void {
    this.over.abort();
  }

  private async count(conversationId: Id): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      await pause(SIZE_S * 2 ** (tries - 1), this.over.signal);
      try {
        const { ids, total } = await this.lists.members(conversationId, "");
        const isGroup = this.workspace.membership(conversationId)?.kind === "mpim" && total <= GROUP_MAX;
        if (isGroup) this.workspace.setPeople(conversationId, ids);
        return;
      } catch (error) {
        const isFinal = error instanceof Refusal && !mayPass(error.code);
        if (isFinal || tries === TRIES) throw error;
      }
    }
  }
}
