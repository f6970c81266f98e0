import { cleanup, fireEvent, screen, waitFor } from "@testing-library/preact";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { draw } from "../../fixtures/draw";
import { Switcher } from "./Switcher";

beforeEach(() => localStorage.clear());
afterEach(cleanup);

const field = () => screen.getByRole("combobox");
const active = () => {
  const id = field().getAttribute("aria-activedescendant");
  return id ? document.getElementById(id)?.textContent : undefined;
};

describe("the quick switcher", () => {
  it("goes to what the keys chose, and closes", async () => {
    const onClose = vi.fn();
    const { navigation } = draw(<Switcher onClose={onClose} />);
    fireEvent.input(field(), { target: { value: "re" } });
    await waitFor(() => expect(active()).toContain("re"));
    const first = active();
    fireEvent.keyDown(field(), { key: "ArrowDown" });
    await waitFor(() => expect(active()).not.toBe(first));
    fireEvent.keyDown(field(), { key: "Enter" });
    expect(onClose).toHaveBeenCalledOnce();
    await waitFor(() => expect(navigation.route.value).toMatchObject({ page: "conversation" }));
  });

  it("opens a direct conversation with somebody whom only the server knows", async () => {
    const { navigation, client } = draw(<Switcher onClose={() => undefined} />);
    fireEvent.input(field(), { target: { value: "yuki" } });
    await waitFor(() => expect(active()).toContain("Yuki Tanaka"));
    fireEvent.keyDown(field(), { key: "Enter" });
    await waitFor(() => expect(navigation.route.value.page).toBe("conversation"));
    const route = navigation.route.value;
    const id = route.page === "conversation" ? route.conversationId : "";
    expect(client.conversation(id).value?.userId).toBe("U0YUKI");
  });

  it("says when nothing is called so", async () => {
    draw(<Switcher onClose={() => undefined} />);
    fireEvent.input(field(), { target: { value: "zzzz" } });
    await screen.findByText(/Nothing is called/);
    expect(field().getAttribute("aria-expanded")).toBe("false");
  });
});
