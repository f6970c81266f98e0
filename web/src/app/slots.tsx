/** The views of a conversation and of a thread, whose code comes beside the shell's. */
import type { FunctionComponent } from "preact";
import type { Id, Ts } from "../core/contract";
import { Empty } from "../ui/Empty";
import { lazy } from "../ui/lazy";
import { SkeletonRows } from "../ui/Spinner";

interface ConversationProps {
  readonly conversationId: Id;
  readonly at: Ts | null;
}

interface ThreadProps {
  readonly conversationId: Id;
  readonly ts: Ts;
}

type Modules<Name extends string, P> = Record<string, () => Promise<Record<Name, FunctionComponent<P>>>>;

// A pattern, and not a plain import, so that the shell is drawn while these are not written yet.
const conversations = import.meta.glob("../views/messages/ConversationView.tsx") as Modules<
  "ConversationView",
  ConversationProps
>;
const threads = import.meta.glob("../views/thread/ThreadPane.tsx") as Modules<"ThreadPane", ThreadProps>;

const Absent = () => <Empty title="Messages will stand here" />;
const waiting = () => <SkeletonRows count={7} />;

export const ConversationView = lazy<ConversationProps>(
  async () => (await Object.values(conversations)[0]?.())?.ConversationView ?? Absent,
  waiting,
);

export const ThreadPane = lazy<ThreadProps>(
  async () => (await Object.values(threads)[0]?.())?.ThreadPane ?? Absent,
  waiting,
);
