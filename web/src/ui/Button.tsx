/** Buttons: with words, or with a picture alone, which then has its words for screen readers and in a tooltip. */
import type { LucideIcon } from "lucide-preact";
import type { ButtonHTMLAttributes, ComponentChildren, Ref } from "preact";
import css from "./Button.module.css";
import { classes } from "./classes";
import { Spinner } from "./Spinner";

type Native = Omit<ButtonHTMLAttributes<HTMLButtonElement>, "icon" | "label" | "size" | "children" | "class">;

interface ButtonProps extends Native {
  readonly kind?: "primary" | "plain" | "quiet" | "danger";
  readonly size?: "s" | "m" | "l";
  readonly icon?: LucideIcon;
  readonly isBusy?: boolean;
  readonly isWide?: boolean;
  readonly class?: string | undefined;
  readonly children: ComponentChildren;
  readonly elementRef?: Ref<HTMLButtonElement>;
}

export function Button(props: ButtonProps) {
  const { kind = "plain", size = "m", icon: Icon, isBusy, isWide, children, elementRef, disabled, ...rest } = props;
  return (
    <button
      type="button"
      {...rest}
      ref={elementRef ?? null}
      disabled={disabled || isBusy}
      aria-busy={isBusy}
      class={classes(css.button, css[kind], css[size], isWide && css.wide, props.class)}
    >
      {isBusy ? <Spinner size={16} /> : Icon && <Icon size={16} aria-hidden="true" />}
      <span class={css.words}>{children}</span>
    </button>
  );
}

interface IconButtonProps extends Native {
  readonly icon: LucideIcon;
  /** What it does, in words. */
  readonly label: string;
  /** The keys that do the same, for the tooltip: "Ctrl+K". */
  readonly keys?: string;
  readonly size?: "s" | "m";
  readonly isPressed?: boolean;
  readonly class?: string | undefined;
  readonly elementRef?: Ref<HTMLButtonElement>;
}

export function IconButton(props: IconButtonProps) {
  const { icon: Icon, label, keys, size = "m", isPressed, elementRef, ...rest } = props;
  return (
    <button
      type="button"
      {...rest}
      ref={elementRef ?? null}
      aria-label={label}
      aria-pressed={isPressed}
      data-tooltip={label}
      data-tooltip-keys={keys}
      class={classes(css.icon, css[`icon_${size}`], isPressed && css.pressed, props.class)}
    >
      <Icon size={size === "s" ? 16 : 18} aria-hidden="true" />
    </button>
  );
}
