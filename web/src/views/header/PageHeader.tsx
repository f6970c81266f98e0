/** The line at the top of the main part: a title at the left, the search and actions at the right. */
import { ArrowLeft } from "lucide-preact";
import type { ComponentChildren } from "preact";
import { IconButton } from "../../ui/Button";
import { useNavigate } from "../../ui/context";
import { NARROW, useMedia } from "../../ui/platform";
import css from "./PageHeader.module.css";
import { SearchField } from "./SearchField";

interface PageHeaderProps {
  readonly children: ComponentChildren;
  readonly actions?: ComponentChildren;
  /** The page has a field of its own. */
  readonly hidesSearch?: boolean;
}

export function PageHeader({ children, actions, hidesSearch }: PageHeaderProps) {
  const isNarrow = useMedia(NARROW);
  const navigate = useNavigate();
  return (
    <header class={css.header}>
      {isNarrow && <IconButton icon={ArrowLeft} label="Back to the list" onClick={() => navigate({ page: "home" })} />}
      <div class={css.left}>{children}</div>
      {!hidesSearch && <SearchField />}
      {actions && <div class={css.actions}>{actions}</div>}
    </header>
  );
}

/** The heading of a page that is no conversation. */
export const PageTitle = ({ children }: { readonly children: ComponentChildren }) => (
  <h1 class={css.title}>{children}</h1>
);
