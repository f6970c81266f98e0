/** A labelled field for text, with a hint under it, and what is wrong with it said where it is. */
import type { ComponentChildren, InputHTMLAttributes, TextareaHTMLAttributes } from "preact";
import { useId } from "preact/hooks";
import { classes } from "./classes";
import css from "./TextField.module.css";

interface TextFieldProps extends Omit<InputHTMLAttributes<HTMLInputElement>, "label" | "onInput" | "value" | "class"> {
  readonly label: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly hint?: ComponentChildren;
  readonly problem?: string;
  readonly rows?: number;
  /** Drawn in the field, before the text. */
  readonly lead?: ComponentChildren;
  /** The label is said, not drawn. */
  readonly hidesLabel?: boolean;
}

export function TextField(props: TextFieldProps) {
  const { label, value, onInput, hint, problem, rows, lead, hidesLabel, ...rest } = props;
  const id = useId();
  const isBad = Boolean(problem);
  const common = {
    id,
    value,
    "aria-label": hidesLabel ? label : undefined,
    "aria-invalid": isBad || undefined,
    "aria-describedby": problem || hint ? `${id}-note` : undefined,
    onInput: (event: Event) => onInput((event.currentTarget as HTMLInputElement).value),
  };
  return (
    <div class={css.field}>
      {!hidesLabel && (
        <label for={id} class={css.label}>
          {label}
        </label>
      )}
      <span class={classes(css.box, isBad && css.bad)}>
        {lead && <span class={css.lead}>{lead}</span>}
        {rows ? (
          <textarea
            {...(rest as unknown as TextareaHTMLAttributes<HTMLTextAreaElement>)}
            {...common}
            rows={rows}
            class={css.area}
          />
        ) : (
          <input type="text" {...rest} {...common} class={css.input} />
        )}
      </span>
      {(problem || hint) && (
        <p id={`${id}-note`} class={problem ? css.problem : css.hint} role={problem ? "alert" : undefined}>
          {problem || hint}
        </p>
      )}
    </div>
  );
}
