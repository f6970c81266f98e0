/**
 * What every view may take from its surroundings: the client, the route, and the screen's own services (going somewhere,
 * dialogs, toasts, words for screen readers). They come by context, so that a test can give others.
 */
import type { ReadonlySignal } from "@preact/signals";
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Client, Id, Preferences, Ts } from "../core/contract";
import type { Route } from "../core/route";

export interface Navigation {
  readonly route: ReadonlySignal<Route>;
  /** Go there. `replace`: the way back does not lead through here. */
  navigate(route: Route, options?: { replace?: boolean }): void;
  back(): void;
  /** Whether a key on a link led here: then what it led to takes the focus. */
  isByKey(): boolean;
}

/** A dialog that any view may ask for. Those with a promise in them are asked for by a function of their own below. */
export type DialogRequest =
  | { readonly kind: "profile"; readonly userId: Id }
  | { readonly kind: "edit_profile" }
  | { readonly kind: "status" }
  | { readonly kind: "preferences"; readonly tab?: "look" | "notifications" | "writing" }
  | { readonly kind: "password" }
  | { readonly kind: "shortcuts" }
  | { readonly kind: "switcher" }
  | { readonly kind: "create_channel"; readonly name?: string }
  | { readonly kind: "new_message" }
  | { readonly kind: "add_members"; readonly conversationId: Id }
  | { readonly kind: "invite" };

export interface Question {
  readonly title: string;
  readonly text: string;
  /** What the button that goes on says: a verb. */
  readonly action: string;
  /** What the other button says; "Cancel" if nothing else. */
  readonly denial?: string;
  readonly isDangerous?: boolean;
}

export interface ToastOptions {
  readonly kind?: "plain" | "success" | "problem";
  readonly action?: { readonly label: string; readonly run: () => void };
}

export interface Screen {
  open(dialog: DialogRequest): void;
  close(): void;
  /** Ask before something that cannot be taken back; resolves to whether to go on. */
  confirm(question: Question): Promise<boolean>;
  toast(text: string, options?: ToastOptions): void;
  /** Show what went wrong: the words of a `Refusal`, or plain ones for anything else. */
  fail(error: unknown): void;
  /** Say something to who listens with a screen reader, politely. */
  announce(text: string): void;
  /** Sign out and go to the first page. */
  signOut(): Promise<void>;
}

export const ClientContext = createContext<Client | null>(null);
export const NavigationContext = createContext<Navigation | null>(null);
export const ScreenContext = createContext<Screen | null>(null);

function given<T>(value: T | null, name: string): T {
  if (value === null) throw new Error(`${name} is used outside of its context`);
  return value;
}

export const useClient = (): Client => given(useContext(ClientContext), "The client");
export const useNavigation = (): Navigation => given(useContext(NavigationContext), "Navigation");
export const useScreen = (): Screen => given(useContext(ScreenContext), "The screen");
/** The route now; who reads it is drawn again when it changes. */
export const useRoute = (): Route => useNavigation().route.value;
export const useNavigate = (): Navigation["navigate"] => useNavigation().navigate;
export const usePreferences = (): Preferences => useClient().preferences.value;

/** The route of a conversation, at a message of it if one is named. */
export const toConversation = (conversationId: Id, at: Ts | null = null): Route => ({
  page: "conversation",
  conversationId,
  at,
  pane: null,
});

/** The route of a thread beside its conversation. */
export const toThread = (conversationId: Id, ts: Ts, at: Ts | null = null): Route => ({
  page: "conversation",
  conversationId,
  at,
  pane: { kind: "thread", ts },
});
