/** What stands where there is nothing: says so, why, and what to do about it. */
import type { LucideIcon } from "lucide-preact";
import type { ComponentChildren } from "preact";
import css from "./Empty.module.css";

interface EmptyProps {
  readonly icon?: LucideIcon;
  readonly title: string;
  readonly children?: ComponentChildren;
  readonly action?: ComponentChildren;
}

export function Empty({ icon: Icon, title, children, action }: EmptyProps) {
  return (
    <div class={css.empty}>
      {Icon && (
        <span class={css.picture}>
          <Icon size={24} strokeWidth={1.75} aria-hidden="true" />
        </span>
      )}
      <p class={css.title}>{title}</p>
      {children && <p class={css.words}>{children}</p>}
      {action}
    </div>
  );
}
