/** Quiet words above a message: that it is pinned, saved, seen by oneself alone, or sent from a thread too. */
import { Bookmark, CornerDownRight, Eye, Pin } from "lucide-preact";
import type { Message } from "../../core/contract";
import { useTabStop } from "../../text/tabstop";
import { toThread, useNavigate } from "../../ui/context";
import css from "./Flags.module.css";
import { useList } from "./list";

export const hasFlags = ({ isEphemeral, isPinned, isSaved, subtype }: Message): boolean =>
  isEphemeral || isPinned || isSaved || subtype === "thread_broadcast";

export function Flags({ message }: { readonly message: Message }) {
  const navigate = useNavigate();
  const list = useList();
  const tab = useTabStop();
  const { threadTs, conversationId } = message;
  const isBroadcast = message.subtype === "thread_broadcast" && threadTs !== null && list.threadTs === null;
  const flags = [
    message.isEphemeral && { icon: Eye, words: "Only visible to you" },
    message.isPinned && { icon: Pin, words: "Pinned" },
    message.isSaved && { icon: Bookmark, words: "Saved" },
  ].filter((flag) => flag !== false);
  if (flags.length === 0 && !isBroadcast) return null;
  return (
    <div class={css.flags}>
      {flags.map(({ icon: Icon, words }) => (
        <span key={words} class={css.flag}>
          <Icon size={12} aria-hidden="true" />
          {words}
        </span>
      ))}
      {isBroadcast && (
        <span class={css.flag}>
          <CornerDownRight size={12} aria-hidden="true" />
          Replied to{" "}
          <button
            type="button"
            tabIndex={tab}
            class={css.link}
            onClick={() => navigate(toThread(conversationId, threadTs))}
          >
            a thread
          </button>
        </span>
      )}
    </div>
  );
}
