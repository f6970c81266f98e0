/** The keys that work everywhere, and the list of all keys that the dialog shows. Pure. */
export type Command =
  | "switcher"
  | "shortcuts"
  | "search"
  | "preferences"
  | "next"
  | "previous"
  | "next_unread"
  | "previous_unread"
  | "region"
  | "region_back"
  | "all_read"
  | "activity"
  | "escape";

export interface Keys {
  readonly key: string;
  readonly code: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly shiftKey: boolean;
}

/** What the keys mean, or null. `isTyping`: the focus is where letters are text. */
export function commandOf(keys: Keys, isTyping: boolean, isMac: boolean): Command | null {
  const mod = isMac ? keys.metaKey && !keys.ctrlKey : keys.ctrlKey && !keys.metaKey;
  if (mod && !keys.altKey) return withMod(keys);
  if (keys.ctrlKey || keys.metaKey) return null;
  if (keys.altKey) {
    if (keys.key === "ArrowDown") return keys.shiftKey ? "next_unread" : "next";
    if (keys.key === "ArrowUp") return keys.shiftKey ? "previous_unread" : "previous";
    return null;
  }
  if (keys.key === "F6") return keys.shiftKey ? "region_back" : "region";
  if (keys.key === "Escape") return keys.shiftKey ? "all_read" : "escape";
  if (keys.key === "/" && !isTyping) return "search";
  return null;
}

function withMod({ key, code, shiftKey }: Keys): Command | null {
  const letter = key.toLowerCase();
  if (shiftKey) {
    if (letter === "m") return "activity";
    // On many keyboards the slash is above the seven.
    return key === "/" || code === "Slash" ? "shortcuts" : null;
  }
  if (letter === "k") return "switcher";
  if (letter === "f") return "search";
  if (key === ",") return "preferences";
  return key === "/" ? "shortcuts" : null;
}

export interface ShortcutGroup {
  readonly title: string;
  /** "Mod" is Ctrl, or Command on a Mac. Alternatives are separated by "|". */
  readonly shortcuts: readonly (readonly [keys: string, what: string])[];
}

export const SHORTCUTS: readonly ShortcutGroup[] = [
  {
    title: "Going about",
    shortcuts: [
      ["Mod+K", "Jump to a conversation or a person"],
      ["Alt+↑ | Alt+↓", "Previous and next conversation"],
      ["Alt+Shift+↑ | Alt+Shift+↓", "Previous and next unread one"],
      ["Mod+F | /", "Search"],
      ["Mod+Shift+M", "Activity"],
      ["F6 | Shift+F6", "Next and previous part of the window"],
      ["Mod+,", "Preferences"],
      ["Mod+/", "This list"],
    ],
  },
  {
    title: "Reading",
    shortcuts: [
      ["Esc", "Close what is beside, then mark as read"],
      ["Shift+Esc", "Mark everything as read"],
      ["↑ | ↓", "Move between messages"],
      ["Enter", "What can be done with the message"],
      ["T", "Open the thread"],
      ["R", "React"],
      ["E | Delete", "Edit or delete your message"],
      ["S | P", "Save or pin it"],
      ["U", "Mark as unread from here"],
    ],
  },
  {
    title: "Writing",
    shortcuts: [
      ["Enter", "Send"],
      ["Shift+Enter", "A new line"],
      ["↑", "In an empty field: edit your last message"],
      ["Mod+B | Mod+I", "Bold, italic"],
      ["Mod+Shift+X", "Struck through"],
      ["Mod+Shift+C", "Code"],
      ["@ | # | :", "Mention somebody, name a channel, find an emoji"],
    ],
  },
];
