import { cleanup, fireEvent, render, screen } from "@testing-library/preact";
import { afterEach, expect, it, vi } from "vitest";
import { createFixtureSignIn } from "../fixtures/signIn";
import { createNavigation } from "./navigation";
import { Root } from "./Root";

afterEach(cleanup);

/** Pages are fetched when they are shown: the first time they are compiled, too. */
const LONG = { timeout: 25_000 };

function opened(address: string, isSignedIn: boolean) {
  window.history.replaceState(null, "", address);
  const makeClient = vi.fn(() => {
    throw new Error("the workspace is not looked at");
  });
  const navigation = createNavigation(window);
  render(<Root signIn={createFixtureSignIn({ isSignedIn })} makeClient={makeClient} navigation={navigation} />);
}

it.each([true, false])("shows what an app asks for, to who is signed in: %s", async (isSignedIn) => {
  opened("/oauth/v2/authorize?client_id=1.2&scope=chat%3Awrite", isSignedIn);
  if (!isSignedIn) fireEvent.click((await screen.findAllByRole("button", { name: /@|[A-Z]/ }, LONG))[0] as HTMLElement);
  await screen.findByRole("heading", { name: /asks for access/ }, LONG);
  screen.getByRole("button", { name: "Allow" });
  expect(window.location.pathname).toBe("/oauth/v2/authorize");
}, 60_000);
