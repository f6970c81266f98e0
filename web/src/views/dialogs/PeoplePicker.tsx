/** Choosing people by name: those chosen stand as tags before the text, the server finds the rest. */
import { X } from "lucide-preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Id, User } from "../../core/contract";
import { Avatar } from "../../ui/Avatar";
import { useClient } from "../../ui/context";
import { useListbox } from "../../ui/useListbox";
import css from "./PeoplePicker.module.css";

interface PeoplePickerProps {
  readonly label: string;
  readonly chosen: readonly User[];
  readonly onChange: (chosen: readonly User[]) => void;
  /** Not offered. */
  readonly without?: readonly Id[];
  /** Who is near, offered first. */
  readonly near?: readonly Id[];
  readonly most?: number;
}

const ASK_AFTER_MS = 80;
const OFFERED_MAX = 12;

export function PeoplePicker({ label, chosen, onChange, without = [], near = [], most = 100 }: PeoplePickerProps) {
  const [typed, setTyped] = useState("");
  const field = useRef<HTMLInputElement>(null);
  const taken = new Set([...without, ...chosen.map((user) => user.id)]);
  const found = useFoundPeople(typed, near)
    .filter((user) => !taken.has(user.id) && !user.isDeactivated)
    .slice(0, OFFERED_MAX);
  const add = (index: number) => {
    const user = found[index];
    if (!user || chosen.length >= most) return;
    onChange([...chosen, user]);
    setTyped("");
    field.current?.focus();
  };
  const list = useListbox({ label: "People", count: found.length, onChoose: add, resetOn: typed });
  const onKeyDown = (event: KeyboardEvent) => {
    if (list.onKey(event)) return;
    if (event.key === "Backspace" && typed === "") onChange(chosen.slice(0, -1));
  };
  return (
    <div class={css.picker}>
      <div class={css.field}>
        {chosen.map((user) => (
          <span key={user.id} class={css.tag}>
            <Avatar user={user} size={20} />
            {user.label}
            <button
              type="button"
              aria-label={`Remove ${user.label}`}
              class={css.drop}
              onClick={() => onChange(chosen.filter((one) => one !== user))}
            >
              <X size={13} aria-hidden="true" />
            </button>
          </span>
        ))}
        <input
          ref={field}
          data-autofocus
          type="text"
          aria-label={label}
          placeholder={chosen.length === 0 ? "Type a name" : ""}
          value={typed}
          class={css.input}
          autocomplete="off"
          spellcheck={false}
          {...list.fieldProps}
          onInput={(event) => setTyped(event.currentTarget.value)}
          onKeyDown={onKeyDown}
        />
      </div>
      <div {...list.listProps} class={css.list}>
        {found.map((user, index) => (
          <div key={user.id} {...list.optionProps(index)} class={css.option}>
            <Avatar user={user} size={28} />
            <span class={css.name}>{user.label}</span>
            <span class={css.hint}>{user.title || `@${user.name}`}</span>
          </div>
        ))}
        {found.length === 0 && typed !== "" && (
          <p class={css.nothing} role="presentation">
            Nobody is called “{typed}”.
          </p>
        )}
      </div>
    </div>
  );
}

function useFoundPeople(typed: string, near: readonly Id[]): readonly User[] {
  const client = useClient();
  const [found, setFound] = useState<readonly User[]>([]);
  const nearKey = near.join();
  useEffect(() => {
    let isWanted = true;
    const ask = () =>
      client.searchPeople(typed.replace(/^@/, "").trim(), nearKey ? nearKey.split(",") : []).then(
        (people) => isWanted && setFound(people),
        () => undefined, // nobody is offered: the next letter asks again
      );
    const timer = window.setTimeout(ask, typed ? ASK_AFTER_MS : 0);
    return () => {
      isWanted = false;
      window.clearTimeout(timer);
    };
  }, [client, typed, nearKey]);
  return found;
}
