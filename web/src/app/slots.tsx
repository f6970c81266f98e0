/** The views of a conversation and of a thread: their code comes beside the shell's, and is fetched while the workspace boots. */
import { lazy } from "../ui/lazy";
import { SkeletonRows } from "../ui/Spinner";

const waiting = () => <SkeletonRows count={7} />;

export const ConversationView = lazy(
  () => import("../views/messages/ConversationView").then((module) => module.ConversationView),
  waiting,
);

export const ThreadPane = lazy(() => import("../views/thread/ThreadPane").then((module) => module.ThreadPane), waiting);
