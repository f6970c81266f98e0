/** Choosing the conversation that an app may post into, by some letters of its name. */
import { AtSign, Hash, Lock, Search, Users } from "lucide-preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Place } from "../../core/contract";
import { Button } from "../../ui/Button";
import { TextField } from "../../ui/TextField";
import { useListbox } from "../../ui/useListbox";
import css from "./ChannelChooser.module.css";

/** So many are offered; for others one types more of the name. */
const OFFERED_MAX = 30;
const KINDS = {
  public: { icon: Hash, hint: "Channel" },
  private: { icon: Lock, hint: "Private channel" },
  mpim: { icon: Users, hint: "Group message" },
  im: { icon: AtSign, hint: "Direct message" },
} as const;

interface ChannelChooserProps {
  readonly label: string;
  readonly places: readonly Place[];
  readonly chosen: Place | null;
  readonly onChange: (chosen: Place | null) => void;
  /** What is wrong with the choice. */
  readonly problem?: string;
}

export function ChannelChooser({ label, places, chosen, onChange, problem = "" }: ChannelChooserProps) {
  const box = useRef<HTMLDivElement>(null);
  const wasChosen = useRef(chosen);
  // What was pressed is not there any more: the focus goes to what took its place.
  useLayoutEffect(() => {
    if (wasChosen.current !== chosen) box.current?.querySelector<HTMLElement>("input, button")?.focus();
    wasChosen.current = chosen;
  }, [chosen]);
  return (
    <div ref={box} class={css.chooser}>
      {chosen ? (
        <section aria-label={label}>
          <h2 class={css.label}>{label}</h2>
          <p class={css.chosen}>
            <PlaceView place={chosen} />
            <Button onClick={() => onChange(null)}>Change</Button>
          </p>
        </section>
      ) : (
        <Finder label={label} places={places} onChoose={onChange} problem={problem} />
      )}
    </div>
  );
}

interface FinderProps extends Pick<ChannelChooserProps, "label" | "places" | "problem"> {
  readonly onChoose: (chosen: Place) => void;
}

function Finder({ label, places, onChoose, problem = "" }: FinderProps) {
  const [typed, setTyped] = useState("");
  const found = offered(places, typed);
  const list = useListbox({
    label: "Conversations",
    count: found.length,
    onChoose: (index) => found[index] && onChoose(found[index]),
    resetOn: typed,
    // Nothing looks chosen before one has said anything.
    first: typed ? 0 : -1,
  });
  return (
    <>
      <TextField
        label={label}
        value={typed}
        onInput={setTyped}
        problem={problem}
        placeholder="Find a conversation"
        autocomplete="off"
        spellcheck={false}
        lead={<Search size={16} aria-hidden="true" />}
        {...list.fieldProps}
        onKeyDown={(event) => void list.onKey(event)}
      />
      <div {...list.listProps} class={css.list}>
        {found.map((place, index) => (
          <div key={place.id} {...list.optionProps(index)} class={css.option}>
            <PlaceView place={place} />
          </div>
        ))}
      </div>
      {found.length === 0 && (
        <p role="status" class={css.nothing}>
          {typed ? `None of your conversations is called “${typed}”.` : "You are in no conversation yet."}
        </p>
      )}
    </>
  );
}

function PlaceView({ place }: { readonly place: Place }) {
  const { icon: Icon, hint } = KINDS[place.kind];
  return (
    <>
      <Icon size={16} aria-hidden="true" class={css.icon} />
      <span class={css.name}>{place.name}</span>
      <span class={css.hint}>{hint}</span>
    </>
  );
}

/** Those whose name begins so come first, then those that have it elsewhere. */
function offered(places: readonly Place[], typed: string): readonly Place[] {
  const wanted = typed.trim().replace(/^[#@]/, "").toLowerCase();
  const begins = places.filter((each) => each.name.toLowerCase().startsWith(wanted));
  const has = places.filter((each) => each.name.toLowerCase().indexOf(wanted) > 0);
  return (wanted ? [...begins, ...has] : begins).slice(0, OFFERED_MAX);
}
