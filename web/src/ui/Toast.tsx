/** Short words about what just happened, at the bottom for some seconds; they stay while the pointer or focus is on them. */
import type { ReadonlySignal } from "@preact/signals";
import { CircleAlert, CircleCheck, X } from "lucide-preact";
import { useEffect, useState } from "preact/hooks";
import { IconButton } from "./Button";
import type { ToastOptions } from "./context";
import css from "./Toast.module.css";

export interface ToastShown {
  readonly id: number;
  readonly text: string;
  readonly options: ToastOptions;
}

/** How many stand at once; the oldest goes. */
export const TOASTS_MAX = 3;
const STAY_MS = 5_000;
const STAY_WITH_ACTION_MS = 9_000;

interface ToastsProps {
  readonly toasts: ReadonlySignal<readonly ToastShown[]>;
  readonly onGone: (id: number) => void;
}

export const Toasts = ({ toasts, onGone }: ToastsProps) => (
  <section aria-label="Notices" class={css.stack}>
    {toasts.value.map((toast) => (
      <Toast key={toast.id} toast={toast} onGone={() => onGone(toast.id)} />
    ))}
  </section>
);

function Toast({ toast, onGone }: { readonly toast: ToastShown; readonly onGone: () => void }) {
  const { kind = "plain", action } = toast.options;
  const [isHeld, setHeld] = useState(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: onGone is a new function at each drawing, and the same in effect
  useEffect(() => {
    if (isHeld) return;
    const timer = window.setTimeout(onGone, action ? STAY_WITH_ACTION_MS : STAY_MS);
    return () => window.clearTimeout(timer);
  }, [isHeld, action]);
  const hold = () => setHeld(true);
  const letGo = () => setHeld(false);
  return (
    <div
      role={kind === "problem" ? "alert" : "status"}
      class={css.toast}
      onPointerEnter={hold}
      onPointerLeave={letGo}
      onFocusIn={hold}
      onFocusOut={letGo}
    >
      {kind === "problem" && <CircleAlert size={18} aria-hidden="true" class={css.problem} />}
      {kind === "success" && <CircleCheck size={18} aria-hidden="true" class={css.success} />}
      <span class={css.text}>{toast.text}</span>
      {action && (
        <button
          type="button"
          class={css.action}
          onClick={() => {
            action.run();
            onGone();
          }}
        >
          {action.label}
        </button>
      )}
      <IconButton size="s" icon={X} label="Dismiss" class={css.close} onClick={onGone} />
    </div>
  );
}
