import { cleanup, fireEvent, screen, waitFor, within } from "@testing-library/preact";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { draw } from "../../fixtures/draw";
import { toConversation } from "../../ui/context";
import { Sidebar } from "./Sidebar";

beforeEach(() => localStorage.clear());
afterEach(cleanup);

const row = (name: RegExp) => screen.getByRole("link", { name });

describe("the sidebar", () => {
  it("says where one is, what is unread and how often one is meant", () => {
    draw(<Sidebar />, toConversation("C0GENERAL"));
    expect(row(/^general/).getAttribute("aria-current")).toBe("page");
    expect(row(/^incidents.*unread/)).toBeTruthy();
    expect(row(/^design.*1 mention/)).toBeTruthy();
    expect(row(/^random.*Muted/)).toBeTruthy();
  });

  it("has one stop for Tab, and arrows move within", async () => {
    draw(<Sidebar />, toConversation("C0GENERAL"));
    const rows = () => [...document.querySelectorAll<HTMLElement>("[data-row]")];
    await waitFor(() => expect(rows().filter((one) => one.tabIndex === 0)).toHaveLength(1));
    const here = row(/^general/);
    expect(here.tabIndex).toBe(0);
    here.focus();
    fireEvent.keyDown(here, { key: "ArrowDown" });
    expect(document.activeElement?.textContent).toContain("hiring-frontend");
  });

  it("keeps in sight, of a folded section, what is unread and where one is", async () => {
    draw(<Sidebar />, toConversation("C0GENERAL"));
    const section = screen.getByRole("region", { name: /Channels/ });
    fireEvent.click(within(section).getByRole("button", { name: "Channels" }));
    await waitFor(() => expect(within(section).queryByText("releases")).toBeNull());
    expect(within(section).getByText("engineering")).toBeTruthy();
    expect(within(section).getByText("general")).toBeTruthy();
  });

  it("follows what is written", async () => {
    const { client } = draw(<Sidebar />, toConversation("C0GENERAL"));
    client.hand.say("D0JONAS", "U0JONAS", "there?");
    await waitFor(() => expect(row(/^Jonas Lindqvist.*1 mention/)).toBeTruthy());
  });
});
