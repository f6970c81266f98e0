/** The parts of the client, put together and drawn. */
import { render } from "preact";
import { createNavigation } from "./app/navigation";
import { preload, Root, type RootProps } from "./app/Root";
import { applyStoredTheme } from "./app/theme";
import type { Begun } from "./begun";

type Parts = Pick<RootProps, "signIn" | "makeClient">;

async function parts(begun: Begun | null): Promise<Parts> {
  // A build knows nothing of it.
  if (import.meta.env.DEV) {
    const { fixtureParts } = await import("./fixtures/parts");
    const fixture = fixtureParts(location.search);
    if (fixture) return fixture;
  }
  const { createClient, createSignIn } = await import("./core/client");
  return {
    signIn: createSignIn({ begun }),
    makeClient: (session, first) => createClient(session, first ? { first, begun } : { begun }),
  };
}

export async function start(begun: Begun | null): Promise<void> {
  applyStoredTheme(document.documentElement);
  preload().catch(() => undefined); // what does not come now is asked for again when it is shown
  const { signIn, makeClient } = await parts(begun);
  const root = document.getElementById("root");
  if (root) render(<Root signIn={signIn} makeClient={makeClient} navigation={createNavigation(window)} />, root);
}
