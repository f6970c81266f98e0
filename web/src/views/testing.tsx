/** What tests of views stand on: the workspace in memory, and a screen that writes down what it was asked. */
import { signal } from "@preact/signals";
import { render } from "@testing-library/preact";
import type { ComponentChildren } from "preact";
import { vi } from "vitest";
import type { Client } from "../core/contract";
import type { Route } from "../core/route";
import { ClientContext, NavigationContext, ScreenContext } from "../ui/context";

export function stage(client: Client, children: ComponentChildren) {
  const screen = {
    open: vi.fn(),
    close: vi.fn(),
    confirm: vi.fn(async () => true),
    toast: vi.fn(),
    fail: vi.fn(),
    announce: vi.fn(),
    signOut: vi.fn(async () => undefined),
  };
  const navigation = { route: signal<Route>({ page: "home" }), navigate: vi.fn(), back: vi.fn(), isByKey: () => false };
  const drawn = render(
    <ClientContext.Provider value={client}>
      <ScreenContext.Provider value={screen}>
        <NavigationContext.Provider value={navigation}>{children}</NavigationContext.Provider>
      </ScreenContext.Provider>
    </ClientContext.Provider>,
  );
  return { ...drawn, screen, navigation };
}
