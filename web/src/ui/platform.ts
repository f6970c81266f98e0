/** What this browser runs on, as far as keys and widths go. */
import { useEffect, useState } from "preact/hooks";

export const isMac = (): boolean => /Mac|iPhone|iPad/.test(navigator.platform);

/** "Mod+K" as it is written on this keyboard. */
export const keysHere = (keys: string): string => keys.replaceAll("Mod", isMac() ? "⌘" : "Ctrl");

export const NARROW = "(max-width: 719px)";

export function useMedia(query: string): boolean {
  const [holds, setHolds] = useState(() => window.matchMedia(query).matches);
  useEffect(() => {
    const media = window.matchMedia(query);
    const follow = () => setHolds(media.matches);
    follow();
    media.addEventListener("change", follow);
    return () => media.removeEventListener("change", follow);
  }, [query]);
  return holds;
}
