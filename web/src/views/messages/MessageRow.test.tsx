/** A message on the page, and what keys do while it has the focus. */
import { cleanup, fireEvent, waitFor } from "@testing-library/preact";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Message } from "../../core/contract";
import { createFixtureClient } from "../../fixtures/client";
import { blank } from "../../fixtures/world";
import { stage } from "../testing";
import { ListContext, makeList } from "./list";
import { RowView } from "./RowView";

const ID = "C0DESIGN";
const TS = "1700000000.000100";
const DEADLINE = { timeout: 5000 };

function open(change: Partial<Message> = {}, client = createFixtureClient()) {
  const message = { ...blank(ID, TS, client.selfId, "hello *there*"), ...change };
  const list = makeList(ID, null);
  list.active.value = message.key;
  const drawn = stage(
    client,
    <ListContext.Provider value={list}>
      <RowView
        row={{ kind: "message", key: message.key, message, isContinued: false }}
        top={null}
        isLast={false}
        beginning={null}
      />
    </ListContext.Provider>,
  );
  const row = drawn.getByRole("article");
  row.focus();
  return { ...drawn, client, list, row, message, press: (key: string) => fireEvent.keyDown(row, { key }) };
}

afterEach(cleanup);

describe("a message", () => {
  it("is named by who wrote it, when, and what", () => {
    const { row } = open();
    const label = row.getAttribute("aria-labelledby")?.split(" ") ?? [];
    const words = label.map((id) => document.getElementById(id)?.textContent);
    expect(words[0]).toBe("Mira Okafor");
    expect(words[1]).toMatch(/\d:\d\d/);
    expect(words[2]).toBe("hello there");
  });

  it("shows what became of it", () => {
    expect(open({ editedAt: TS }).row.textContent).toContain("(edited)");
    cleanup();
    expect(open({ subtype: "tombstone", text: "" }).row.textContent).toContain("This message was deleted.");
    cleanup();
    expect(open({ isEphemeral: true, isPinned: true, isSaved: true }).row.textContent).toMatch(
      /Only visible to you.*Pinned.*Saved/,
    );
    cleanup();
    expect(open({ isBot: true, authorName: "Deploys" }).row.textContent).toMatch(/Deploys.*App/);
    cleanup();
    const joined = open({ subtype: "channel_join", text: "<@U0MIRA> has joined the channel" });
    expect(joined.row.textContent).toContain("has joined the channel");
    expect(joined.row.textContent).not.toContain("@Mira");
  });

  it("that did not go can be sent again or discarded", () => {
    const { client, getByText, message } = open({ delivery: "failed", failure: "The line was gone." });
    const again = vi.spyOn(client, "sendAgain");
    const discard = vi.spyOn(client, "discard");
    fireEvent.click(getByText("Send again"));
    fireEvent.click(getByText("Discard"));
    expect(again).toHaveBeenCalledWith(message.key);
    expect(discard).toHaveBeenCalledWith(message.key);
  });

  it("has reactions that are switches, with names", () => {
    const { client, getByRole, message } = open({
      reactions: [{ name: "tada", userIds: ["U0JONAS", "U0MIRA"], count: 3 }],
    });
    const react = vi.spyOn(client, "react");
    const button = getByRole("button", { name: "tada, 3: you, Jonas Lindqvist and 1 other" });
    expect(button.getAttribute("aria-pressed")).toBe("true");
    fireEvent.click(button);
    expect(react).toHaveBeenCalledWith(message, "tada", false);
  });

  it("leads to its thread", () => {
    const { getByText, navigation } = open({ replyCount: 2, replyUserIds: ["U0JONAS"], latestReply: TS });
    fireEvent.click(getByText("2 replies"));
    expect(navigation.navigate).toHaveBeenCalledWith(expect.objectContaining({ pane: { kind: "thread", ts: TS } }));
  });
});

describe("keys on a message", () => {
  it("edit, open the thread, find a reaction, mark as unread", () => {
    const { press, list, message, navigation, client } = open();
    const markRead = vi.spyOn(client, "markRead");
    press("e");
    expect(list.editing.value).toBe(message.key);
    press("t");
    expect(navigation.navigate).toHaveBeenCalledOnce();
    press("u");
    expect(markRead).toHaveBeenCalledWith(ID, "1700000000.000099");
    expect(list.isHeldUnread.value).toBe(true);
  });

  it("ask before one is deleted", async () => {
    const { press, screen, client, message } = open();
    const remove = vi.spyOn(client, "remove");
    screen.confirm.mockResolvedValueOnce(false);
    press("Delete");
    await waitFor(() => expect(screen.confirm).toHaveBeenCalledOnce(), DEADLINE);
    press("Delete");
    await waitFor(() => expect(remove).toHaveBeenCalledWith(message), DEADLINE);
    expect(remove).toHaveBeenCalledOnce();
  });

  it("edit nobody else's, and nothing that the server has not named", () => {
    const others = open({ authorId: "U0JONAS" });
    others.press("e");
    expect(others.list.editing.value).toBeNull();
    cleanup();
    const waiting = open({ delivery: "waiting" });
    for (const key of ["e", "t", "u", "s", "p", "Delete"]) waiting.press(key);
    expect(waiting.list.editing.value).toBeNull();
    expect(waiting.navigation.navigate).not.toHaveBeenCalled();
    expect(waiting.screen.confirm).not.toHaveBeenCalled();
  });

  it("only stop at what is inside the message that has the focus", () => {
    const { row, list, container } = open({ text: "<https://a.b|x>" });
    const link = () => container.querySelector("a")?.tabIndex;
    expect([row.tabIndex, link()]).toEqual([0, 0]);
    list.active.value = "another";
    return waitFor(() => expect([row.tabIndex, link()]).toEqual([-1, -1]), DEADLINE);
  });
});
