import { cleanup, fireEvent } from "@testing-library/preact";
import { afterEach, describe, expect, it } from "vitest";
import { draw } from "../fixtures/draw";
import { toConversation, toThread, useClient, useNavigation, useScreen } from "../ui/context";
import { useCommands } from "./useCommands";

afterEach(cleanup);

function Window() {
  useCommands(useClient(), useNavigation(), useScreen());
  return (
    <>
      <nav data-region tabIndex={-1} />
      <textarea />
    </>
  );
}

const press = (key: string, held: Partial<KeyboardEventInit> = {}) =>
  fireEvent.keyDown(document.body, { key, ...held });

describe("keys of the window", () => {
  it("go to the next conversation, and to the next unread one", () => {
    const { navigation } = draw(<Window />, toConversation("C0GENERAL"));
    press("ArrowDown", { altKey: true });
    expect(navigation.route.value).toMatchObject({ conversationId: "G0HIRING" });
    press("ArrowDown", { altKey: true, shiftKey: true });
    expect(navigation.route.value).toMatchObject({ conversationId: "D0PRIYA" });
  });

  it("close the pane first, and then mark as read", () => {
    const { navigation, client } = draw(<Window />, toThread("C0DESIGN", "1700000000.000100"));
    press("Escape");
    expect(navigation.route.value).toMatchObject({ conversationId: "C0DESIGN", pane: null });
    expect(client.conversation("C0DESIGN").value?.isUnread).toBe(true);
    press("Escape");
    expect(client.conversation("C0DESIGN").value?.isUnread).toBe(false);
  });

  it("mark everything as read, which can be taken back", () => {
    const { client, screen } = draw(<Window />, toConversation("C0GENERAL"));
    press("Escape", { shiftKey: true });
    const unread = () => [...client.conversations.value.values()].filter((one) => one.isUnread).length;
    expect(unread()).toBe(0);
    screen.toasts.value[0]?.options.action?.run();
    expect(unread()).toBeGreaterThan(3);
  });

  it("open the switcher from wherever one types", () => {
    const { screen, container } = draw(<Window />);
    const field = container.querySelector("textarea");
    if (field) fireEvent.keyDown(field, { key: "k", ctrlKey: true });
    expect(screen.dialog.value).toEqual({ kind: "switcher" });
  });
});
