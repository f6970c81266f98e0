/** A composer's text outlives the composer: it is there again when one comes back, and after a reload. */
import { effect } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { useClient } from "../../ui/context";
import { type ComposerText, makeText } from "./text";

const SAVE_MS = 400;

/** `place` is a `draftKey`. */
export function useDraft(place: string): ComposerText {
  const client = useClient();
  // biome-ignore lint/correctness/useExhaustiveDependencies: another place is another text
  const text = useMemo(makeText, [place]);
  useEffect(() => {
    let loaded = "";
    let timer: ReturnType<typeof setTimeout> | undefined;
    // Names of people may come later than the draft: it is read again until then, unless somebody writes.
    const stopLoading = effect(() => {
      const kept = client.drafts.peek().get(place)?.text;
      if (!kept || text.typed.peek() !== loaded) return;
      const user = (id: string) => client.user(id).value?.label;
      const channel = (id: string) => client.conversation(id).value?.name;
      text.load(kept, { user, channel });
      loaded = text.typed.peek();
    });
    const save = () => {
      clearTimeout(timer);
      timer = undefined;
      client.setDraft(place, text.slack());
    };
    const stopSaving = effect(() => {
      if (text.typed.value === loaded) return;
      loaded = "\0"; // from now on it is what one writes
      clearTimeout(timer);
      if (text.typed.peek() === "") save();
      else timer = setTimeout(save, SAVE_MS);
    });
    return () => {
      if (timer !== undefined) save();
      stopLoading();
      stopSaving();
    };
  }, [client, place, text]);
  return text;
}
