/** Words for screen readers only: said when they change, politely, drawn nowhere. */
import type { ReadonlySignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import css from "./Hidden.module.css";

export const LiveRegion = ({ text }: { readonly text: ReadonlySignal<string> }) => (
  <div role="status" aria-live="polite" aria-atomic="true" class={css.hidden}>
    {text.value}
  </div>
);

/** Said, not drawn. */
export const Hidden = ({ children }: { readonly children: ComponentChildren }) => (
  <span class={css.hidden}>{children}</span>
);
