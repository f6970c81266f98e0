/** The client that talks with a real server: `contract.ts`, kept. */
import type { Client, Id, SessionInfo, SignIn } from "./contract";
import { Refusal } from "./contract";

export interface ClientOptions {
  /** Where the server is, "" for where the page came from. */
  readonly base?: string;
  /** Sent with every request: a token, where there is no cookie. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The conversation that is shown first: its newest messages come with the boot. */
  readonly first?: Id;
}

/** Begin. `session` is of somebody who is signed in; everything else comes by signals. */
export function createClient(session: SessionInfo, options: ClientOptions = {}): Client {
  throw new Refusal("not_yet", `Not yet: ${session.team?.name} ${options.base}`);
}

export function createSignIn(options: ClientOptions = {}): SignIn {
  throw new Refusal("not_yet", `Not yet: ${options.base}`);
}
