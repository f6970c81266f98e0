import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createNavigation, type LiveNavigation } from "../../app/navigation";
import { createFixtureClient, type FixtureClient } from "../../fixtures/client";
import { SELF_ID } from "../../fixtures/people";
import { toConversation } from "../../ui/context";
import { watchNotifications, wordsFor } from "./desktop";

class Shown {
  static permission = "granted";
  static all: Shown[] = [];
  onclick: (() => void) | null = null;
  readonly close = vi.fn();
  constructor(
    readonly title: string,
    readonly options: { body: string; tag: string },
  ) {
    Shown.all.push(this);
  }
}

let client: FixtureClient;
let navigation: LiveNavigation;
let stop: () => void;
beforeEach(() => {
  Shown.all = [];
  Shown.permission = "granted";
  vi.stubGlobal("Notification", Shown);
  client = createFixtureClient();
  navigation = createNavigation(window);
  navigation.navigate(toConversation("C0GENERAL"));
  stop = watchNotifications(client, navigation);
});
afterEach(() => {
  stop();
  navigation.dispose();
  vi.unstubAllGlobals();
});

describe("notifications", () => {
  it("tell who wrote where, without marks, and a click leads there", () => {
    const message = client.hand.say("C0DESIGN", "U0PRIYA", `*Look*, <@${SELF_ID}>: <https://x.example|this>`);
    expect(Shown.all).toHaveLength(1);
    expect(Shown.all[0]).toMatchObject({
      title: "Priya Raman in #design",
      options: { body: "Look, @Mira Okafor: this", tag: message.key },
    });
    Shown.all[0]?.onclick?.();
    expect(navigation.route.value).toMatchObject({ conversationId: "C0DESIGN", at: message.ts });
  });

  it("are silent about what one looks at", () => {
    vi.spyOn(document, "hasFocus").mockReturnValue(true);
    client.hand.say("C0GENERAL", "U0PRIYA", "here");
    expect(Shown.all).toHaveLength(0);
    vi.spyOn(document, "hasFocus").mockReturnValue(false);
    client.hand.say("C0GENERAL", "U0PRIYA", "here");
    expect(Shown.all).toHaveLength(1);
  });

  it("are silent when one did not allow them, and after all is over", () => {
    Shown.permission = "default";
    client.hand.say("C0DESIGN", "U0PRIYA", "one");
    Shown.permission = "granted";
    stop();
    client.hand.say("C0DESIGN", "U0PRIYA", "two");
    expect(Shown.all).toHaveLength(0);
  });

  it("cut what is long", () => {
    const message = client.hand.say("D0PRIYA", "U0PRIYA", "a".repeat(1000));
    const { title, body } = wordsFor(message, true, client);
    expect(title).toBe("Priya Raman");
    expect(body).toHaveLength(180);
  });
});
