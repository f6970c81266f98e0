/** Text on the page: what it looks like, and that nothing of it is ever run. */

import { signal } from "@preact/signals";
import { render } from "@testing-library/preact";
import type { ComponentChildren } from "preact";
import { describe, expect, it, vi } from "vitest";
import { createFixtureClient } from "../fixtures/client";
import { ClientContext, NavigationContext, ScreenContext } from "../ui/context";
import { Attachments } from "./Attachments";
import { BlockKit } from "./BlockKit";
import { readBlocks } from "./blocks";
import { RichText } from "./RichText";

const screen = {
  open: vi.fn(),
  close() {},
  confirm: async () => true,
  toast() {},
  fail() {},
  announce() {},
  signOut: async () => {},
};
const navigation = { route: signal({ page: "home" } as const), navigate: vi.fn(), back() {}, isByKey: () => false };

const inside = (children: ComponentChildren) => (
  <ClientContext.Provider value={createFixtureClient()}>
    <ScreenContext.Provider value={screen}>
      <NavigationContext.Provider value={navigation}>{children}</NavigationContext.Provider>
    </ScreenContext.Provider>
  </ClientContext.Provider>
);
const drawn = (text: string) => render(inside(<RichText text={text} />)).container;

describe("a text on the page", () => {
  it("names people and channels, and leads to them", () => {
    const page = drawn("<@U0JONAS> in <#C0DESIGN|design>");
    expect(page.textContent).toBe("@Jonas Lindqvist in #design");
    const [person, channel] = page.querySelectorAll("button");
    person?.click();
    channel?.click();
    expect(screen.open).toHaveBeenCalledWith({ kind: "profile", userId: "U0JONAS" });
    expect(navigation.navigate).toHaveBeenCalledWith(expect.objectContaining({ conversationId: "C0DESIGN" }));
  });

  it("draws emphasis, lists, quotes and code", () => {
    const page = drawn("*a* _b_ ~c~ `d`\n> e\n1. f\n```g```");
    for (const tag of ["strong", "em", "s", "code", "blockquote", "ol > li", "pre"]) {
      expect(page.querySelector(tag), tag).not.toBeNull();
    }
  });

  it("draws emoji it knows, pictures of the workspace, and the words of those it does not", () => {
    const page = drawn("x :tada: :wave::skin-tone-4: :parley: :no_such_thing:");
    expect(page.textContent).toContain("🎉");
    expect(page.textContent).toContain("👋🏽");
    expect(page.querySelector("img")?.getAttribute("alt")).toBe(":parley:");
    expect(page.textContent).toContain(":no_such_thing:");
  });

  it("marks what a search found", () => {
    expect(drawn("a \uE000b\uE001").querySelector("mark")?.textContent).toBe("b");
  });

  it("lets links lead out of the program, and keeps them from knowing where from", () => {
    const link = drawn("<https://a.b|there>").querySelector("a");
    expect(link?.getAttribute("rel")).toBe("noopener noreferrer");
    expect(link?.getAttribute("target")).toBe("_blank");
  });

  it("shows the title of what a link leads to as it was written", () => {
    const preview = {
      original_url: "https://a.b",
      title: "a &lt;b&gt; &amp;amp;",
      title_link: "https://a.b",
      text: "t",
    };
    const { container } = render(inside(<Attachments attachments={[preview]} />));
    expect(container.querySelector("a")?.textContent).toBe("a <b> &amp;");
  });

  const HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "&lt;img src=x onerror=alert(1)&gt;",
    "<javascript:alert(1)|x>",
    "<data:text/html,<script>alert(1)</script>|x>",
    "<https://a.b|<img src=x onerror=alert(1)>>",
    '<https://a.b" onclick="alert(1)|x>',
    "<@U0JONAS|<img src=x onerror=alert(1)>>",
    '<#C0NOWHERE|"><script>alert(1)</script>>',
    "<!date^1^{date}^javascript:alert(1)|x>",
    "`<img src=x onerror=alert(1)>` ```<svg onload=alert(1)>```",
    ':"><img src=x onerror=alert(1)>:',
  ];

  it.each(HOSTILE)("runs nothing of %s", (text) => {
    const hostile = { type: "mrkdwn", text };
    const blocks = readBlocks([
      { type: "section", text: hostile, accessory: { type: "button", text: hostile, url: text } },
      { type: "image", image_url: text, alt_text: text },
    ]);
    const attachment = {
      color: text,
      title: text,
      title_link: text,
      text,
      image_url: text,
      author_link: text,
      author_name: text,
    };
    const { container } = render(
      inside(
        <>
          <RichText text={text} />
          <BlockKit blocks={blocks} />
          <Attachments attachments={[attachment]} />
        </>,
      ),
    );
    for (const element of container.querySelectorAll("*")) {
      expect(element.tagName).not.toMatch(/^(?:script|svg|iframe|object|embed|form|style)$/i);
      for (const { name, value } of element.attributes) {
        expect(name).not.toMatch(/^on/i);
        if (name === "href" || name === "src") expect(value).toMatch(/^(?:https?:|mailto:|\/)/);
        if (name === "src") expect(value).not.toBe("x");
      }
    }
  });
});
