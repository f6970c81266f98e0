/** How many are in a conversation, and who is in a group message: asked when it is shown, once. */
import type { Id } from "./contract";
import type { Lists } from "./lists";
import type { Workspace } from "./model/workspace";
import { pause } from "./net/api";

/** How many are in a conversation is asked this much after it was opened. */
const SIZE_S = 0.3;
/** People in a group message: more there are not. */
const GROUP_MAX = 20;
/** Group messages whose people are asked for by themselves. */
const GROUPS_MAX = 50;

export class Census {
  private readonly asked = new Set<Id>();

  constructor(
    private readonly lists: Pick<Lists, "members">,
    private readonly workspace: Workspace,
  ) {}

  opened(conversationId: Id): void {
    if (this.asked.has(conversationId)) return;
    this.asked.add(conversationId);
    pause(SIZE_S)
      .then(() => this.lists.members(conversationId, ""))
      .then(({ ids, total }) => {
        const isGroup = this.workspace.membership(conversationId)?.kind === "mpim" && total <= GROUP_MAX;
        if (isGroup) this.workspace.setPeople(conversationId, ids);
      })
      .catch(() => this.asked.delete(conversationId));
  }

  /** Boots name the people of recent group messages only; a list shows more of them. */
  findPeople(): void {
    const nameless = [...this.workspace.mine.all].filter((each) => each.kind === "mpim" && !each.userIds.length);
    for (const each of nameless.slice(0, GROUPS_MAX)) this.opened(each.id);
  }
}
