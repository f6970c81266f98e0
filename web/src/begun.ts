/**
 * What every first screen asks for, asked while the code that will ask for it is still on its way: who is signed in, and
 * the boot. An answer goes to the first who asks the very same; where nobody does it is of no use, and of no harm.
 */
import { firstConversation } from "./app/first";
import { parse } from "./core/route";

/** As long as a boot may take. */
const LONGEST_MS = 20_000;
const SESSION = "/web/session";
const BOOT = "/api/client.boot";

export interface Begun {
  /** The answer to this, which was asked for already; null: it was not. */
  take(path: string, body: string | null): Promise<Response> | null;
}

/** As `core/conductor.ts` boots who has nothing yet. */
export const firstBoot = (channel: string | undefined): string =>
  JSON.stringify({
    lazy_aware: 1,
    batch_presence_aware: 1,
    ...(channel ? { channel } : {}),
    resume_aware: 1,
    resume: 1,
  });

export function begin(where: Pick<Location, "pathname" | "search">): Begun {
  const route = parse(where.pathname, where.search);
  const asked = new Map<string, { readonly body: string | null; readonly answer: Promise<Response> }>();
  const ask = (path: string, body: string | null) => {
    const post = { method: "POST", headers: { "content-type": "application/json" }, body };
    const answer = fetch(path, {
      ...(body === null ? {} : post),
      credentials: "same-origin",
      cache: "no-store",
      signal: AbortSignal.timeout(LONGEST_MS),
    });
    answer.catch(() => undefined); // told to who takes it
    asked.set(path, { body, answer });
  };
  if (route.page !== "signin" && route.page !== "join" && route.page !== "consent") {
    ask(SESSION, null);
    ask(BOOT, firstBoot(firstConversation(route)));
  }
  return {
    take(path, body) {
      const found = asked.get(path);
      asked.delete(path);
      // Somebody signs in, or is asked for again: the boot was another one's, or nobody's.
      if (found === undefined && path.startsWith("/web/")) asked.clear();
      return found?.body === body ? found.answer : null;
    },
  };
}
