import { describe, expect, it } from "vitest";
import { createFixtureClient } from "../fixtures/client";
import { callAttention, iconOf, titleOf } from "./attention";
import { createNavigation } from "./navigation";

describe("the title of the tab", () => {
  it.each([
    ["#design", 0, false, "#design · Northwind"],
    ["#design", 0, true, "• #design · Northwind"],
    ["#design", 3, true, "(3) #design · Northwind"],
    ["", 120, true, "(99+) Northwind"],
  ])("of %j with %i mentions is right", (place, mentions, isUnread, title) => {
    expect(titleOf(place, "Northwind", mentions, isUnread)).toBe(title);
  });

  it("follows what is written, with the picture", () => {
    document.head.innerHTML = '<link rel="icon" href="/favicon.svg">';
    const client = createFixtureClient();
    const navigation = createNavigation(window);
    navigation.navigate({ page: "conversation", conversationId: "C0GENERAL", at: null, pane: null });
    const stop = callAttention(document, client, navigation);
    const before = Number(/\((\d+)\)/.exec(document.title)?.[1]);
    client.hand.say("D0JONAS", "U0JONAS", "there?");
    expect(document.title).toBe(`(${before + 1}) #general · Northwind`);
    expect(document.querySelector("link")?.getAttribute("href")).toBe("/favicon-mention.svg");
    stop();
    client.hand.say("D0JONAS", "U0JONAS", "hello?");
    expect(document.title).toBe("Parley");
    navigation.dispose();
  });

  it("has a quiet dot for what is merely unread", () => {
    expect(iconOf(0, true)).toBe("/favicon-unread.svg");
    expect(iconOf(0, false)).toBe("/favicon.svg");
  });
});
