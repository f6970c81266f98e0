/** Sending what stands in a composer: at once, or later; with its files; and asking first where many would be told. */
import { useComputed } from "@preact/signals";
import { type Id, Refusal, type Ts } from "../../core/contract";
import { useClient, usePreferences, useScreen } from "../../ui/context";
import { whenWords } from "./schedule";
import type { Staging } from "./staging";
import type { ComposerText } from "./text";

/** As long as a message may be; more is a file. */
export const LENGTH_MAX = 12_000;
/** From so many people on, telling all of them is asked about. */
const MANY = 20;

interface Sending {
  readonly conversationId: Id;
  readonly threadTs: Ts | null;
  readonly text: ComposerText;
  readonly staging: Staging;
  readonly alsoToConversation: boolean;
}

export function useSending({ conversationId, threadTs, text, staging, alsoToConversation }: Sending) {
  const client = useClient();
  const screen = useScreen();
  const { clock } = usePreferences();
  const canSend = useComputed(
    () => (text.typed.value.trim() !== "" || staging.files.value.length > 0) && text.typed.value.length <= LENGTH_MAX,
  );

  const isMeant = async (said: string): Promise<boolean> => {
    const range = /<!(channel|everyone|here)>/.exec(said)?.[1];
    const count = client.conversation(conversationId).peek()?.memberCount ?? 0;
    if (!range || count < MANY) return true;
    const whom = range === "here" ? `whoever of ${count} people is active` : `${count} people`;
    return screen.confirm({
      title: `Notify ${whom}?`,
      text: `@${range} sends a notification to them, whatever they are doing.`,
      action: "Send",
    });
  };

  const send = async () => {
    if (!canSend.peek()) {
      if (text.typed.peek().length > LENGTH_MAX)
        screen.toast("This is too long for a message. Shorten it, or send a file.", { kind: "problem" });
      return;
    }
    const said = text.slack();
    if (!(await isMeant(said))) return text.element.current?.focus();
    const thread = threadTs ? { threadTs } : {};
    const { typed, names } = { typed: text.typed.peek(), names: text.names.peek() };
    const files = staging.take();
    text.clear();
    // What nobody has seen is not lost: it stands where it stood, unless something new does.
    const putBack = (error: unknown) => {
      if (text.typed.peek() === "") {
        text.typed.value = typed;
        text.names.value = names;
      }
      // Who has given up the files wants none of them back; the words were not given up.
      if (error instanceof Refusal && error.code === "cancelled") return;
      screen.fail(error);
      staging.add(files);
    };
    if (files.length === 0) client.send(conversationId, said, { ...thread, alsoToConversation });
    else client.upload(conversationId, files, { ...thread, comment: said }).catch(putBack);
  };

  const schedule = async (atS: number) => {
    const said = text.slack();
    if (!said) return;
    try {
      await client.schedule(conversationId, said, atS, threadTs ?? undefined);
      text.clear();
      screen.toast(`Will be sent ${whenWords(atS * 1000, Date.now(), clock)}`, { kind: "success" });
    } catch (error) {
      screen.fail(error);
    }
  };

  return { canSend, send, schedule };
}
