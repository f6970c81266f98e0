/** Going anywhere by a few letters: what is known here is ranked at once, what the server knows comes in behind. */
import { Search } from "lucide-preact";
import { useEffect, useState } from "preact/hooks";
import type { Conversation, User } from "../../core/contract";
import { Picture } from "../../ui/Avatar";
import { toConversation, useClient, useNavigate, useRoute, useScreen } from "../../ui/context";
import { Dialog } from "../../ui/Dialog";
import { isStrings, readStored } from "../../ui/stored";
import { useListbox } from "../../ui/useListbox";
import { ConversationIcon } from "../sidebar/ConversationIcon";
import { Badge } from "../sidebar/ConversationRow";
import { demands } from "../sidebar/sections";
import { type Choice, choices } from "./rank";
import css from "./Switcher.module.css";

const ASK_AFTER_MS = 80;

export function Switcher({ onClose }: { readonly onClose: () => void }) {
  const client = useClient();
  const screen = useScreen();
  const route = useRoute();
  const navigate = useNavigate();
  const [typed, setTyped] = useState("");
  const found = useFound(typed);
  const [recent] = useState(() => readStored("recent", [], isStrings));
  const offers = choices(typed, {
    ...found,
    recent,
    conversations: [...client.conversations.value.values()],
    current: route.page === "conversation" ? route.conversationId : null,
    selfId: client.selfId,
  });
  const choose = async (index: number) => {
    const choice = offers[index];
    if (!choice) return;
    onClose();
    try {
      navigate(toConversation(choice.kind === "user" ? await client.openDirect([choice.id]) : choice.id));
    } catch (error) {
      screen.fail(error);
    }
  };
  const list = useListbox({ label: "Places", count: offers.length, onChoose: (at) => void choose(at), resetOn: typed });
  return (
    <Dialog title="Jump to a conversation" onClose={onClose} isBare size="m">
      <div class={css.head}>
        <Search size={18} aria-hidden="true" />
        <input
          data-autofocus
          type="text"
          aria-label="Name of a conversation or a person"
          placeholder="Where to?"
          value={typed}
          class={css.input}
          spellcheck={false}
          autocomplete="off"
          {...list.fieldProps}
          onInput={(event) => setTyped(event.currentTarget.value)}
          onKeyDown={list.onKey}
        />
        <kbd class={css.key}>Esc</kbd>
      </div>
      <div {...list.listProps} class={css.list}>
        {typed === "" && offers.length > 0 && (
          <div role="presentation" class={css.caption}>
            Recent
          </div>
        )}
        {offers.map((choice, index) => (
          <div key={choice.id} {...list.optionProps(index)} class={css.option}>
            <ChoiceView choice={choice} />
          </div>
        ))}
      </div>
      {offers.length === 0 && (
        <p role="status" class={css.nothing}>
          {typed ? `Nothing is called “${typed}”.` : "Type a name."}
        </p>
      )}
      <p class={css.help}>
        <span>
          <kbd>↑</kbd> <kbd>↓</kbd> move
        </span>
        <span>
          <kbd>Enter</kbd> go
        </span>
        <span>
          <kbd>#</kbd> channels only
        </span>
        <span>
          <kbd>@</kbd> people only
        </span>
      </p>
    </Dialog>
  );
}

function ChoiceView({ choice }: { readonly choice: Choice }) {
  if (choice.kind === "user") {
    const { user } = choice;
    return (
      <>
        <Picture id={user.id} label={user.label} picture={user.picture} size={24} isBot={user.isBot} />
        <span class={css.name}>{user.label}</span>
        <span class={css.hint}>{user.title || `@${user.name}`}</span>
      </>
    );
  }
  const { conversation } = choice;
  return (
    <>
      <ConversationIcon conversation={conversation} size={24} />
      <span class={demands(conversation) ? css.unread : css.name}>{conversation.name}</span>
      <Hint conversation={conversation} />
      {conversation.mentions > 0 && <Badge count={conversation.mentions} />}
    </>
  );
}

function Hint({ conversation }: { readonly conversation: Conversation }) {
  const user = useClient().user(conversation.userId ?? "").value;
  if (conversation.kind === "im") return <span class={css.hint}>{user?.title}</span>;
  return <span class={css.hint}>{conversation.isMember ? conversation.purpose : "Not joined"}</span>;
}

/** What the server finds; the answer to an older question is not kept. */
function useFound(typed: string): { channels: readonly Conversation[]; people: readonly User[] } {
  const client = useClient();
  const [found, setFound] = useState<{ channels: readonly Conversation[]; people: readonly User[] }>({
    channels: [],
    people: [],
  });
  useEffect(() => {
    const prefix = typed.replace(/^[#@]/, "").trim();
    if (prefix === "") return;
    let isWanted = true;
    const timer = window.setTimeout(async () => {
      // Without an answer, what is known here stands: no word of it.
      const [channels, people] = await Promise.all([
        client.searchChannels(prefix).catch(() => []),
        client.searchPeople(prefix, []).catch(() => []),
      ]);
      if (isWanted) setFound({ channels, people });
    }, ASK_AFTER_MS);
    return () => {
      isWanted = false;
      window.clearTimeout(timer);
    };
  }, [client, typed]);
  return found;
}
