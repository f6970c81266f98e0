/** Under a message that was replied to: who did, how often, when last. It opens the thread. */
import { ChevronRight } from "lucide-preact";
import type { Id, Message } from "../../core/contract";
import { useTabStop } from "../../text/tabstop";
import { Avatar } from "../../ui/Avatar";
import { toThread, useClient, useNavigate } from "../../ui/context";
import { ago, msOf } from "../../ui/time";
import css from "./ThreadFooter.module.css";

const FACES = 5;

export function ThreadFooter({ message }: { readonly message: Message }) {
  const navigate = useNavigate();
  const tab = useTabStop();
  const { replyCount, replyUserIds, latestReply, conversationId, ts } = message;
  return (
    <button type="button" tabIndex={tab} class={css.footer} onClick={() => navigate(toThread(conversationId, ts))}>
      <span class={css.faces}>
        {replyUserIds.slice(0, FACES).map((id) => (
          <Replier key={id} id={id} />
        ))}
      </span>
      <span class={css.count}>{replyCount === 1 ? "1 reply" : `${replyCount} replies`}</span>
      <span class={css.when}>{latestReply && `Last reply ${ago(msOf(latestReply), Date.now())}`}</span>
      <span class={css.view}>View thread</span>
      <ChevronRight size={14} aria-hidden="true" class={css.arrow} />
    </button>
  );
}

const Replier = ({ id }: { readonly id: Id }) => <Avatar user={useClient().user(id).value} size={22} />;
