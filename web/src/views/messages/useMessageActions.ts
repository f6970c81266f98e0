/** What one can do with a message, by the bar, its menu or keys. */
import { useCallback, useMemo } from "preact/hooks";
import type { Message } from "../../core/contract";
import { plainText } from "../../text/plain";
import { toThread, useClient, useNavigate, useScreen } from "../../ui/context";
import { useList } from "./list";
import { rowId } from "./useFeedKeys";

export interface MessageActions {
  readonly canEdit: boolean;
  readonly canDelete: boolean;
  /** Written and named by the server: it can be replied to, linked, marked. */
  readonly isSettled: boolean;
  react(name: string): void;
  /** Open the picker beside `anchor`. */
  pick(anchor: HTMLElement): void;
  reply(): void;
  toggleSaved(): void;
  togglePinned(): void;
  copyLink(): void;
  copyText(): void;
  edit(): void;
  endEdit(): void;
  remove(): void;
  markUnread(): void;
  onKeyDown(event: KeyboardEvent): void;
}

/** Just below a message, so that it is unread again and what is before it is not. */
export function justBelow(ts: string): string {
  const [seconds = "0", micros = "0"] = ts.split(".");
  const at = BigInt(seconds) * 1_000_000n + BigInt(micros) - 1n;
  return `${at / 1_000_000n}.${String(at % 1_000_000n).padStart(6, "0")}`;
}

export function useMessageActions(message: Message): MessageActions {
  const client = useClient();
  const screen = useScreen();
  const navigate = useNavigate();
  const list = useList();
  const focusRow = useCallback(
    () => requestAnimationFrame(() => document.getElementById(rowId(list, message.key))?.focus()),
    [list, message.key],
  );
  return useMemo(() => {
    const isOwn = message.authorId === client.selfId;
    const isSettled = message.delivery === "sent" && !message.isEphemeral && message.subtype !== "tombstone";
    const isAdmin = () => client.user(client.selfId).peek()?.isAdmin ?? false;
    const canEdit =
      isOwn &&
      isSettled &&
      (message.subtype === "" || message.subtype === "thread_broadcast" || message.subtype === "me_message");
    const canDelete = isSettled && (isOwn || isAdmin());
    const attempt = (work: Promise<unknown>, done?: string) =>
      work.then(() => done && screen.toast(done, { kind: "success" }), screen.fail);
    const copy = (text: Promise<string> | string, done: string) =>
      attempt(
        Promise.resolve(text).then((said) => navigator.clipboard.writeText(said)),
        done,
      );
    const names = {
      user: (id: string) => client.user(id).peek()?.label,
      channel: (id: string) => client.conversation(id).peek()?.name,
    };
    const actions: MessageActions = {
      canEdit,
      canDelete,
      isSettled,
      react: (name) => {
        const own = message.reactions.find((one) => one.name === name)?.userIds.includes(client.selfId) ?? false;
        void attempt(client.react(message, name, !own));
      },
      pick: (anchor) => {
        if (isSettled) list.picking.value = { key: message.key, anchor };
      },
      reply: () => isSettled && navigate(toThread(message.conversationId, message.threadTs ?? message.ts)),
      toggleSaved: () =>
        void attempt(
          client.save(message, !message.isSaved),
          message.isSaved ? "Removed from saved" : "Saved for later",
        ),
      togglePinned: () =>
        void attempt(client.pin(message, !message.isPinned), message.isPinned ? "Unpinned" : "Pinned"),
      copyLink: () => void copy(client.permalink(message), "Link copied"),
      copyText: () => void copy(plainText(message.text, names), "Text copied"),
      edit: () => {
        if (canEdit) list.editing.value = message.key;
      },
      endEdit: () => {
        list.editing.value = null;
        focusRow();
      },
      remove: () => void confirmRemove(),
      markUnread: () => {
        if (!isSettled || list.threadTs) return;
        list.isHeldUnread.value = true;
        client.markRead(message.conversationId, justBelow(message.ts));
        screen.announce("Marked as unread");
      },
      onKeyDown: (event) => onKey(event),
    };
    const confirmRemove = async () => {
      if (!canDelete) return;
      const text = "It is gone for everybody. This cannot be taken back.";
      if (await screen.confirm({ title: "Delete this message?", text, action: "Delete", isDangerous: true }))
        await attempt(client.remove(message));
    };
    const onKey = (event: KeyboardEvent) => {
      const row = event.currentTarget as HTMLElement;
      if (event.target !== row) return leaveInside(event, row);
      const isCopy = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "c";
      if (isCopy && (window.getSelection()?.isCollapsed ?? true)) {
        event.preventDefault();
        return actions.copyText();
      }
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const act = KEYS[event.key.toLowerCase()];
      if (!act) return;
      event.preventDefault();
      act(actions, row);
    };
    return actions;
  }, [message, client, screen, navigate, list, focusRow]);
}

/** Escape leads from what is in a message back to the message, if nothing nearer took it. */
function leaveInside(event: KeyboardEvent, row: HTMLElement): void {
  if (event.key !== "Escape" || event.defaultPrevented) return;
  event.preventDefault();
  row.focus();
}

type Act = (actions: MessageActions, row: HTMLElement) => void;

/** Letters, while a message has the focus. */
const KEYS: Readonly<Record<string, Act>> = {
  e: (actions) => actions.edit(),
  r: (actions, row) => actions.pick(row),
  t: (actions) => actions.reply(),
  // The bar is there, as the message has the focus: its menu is what can be done.
  enter: (_, row) => row.querySelector<HTMLElement>("[data-more]")?.click(),
  s: (actions) => actions.isSettled && actions.toggleSaved(),
  p: (actions) => actions.isSettled && actions.togglePinned(),
  u: (actions) => actions.markUnread(),
  delete: (actions) => actions.remove(),
};
