/** The bar over a message that pointer or focus is at. */
import {
  Bookmark,
  Copy,
  EllipsisVertical,
  Link2,
  MailOpen,
  MessageSquare,
  Pencil,
  Pin,
  SmilePlus,
  Trash2,
} from "lucide-preact";
import type { Message } from "../../core/contract";
import { EmojiView } from "../../text/EmojiView";
import { useTabStop } from "../../text/tabstop";
import { IconButton } from "../../ui/Button";
import { Menu, type MenuItem } from "../../ui/Menu";
import { useFrequentEmoji } from "../emoji/useFrequent";
import { useList } from "./list";
import css from "./Toolbar.module.css";
import type { MessageActions } from "./useMessageActions";

interface ToolbarProps {
  readonly message: Message;
  readonly actions: MessageActions;
}

export function Toolbar({ message, actions }: ToolbarProps) {
  const tab = useTabStop();
  const list = useList();
  const { names, use } = useFrequentEmoji(3);
  if (!actions.isSettled) return null;
  const react = (name: string) => {
    use(name);
    actions.react(name);
  };
  return (
    <div role="toolbar" aria-label="Message actions" class={css.bar}>
      {names.map((name) => (
        <button
          key={name}
          type="button"
          tabIndex={tab}
          class={css.quick}
          aria-label={`React with ${name.replace(/_/g, " ")}`}
          data-tooltip={`:${name}:`}
          onClick={() => react(name)}
        >
          <EmojiView name={name} isDecoration />
        </button>
      ))}
      <IconButton
        size="s"
        icon={SmilePlus}
        label="Find another reaction"
        keys="R"
        tabIndex={tab}
        onClick={(event) => actions.pick(event.currentTarget)}
      />
      {!list.threadTs && (
        <IconButton
          size="s"
          icon={MessageSquare}
          label="Reply in thread"
          keys="T"
          tabIndex={tab}
          onClick={actions.reply}
        />
      )}
      <IconButton
        size="s"
        icon={Bookmark}
        label={message.isSaved ? "Remove from saved" : "Save for later"}
        keys="S"
        isPressed={message.isSaved}
        tabIndex={tab}
        onClick={actions.toggleSaved}
      />
      <Menu
        label="More actions"
        align="end"
        items={itemsOf(message, actions, list.threadTs !== null)}
        trigger={(props) => (
          <IconButton size="s" icon={EllipsisVertical} label="More actions" tabIndex={tab} data-more {...props} />
        )}
      />
    </div>
  );
}

function itemsOf(message: Message, actions: MessageActions, isThread: boolean): MenuItem[] {
  return [
    actions.canEdit && { label: "Edit message", icon: Pencil, hint: "E", onSelect: actions.edit },
    { label: "Copy text", icon: Copy, hint: "Ctrl+C", onSelect: actions.copyText },
    { label: "Copy link", icon: Link2, onSelect: actions.copyLink },
    "-",
    !isThread && { label: "Mark unread from here", icon: MailOpen, hint: "U", onSelect: actions.markUnread },
    { label: message.isPinned ? "Unpin" : "Pin to conversation", icon: Pin, hint: "P", onSelect: actions.togglePinned },
    actions.canDelete && "-",
    actions.canDelete && { label: "Delete…", icon: Trash2, hint: "Del", isDangerous: true, onSelect: actions.remove },
  ];
}
