/** Choosing: a switch for yes and no, cards for one of a few, a select for one of many. */
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import css from "./Choice.module.css";

interface SwitchProps {
  readonly label: string;
  readonly hint?: ComponentChildren;
  readonly isOn: boolean;
  readonly onChange: (isOn: boolean) => void;
  readonly isDisabled?: boolean;
}

export function Switch({ label, hint, isOn, onChange, isDisabled }: SwitchProps) {
  const id = useId();
  return (
    <label class={css.switch} for={id}>
      <span class={css.words}>
        <span class={css.label}>{label}</span>
        {hint && (
          <span class={css.hint} id={`${id}-hint`}>
            {hint}
          </span>
        )}
      </span>
      <input
        id={id}
        type="checkbox"
        role="switch"
        checked={isOn}
        aria-checked={isOn}
        aria-describedby={hint ? `${id}-hint` : undefined}
        disabled={isDisabled}
        class={css.knob}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
    </label>
  );
}

export interface Option<Value extends string> {
  readonly value: Value;
  readonly label: string;
  readonly hint?: string;
  readonly picture?: ComponentChildren;
}

interface RadioCardsProps<Value extends string> {
  readonly label: string;
  readonly options: readonly Option<Value>[];
  readonly value: Value;
  readonly onChange: (value: Value) => void;
  /** Beside one another, rather than below. */
  readonly isRow?: boolean;
}

export function RadioCards<Value extends string>({ label, options, value, onChange, isRow }: RadioCardsProps<Value>) {
  const name = useId();
  return (
    <fieldset class={css.group}>
      <legend class={css.legend}>{label}</legend>
      <div class={isRow ? css.row : css.column}>
        {options.map((option) => (
          <label key={option.value} class={css.card}>
            {option.picture}
            <input
              type="radio"
              name={name}
              value={option.value}
              checked={option.value === value}
              class={css.radio}
              onChange={() => onChange(option.value)}
            />
            <span class={css.words}>
              <span class={css.label}>{option.label}</span>
              {option.hint && <span class={css.hint}>{option.hint}</span>}
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

interface SelectProps<Value extends string> {
  readonly label: string;
  readonly options: readonly Option<Value>[];
  readonly value: Value;
  readonly onChange: (value: Value) => void;
}

export function Select<Value extends string>({ label, options, value, onChange }: SelectProps<Value>) {
  const id = useId();
  return (
    <div class={css.field}>
      <label for={id} class={css.legend}>
        {label}
      </label>
      <select
        id={id}
        class={css.select}
        value={value}
        onChange={(event) => onChange(event.currentTarget.value as Value)}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </div>
  );
}
