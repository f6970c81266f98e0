/** Buttons and menus of apps. Using one tells the app, whose answer comes as an event: the message changes, or another comes. */
import { ChevronDown } from "lucide-preact";
import { createContext } from "preact";
import { useContext, useState } from "preact/hooks";
import type { BlockAction } from "../core/contract";
import { classes } from "../ui/classes";
import { useScreen } from "../ui/context";
import css from "./BlockKit.module.css";
import type { Control } from "./blocks";
import { useTabStop } from "./tabstop";

/** Tells the app of the message around it; null where that cannot be done, as in a list of what was found. */
export const ActContext = createContext<((action: BlockAction) => Promise<void>) | null>(null);

export function ControlView({ control }: { readonly control: Control }) {
  const { label, look, href, place, options } = control;
  const act = useContext(ActContext);
  const { use, isBusy } = useControl(control);
  const tab = useTabStop();
  const name = classes(css.control, look === "primary" && css.primary, look === "danger" && css.danger);
  if (href) {
    // Where it leads one gets to whether the app hears of it or not.
    const tell = () => place && void act?.(place).catch(() => undefined);
    return (
      <a href={href} title={href} target="_blank" rel="noopener noreferrer" class={name} tabIndex={tab} onClick={tell}>
        {label}
      </a>
    );
  }
  const canUse = act !== null && place !== null && (look !== "select" || options !== null);
  if (look === "select" && canUse) return <Menu control={control} use={use} isBusy={isBusy} />;
  return (
    <button
      type="button"
      disabled={!canUse || isBusy}
      aria-busy={isBusy}
      tabIndex={tab}
      class={name}
      title={canUse ? undefined : whyNot(act !== null, place !== null)}
      onClick={() => void use()}
    >
      {label}
      {look === "select" && <ChevronDown size={14} aria-hidden="true" />}
    </button>
  );
}

const whyNot = (isInMessage: boolean, isKnown: boolean): string =>
  isInMessage && isKnown
    ? "This kind of menu is not offered here"
    : isInMessage
      ? "No app hears of this one"
      : "Open the message to use this";

interface MenuProps {
  readonly control: Control;
  readonly use: (selectedOption: unknown) => Promise<void>;
  readonly isBusy: boolean;
}

/** The browser's own menu: it is back at its label once the app was told. */
function Menu({ control: { label, options }, use, isBusy }: MenuProps) {
  const tab = useTabStop();
  return (
    <select
      class={css.control}
      aria-label={label}
      tabIndex={tab}
      disabled={isBusy}
      value=""
      onChange={(event) => {
        const chosen = options?.[Number(event.currentTarget.value)];
        event.currentTarget.value = "";
        if (chosen) void use(chosen.value);
      }}
    >
      <option value="" disabled hidden>
        {label}
      </option>
      {options?.map((option, index) => (
        <option key={index} value={String(index)}>
          {option.label}
        </option>
      ))}
    </select>
  );
}

function useControl({ place, question }: Control) {
  const act = useContext(ActContext);
  const screen = useScreen();
  const [isBusy, setBusy] = useState(false);
  const use = async (selectedOption?: unknown) => {
    if (!act || !place || isBusy) return;
    if (question && !(await screen.confirm(question))) return;
    setBusy(true);
    try {
      await act(selectedOption === undefined ? place : { ...place, selectedOption });
    } catch (error) {
      screen.fail(error);
    }
    setBusy(false);
  };
  return { use, isBusy };
}
