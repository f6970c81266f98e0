/** Going about: the address bar is the truth, the route a signal that follows it. Links of ours do not load a page. */
import { signal } from "@preact/signals";
import { href, parse } from "../core/route";
import type { Navigation } from "../ui/context";

export interface LiveNavigation extends Navigation {
  dispose(): void;
}

export function createNavigation(view: Window): LiveNavigation {
  const here = () => parse(view.location.pathname, view.location.search);
  const route = signal(here());
  let isByKey = false;
  const follow = () => {
    route.value = here();
  };
  const navigate: Navigation["navigate"] = (next, { replace = false } = {}) => {
    isByKey = false;
    const address = href(next);
    if (address === view.location.pathname + view.location.search) return follow();
    if (replace) view.history.replaceState(null, "", address);
    else view.history.pushState(null, "", address);
    route.value = next;
  };
  const clicked = (event: MouseEvent) => {
    const link = ownLink(event, view);
    if (!link) return;
    event.preventDefault();
    navigate(parse(link.pathname, link.search));
    // A click that a key made counts no presses.
    isByKey = event.detail === 0;
  };
  view.addEventListener("popstate", follow);
  view.document.addEventListener("click", clicked);
  return {
    route,
    navigate,
    back: () => view.history.back(),
    isByKey: () => isByKey,
    dispose() {
      view.removeEventListener("popstate", follow);
      view.document.removeEventListener("click", clicked);
    },
  };
}

/** The address of a plain click on a link into this client; clicks that ask for a new tab are the browser's. */
function ownLink(event: MouseEvent, view: Window): URL | null {
  if (event.defaultPrevented || event.button !== 0) return null;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return null;
  const link = (event.target as Element | null)?.closest?.("a[href]");
  if (!(link instanceof HTMLAnchorElement) || link.hasAttribute("download")) return null;
  const url = new URL(link.href, view.location.href);
  const isOurs = url.origin === view.location.origin && /^\/(client(\/|$)|$)/.test(url.pathname);
  return isOurs ? url : null;
}
