/** What the browser tells of the page and of the network. */

interface Line {
  online(): void;
  offline(): void;
  hurry(): void;
}

/** Tell the connection of the network and of sleep; `hiding`: the page may not come back. Returns what stops it. */
export function watchPage(line: Line, hiding: () => void): () => void {
  if (typeof window === "undefined" || typeof document === "undefined") return () => undefined;
  const seen = () => (document.hidden ? hiding() : line.hurry());
  const focused = () => line.hurry();
  const listened: readonly (readonly [EventTarget, string, () => void])[] = [
    [window, "online", () => line.online()],
    [window, "offline", () => line.offline()],
    [window, "focus", focused],
    [window, "pageshow", focused],
    [window, "pagehide", hiding],
    [document, "visibilitychange", seen],
  ];
  for (const [target, name, listener] of listened) target.addEventListener(name, listener);
  return () => {
    for (const [target, name, listener] of listened) target.removeEventListener(name, listener);
  };
}

/** Somebody looks at the page, as far as it can be known. */
export const isWatched = (): boolean => typeof document !== "undefined" && document.hasFocus() && !document.hidden;

/** The page is on a screen. */
export const isVisible = (): boolean => typeof document !== "undefined" && !document.hidden;

const TAB = "parley.tab";

/** A name for this tab that it keeps when it is reloaded. */
export function tabId(): string {
  const fresh = crypto.randomUUID();
  try {
    const had = sessionStorage.getItem(TAB);
    if (had) return had;
    sessionStorage.setItem(TAB, fresh);
  } catch {
    // Nothing can be kept here: it is another tab after each reload.
  }
  return fresh;
}
