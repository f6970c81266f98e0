import { afterEach, describe, expect, it } from "vitest";
import { createNavigation } from "./navigation";

const made: { dispose(): void }[] = [];
afterEach(() => {
  for (const one of made.splice(0)) one.dispose();
  document.body.innerHTML = "";
});

function navigation() {
  const one = createNavigation(window);
  made.push(one);
  one.navigate({ page: "saved" });
  return one;
}

function click(link: string, held: MouseEventInit = {}) {
  document.body.innerHTML = link;
  const event = new MouseEvent("click", { bubbles: true, cancelable: true, button: 0, ...held });
  document.querySelector("a")?.dispatchEvent(event);
  return event.defaultPrevented;
}

describe("going about", () => {
  it("follows links of its own without loading a page", () => {
    const { route } = navigation();
    expect(click('<a href="/client/C0DESIGN?at=1700000000.000100">x</a>')).toBe(true);
    expect(route.value).toMatchObject({ page: "conversation", conversationId: "C0DESIGN", at: "1700000000.000100" });
    expect(location.pathname).toBe("/client/C0DESIGN");
  });

  it.each([
    ['<a href="https://elsewhere.example/client/C0DESIGN">x</a>', {}],
    ['<a href="/files-pri/T0-F0/x.png">x</a>', {}],
    ['<a href="/client/C0DESIGN" download>x</a>', {}],
    ['<a href="/client/C0DESIGN">x</a>', { ctrlKey: true }],
    ['<a href="/client/C0DESIGN">x</a>', { button: 1 }],
  ])("leaves to the browser: %s %o", (link, held) => {
    const { route } = navigation();
    click(link, held);
    expect(route.value).toEqual({ page: "saved" });
  });

  it("follows the browser back", async () => {
    const { route, navigate } = navigation();
    navigate({ page: "activity" });
    history.replaceState(null, "", "/client/saved");
    window.dispatchEvent(new PopStateEvent("popstate"));
    expect(route.value).toEqual({ page: "saved" });
  });
});
