import { cleanup, fireEvent, render, screen, waitFor } from "@testing-library/preact";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Menu } from "./Menu";

afterEach(cleanup);

function drawn() {
  const deeds = { edit: vi.fn(), mute: vi.fn(), remove: vi.fn() };
  render(
    <Menu
      label="Deeds"
      items={[
        { label: "Edit", onSelect: deeds.edit },
        { label: "Mute", isDisabled: true, onSelect: deeds.mute },
        "-",
        { label: "Remove", onSelect: deeds.remove },
      ]}
      trigger={(props) => (
        <button type="button" {...props}>
          Open
        </button>
      )}
    />,
  );
  const opener = screen.getByRole("button", { name: "Open" });
  opener.focus();
  fireEvent.click(opener);
  return { ...deeds, opener };
}

const press = (key: string) => fireEvent.keyDown(document.activeElement ?? document.body, { key });
const focused = () => document.activeElement?.textContent;

describe("a menu", () => {
  it("opens with the focus on its first deed, and arrows pass what is disabled", async () => {
    const { opener } = drawn();
    await waitFor(() => expect(focused()).toBe("Edit"));
    expect(opener.getAttribute("aria-expanded")).toBe("true");
    press("ArrowDown");
    expect(focused()).toBe("Remove");
    press("ArrowDown");
    expect(focused()).toBe("Edit");
    press("End");
    expect(focused()).toBe("Remove");
    press("e");
    expect(focused()).toBe("Edit");
  });

  it("closes on Escape, and the focus is back where it was", async () => {
    const { opener, edit } = drawn();
    await waitFor(() => expect(focused()).toBe("Edit"));
    press("Escape");
    await waitFor(() => expect(screen.queryByRole("menu")).toBeNull());
    expect(document.activeElement).toBe(opener);
    expect(edit).not.toHaveBeenCalled();
  });

  it("does what is chosen once, and nothing for what is disabled", async () => {
    const { edit, mute } = drawn();
    fireEvent.click(screen.getByText("Mute"));
    expect(mute).not.toHaveBeenCalled();
    fireEvent.click(screen.getByText("Edit"));
    expect(edit).toHaveBeenCalledOnce();
    await waitFor(() => expect(screen.queryByRole("menu")).toBeNull());
  });

  it("has given the focus back when its deed begins, so that a dialog can give it back too", async () => {
    const { edit, opener } = drawn();
    await waitFor(() => expect(focused()).toBe("Edit"));
    let found: Element | null = null;
    edit.mockImplementation(() => {
      found = document.activeElement;
    });
    fireEvent.click(screen.getByText("Edit"));
    expect(found).toBe(opener);
  });

  it("closes on a press elsewhere", async () => {
    drawn();
    await waitFor(() => expect(focused()).toBe("Edit"));
    fireEvent.pointerDown(document.body);
    await waitFor(() => expect(screen.queryByRole("menu")).toBeNull());
  });
});
