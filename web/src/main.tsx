/** Start: who is signed in and the code of the workspace are fetched side by side; then draw. */
import "@fontsource-variable/inter";
import "@fontsource-variable/inter/wght-italic.css";
import "./ui/tokens.css";
import "./ui/base.css";
import { render } from "preact";
import { createNavigation } from "./app/navigation";
import { preload, Root, type RootProps } from "./app/Root";
import { applyStoredTheme } from "./app/theme";

type Parts = Pick<RootProps, "signIn" | "makeClient">;

async function parts(): Promise<Parts> {
  // While developing, ?fixture draws a workspace in memory. A build knows nothing of it.
  if (import.meta.env.DEV) {
    const { fixtureParts } = await import("./fixtures/parts");
    const fixture = fixtureParts(location.search);
    if (fixture) return fixture;
  }
  const { createClient, createSignIn } = await import("./core/client");
  return { signIn: createSignIn(), makeClient: (session, first) => createClient(session, first ? { first } : {}) };
}

async function start(root: HTMLElement): Promise<void> {
  preload().catch(() => undefined); // what does not come now is asked for again when it is shown
  const { signIn, makeClient } = await parts();
  render(<Root signIn={signIn} makeClient={makeClient} navigation={createNavigation(window)} />, root);
}

const root = document.getElementById("root");
applyStoredTheme(document.documentElement);
if (root) void start(root);
