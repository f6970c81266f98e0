/**
 * The client that talks with a real server: `contract.ts`, kept. This is where its parts are put together.
 *
 * | folder | what |
 * |---|---|
 * | net | HTTP, the socket and its rules, resume tokens |
 * | model | users, conversations, preferences, presence, typing: what is held and what events make of it |
 * | timeline | windows on messages, the rows they are shown as, where pages come from |
 * | sending | unsent messages, drafts, uploads, and what is kept in the browser |
 *
 * Everything is bounded: objects, timelines and their messages, unsent messages, drafts, journals, signals.
 */
import type { Begun } from "../begun";
import { Conductor } from "./conductor";
import type { Client, Id, SessionInfo, SignIn } from "./contract";
import { Api } from "./net/api";
import { refusal } from "./net/words";
import type { Keeping } from "./sending/kept";
import { makeSignIn } from "./signin";

export interface ClientOptions {
  /** Where the server is, "" for where the page came from. */
  readonly base?: string;
  /** Sent with every request: a token, where there is no cookie. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The conversation that is shown first: its newest messages come with the boot. */
  readonly first?: Id;
  /** Where unsent messages and drafts are kept; the browser's own otherwise. */
  readonly storage?: Keeping | null;
  /** What was asked for before there was a client. */
  readonly begun?: Begun | null;
}

/** Begin. `session` is of somebody who is signed in; everything else comes by signals. Throws a Refusal otherwise. */
export function createClient(session: SessionInfo, options: ClientOptions = {}): Client {
  const { team, user } = session;
  if (!session.isSignedIn || team === null || user === null) throw refusal("not_authed");
  return new Conductor(team, user.id, options).begin();
}

export function createSignIn(options: ClientOptions = {}): SignIn {
  return makeSignIn(new Api(options.base ?? "", options.headers, Math.random, options.begun ?? null));
}
