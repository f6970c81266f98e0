/** The look one prefers, on <html>; and in this browser's store, so that the next start has it before the server spoke. */
import type { Preferences, Theme } from "../core/contract";
import { isString, readStored, writeStored } from "../ui/stored";

export function applyLook(root: HTMLElement, { theme, density }: Pick<Preferences, "theme" | "density">): void {
  applyTheme(root, theme);
  root.dataset.density = density;
  if (readStored("theme", "system", isString) !== theme) writeStored("theme", theme);
}

export function applyStoredTheme(root: HTMLElement): void {
  const stored = readStored("theme", "system", isString);
  applyTheme(root, stored === "light" || stored === "dark" ? stored : "system");
}

function applyTheme(root: HTMLElement, theme: Theme): void {
  if (theme === "system") delete root.dataset.theme;
  else root.dataset.theme = theme;
}
