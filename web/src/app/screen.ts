/** The services of the screen: which dialog is open, what is asked, which toasts stand, what is said to screen readers. */
import { type ReadonlySignal, signal } from "@preact/signals";
import type { DialogRequest, Question, Screen } from "../ui/context";
import { TOASTS_MAX, type ToastShown } from "../ui/Toast";
import { wordsOf } from "../ui/words";

export interface Asked {
  readonly question: Question;
  answer(goesOn: boolean): void;
}

export interface LiveScreen extends Screen {
  readonly dialog: ReadonlySignal<DialogRequest | null>;
  readonly asked: ReadonlySignal<Asked | null>;
  readonly toasts: ReadonlySignal<readonly ToastShown[]>;
  readonly said: ReadonlySignal<string>;
  dropToast(id: number): void;
}

export function createScreen(signOut: () => Promise<void>): LiveScreen {
  const dialog = signal<DialogRequest | null>(null);
  const asked = signal<Asked | null>(null);
  const toasts = signal<readonly ToastShown[]>([]);
  const said = signal("");
  let count = 0;
  const toast: Screen["toast"] = (text, options = {}) => {
    count += 1;
    const others = toasts.peek().filter((one) => one.text !== text);
    toasts.value = [...others, { id: count, text, options }].slice(-TOASTS_MAX);
  };
  return {
    dialog,
    asked,
    toasts,
    said,
    open: (request) => {
      dialog.value = request;
    },
    close: () => {
      dialog.value = null;
    },
    confirm: (question) =>
      new Promise((resolve) => {
        asked.peek()?.answer(false);
        const answer = (goesOn: boolean) => {
          asked.value = null;
          resolve(goesOn);
        };
        asked.value = { question, answer };
      }),
    toast,
    fail: (error) => toast(wordsOf(error), { kind: "problem" }),
    announce: (text) => {
      // The same words twice are two events: a space that nobody hears makes them differ.
      said.value = said.peek() === text ? `${text}\u00a0` : text;
    },
    dropToast: (id) => {
      toasts.value = toasts.peek().filter((one) => one.id !== id);
    },
    signOut,
  };
}
