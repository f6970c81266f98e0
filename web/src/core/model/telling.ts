/**
 * What a workspace tells, by signals: users, conversations, and the list of those that one is in. What changes is noted,
 * and made anew once for all that comes in one moment.
 */
import { batch, type ReadonlySignal, signal } from "@preact/signals";
import type { Conversation, Id, User } from "../contract";
import { Shelf } from "./shelf";

export interface Makers {
  user(id: Id): User | undefined;
  conversation(id: Id): Conversation | undefined;
  /** It was put out of sight. */
  isClosed(id: Id): boolean;
}

const isUser = (id: Id): boolean => /^[UW]/.test(id);
const isConversation = (id: Id): boolean => /^[CDG]/.test(id);

export class Telling {
  readonly users: Shelf<User | undefined>;
  readonly each: Shelf<Conversation | undefined>;
  private readonly listed = signal<ReadonlyMap<Id, Conversation>>(new Map());
  private readonly dirty = new Set<Id>();
  private isListDirty = false;
  private isScheduled = false;

  constructor(private readonly make: Makers) {
    this.users = new Shelf((id) => make.user(id));
    this.each = new Shelf((id) => make.conversation(id));
  }

  /** The conversations that one is in, but for what is archived or closed. */
  get conversations(): ReadonlySignal<ReadonlyMap<Id, Conversation>> {
    return this.listed;
  }

  /** This changed: it is told at the end of the moment. */
  touch(id: Id): void {
    this.dirty.add(id);
    if (isConversation(id)) this.isListDirty = true;
    if (this.isScheduled) return;
    this.isScheduled = true;
    queueMicrotask(() => this.flush());
  }

  flush(): void {
    this.isScheduled = false;
    batch(() => {
      for (const id of this.dirty) if (isUser(id)) this.users.refresh(id);
      if (this.isListDirty) this.relist();
      this.dirty.clear();
      this.isListDirty = false;
    });
  }

  private relist(): void {
    const now = new Map(this.listed.peek());
    for (const id of this.dirty) {
      if (!isConversation(id)) continue;
      const made = this.make.conversation(id);
      if (made?.isMember && !made.isArchived && !this.make.isClosed(id)) now.set(id, made);
      else now.delete(id);
      this.each.refresh(id);
    }
    this.listed.value = now;
  }
}
