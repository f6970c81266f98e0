/** The field for searching messages: Enter leads to the page of what is found; before that it helps with modifiers. */
import { History, Search } from "lucide-preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { classes } from "../../ui/classes";
import { useClient, useNavigate, useRoute } from "../../ui/context";
import { keysHere } from "../../ui/platform";
import { isStrings, readStored, writeStored } from "../../ui/stored";
import { useListbox } from "../../ui/useListbox";
import css from "./SearchField.module.css";
import { type Suggestion, suggestions } from "./suggestions";

const RECENT_MAX = 8;

interface SearchFieldProps {
  /** Wide, and with the focus: on the page of searching. */
  readonly isMain?: boolean;
}

export function SearchField({ isMain = false }: SearchFieldProps) {
  const client = useClient();
  const route = useRoute();
  const navigate = useNavigate();
  const field = useRef<HTMLInputElement>(null);
  const asked = route.page === "search" ? route.query : "";
  const [text, setText] = useState(asked);
  const [isOpen, setOpen] = useState(false);
  useEffect(() => setText(asked), [asked]);
  useEffect(() => {
    if (isMain && asked === "") field.current?.focus();
  }, [isMain, asked]);
  const here = route.page === "conversation" ? client.conversation(route.conversationId).value : undefined;
  const offers = isOpen ? suggestions(text, readStored("searches", [], isStrings), here) : [];
  const search = (query: string) => {
    const wanted = query.trim();
    if (!wanted) return;
    const recent = readStored("searches", [], isStrings).filter((one) => one !== wanted);
    writeStored("searches", [wanted, ...recent].slice(0, RECENT_MAX));
    setOpen(false);
    field.current?.blur();
    navigate({ page: "search", query: wanted });
  };
  const choose = (index: number) => {
    const offer = offers[index];
    if (!offer) return;
    if (offer.isWhole) return search(offer.query);
    setText(offer.query);
    field.current?.focus();
  };
  const list = useListbox({ label: "Suggestions", count: offers.length, onChoose: choose, resetOn: text, first: -1 });
  const onKeyDown = (event: KeyboardEvent) => {
    if (list.onKey(event)) return;
    if (event.key === "Enter" && !event.isComposing) search(text);
    if (event.key !== "Escape") return;
    event.preventDefault();
    if (isOpen && offers.length > 0) setOpen(false);
    else field.current?.blur();
  };
  return (
    <search class={classes(css.search, isMain && css.main)}>
      <Search size={15} aria-hidden="true" class={css.glass} />
      <input
        ref={field}
        type="text"
        data-search-field
        aria-label="Search messages"
        data-tooltip={isMain ? undefined : "Search"}
        data-tooltip-keys={keysHere("Mod+F")}
        placeholder={isMain ? "Search messages" : "Search"}
        value={text}
        class={css.input}
        spellcheck={false}
        autocomplete="off"
        {...list.fieldProps}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setOpen(true);
        }}
        onFocus={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onKeyDown={onKeyDown}
      />
      {offers.length > 0 && <Offers offers={offers} list={list} />}
    </search>
  );
}

function Offers({
  offers,
  list,
}: {
  readonly offers: readonly Suggestion[];
  readonly list: ReturnType<typeof useListbox>;
}) {
  return (
    <div {...list.listProps} class={css.offers}>
      {offers.map((offer, index) => (
        <div key={offer.query} {...list.optionProps(index)} class={css.offer}>
          {offer.isWhole ? (
            <>
              {offer.isRecent ? <History size={15} aria-hidden="true" /> : <Search size={15} aria-hidden="true" />}
              <span class={css.query}>{offer.label}</span>
            </>
          ) : (
            <>
              <code class={css.modifier}>{offer.label}</code>
              <span class={css.hint}>{offer.hint}</span>
            </>
          )}
        </div>
      ))}
    </div>
  );
}
