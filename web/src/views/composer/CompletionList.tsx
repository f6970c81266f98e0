/** What one may mean by what one types, above the text. */
import { AtSign, Hash, Lock } from "lucide-preact";
import { useEffect } from "preact/hooks";
import { EmojiView } from "../../text/EmojiView";
import { Avatar, PresenceDot } from "../../ui/Avatar";
import { classes } from "../../ui/classes";
import { useClient } from "../../ui/context";
import type { Listbox } from "../../ui/useListbox";
import css from "./CompletionList.module.css";
import type { Option } from "./useCompletion";

interface CompletionListProps {
  readonly options: readonly Option[];
  readonly listbox: Listbox;
}

export function CompletionList({ options, listbox }: CompletionListProps) {
  usePresence(options);
  return (
    <div class={css.panel}>
      <div {...listbox.listProps} class={css.list}>
        {options.map((option, index) => (
          <div
            key={option.key}
            {...listbox.optionProps(index)}
            class={classes(css.option, index === listbox.active && css.active)}
          >
            <One option={option} />
          </div>
        ))}
      </div>
      <div class={css.keys} aria-hidden="true">
        <kbd>↑</kbd>
        <kbd>↓</kbd> to move, <kbd>Tab</kbd> or <kbd>Enter</kbd> to choose
      </div>
    </div>
  );
}

/** Dots are drawn for who is offered, while they are. */
function usePresence(options: readonly Option[]): void {
  const client = useClient();
  const ids = options.flatMap((option) => (option.kind === "person" && !option.user.isBot ? [option.user.id] : []));
  const key = ids.join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` says which they are
  useEffect(() => (ids.length > 0 ? client.watchPresence(ids) : undefined), [client, key]);
}

function One({ option }: { readonly option: Option }) {
  switch (option.kind) {
    case "person": {
      const { user } = option;
      return (
        <>
          <Avatar user={user} size={24} />
          <span class={css.name}>{user.label}</span>
          <PresenceDot userId={user.id} />
          <span class={css.hint}>
            {user.label === user.realName ? user.name : user.realName}
            {user.title && ` · ${user.title}`}
          </span>
        </>
      );
    }
    case "range":
      return (
        <>
          <span class={css.icon}>
            <AtSign size={16} aria-hidden="true" />
          </span>
          <span class={css.name}>@{option.range}</span>
          <span class={css.hint}>{option.hint}</span>
        </>
      );
    case "channel": {
      const Icon = option.channel.kind === "private" ? Lock : Hash;
      return (
        <>
          <span class={css.icon}>
            <Icon size={16} aria-hidden="true" />
          </span>
          <span class={css.name}>{option.channel.name}</span>
          <span class={css.hint}>{option.channel.purpose || option.channel.topic}</span>
        </>
      );
    }
    case "emoji":
      return (
        <>
          <span class={css.emoji}>{option.unicode || <EmojiView name={option.name} isDecoration />}</span>
          <span class={css.name}>:{option.key}:</span>
        </>
      );
  }
}
