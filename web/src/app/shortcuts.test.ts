import { describe, expect, it } from "vitest";
import { commandOf, type Keys } from "./shortcuts";

const keys = (said: string): Keys => {
  const parts = said.split("+");
  const key = parts.pop() ?? "";
  return {
    key,
    code: key === "7" ? "Slash" : "",
    ctrlKey: parts.includes("Ctrl"),
    metaKey: parts.includes("Meta"),
    altKey: parts.includes("Alt"),
    shiftKey: parts.includes("Shift"),
  };
};

describe("keys that work everywhere", () => {
  it.each([
    ["Ctrl+k", "switcher"],
    ["Ctrl+K", "switcher"],
    ["Ctrl+/", "shortcuts"],
    ["Ctrl+Shift+/", "shortcuts"],
    ["Ctrl+Shift+7", "shortcuts"],
    ["Ctrl+f", "search"],
    ["/", "search"],
    ["Ctrl+,", "preferences"],
    ["Alt+ArrowDown", "next"],
    ["Alt+Shift+ArrowUp", "previous_unread"],
    ["F6", "region"],
    ["Shift+F6", "region_back"],
    ["Escape", "escape"],
    ["Shift+Escape", "all_read"],
    ["Meta+k", null],
    ["Ctrl+Alt+k", null],
    ["Ctrl+Shift+k", null],
    ["k", null],
    ["Ctrl+ArrowDown", null],
  ])("%s is %s", (said, command) => {
    expect(commandOf(keys(said), false, false)).toBe(command);
  });

  it("go by Command on a Mac", () => {
    expect(commandOf(keys("Meta+k"), false, true)).toBe("switcher");
    expect(commandOf(keys("Ctrl+k"), false, true)).toBeNull();
  });

  it("leave letters to who types", () => {
    expect(commandOf(keys("/"), true, false)).toBeNull();
    expect(commandOf(keys("Ctrl+k"), true, false)).toBe("switcher");
  });
});
