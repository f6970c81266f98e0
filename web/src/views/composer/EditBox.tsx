/** A message being edited, in its place. */
import { useEffect, useMemo, useState } from "preact/hooks";
import type { Message } from "../../core/contract";
import { Button } from "../../ui/Button";
import { useClient, useScreen } from "../../ui/context";
import css from "./Composer.module.css";
import { TextBox } from "./TextBox";
import { makeText } from "./text";
import { LENGTH_MAX } from "./useSending";

interface EditBoxProps {
  readonly message: Message;
  readonly onDone: () => void;
}

export function EditBox({ message, onDone }: EditBoxProps) {
  const client = useClient();
  const screen = useScreen();
  const [isBusy, setBusy] = useState(false);
  // What others do to it meanwhile does not take away what one is writing.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the text is read once for each message
  const text = useMemo(() => {
    const made = makeText();
    const user = (id: string) => client.user(id).peek()?.label;
    const channel = (id: string) => client.conversation(id).peek()?.name;
    made.load(message.text, { user, channel });
    return made;
  }, [client, message.key]);
  useEffect(() => text.element.current?.closest("article")?.scrollIntoView({ block: "nearest" }), [text]);
  const save = async () => {
    const said = text.slack();
    if (said === message.text) return onDone();
    if (said === "" && message.files.length === 0) return remove();
    setBusy(true);
    try {
      await client.edit(message, said);
      onDone();
    } catch (error) {
      setBusy(false);
      screen.fail(error);
    }
  };
  const remove = async () => {
    const question = {
      title: "Delete this message?",
      text: "Nothing is left of it.",
      action: "Delete",
      isDangerous: true,
    };
    if (!(await screen.confirm(question))) return;
    onDone();
    client.remove(message).catch(screen.fail);
  };
  const length = text.typed.value.length;
  return (
    <div class={css.edit}>
      <div class={css.box}>
        <TextBox
          text={text}
          conversationId={message.conversationId}
          label="Edit message"
          near={() => []}
          onSubmit={() => length <= LENGTH_MAX && void save()}
          onCancel={onDone}
          hasFocusAtOnce
        />
      </div>
      <div class={css.editFoot}>
        <span class={css.counter}>{length > LENGTH_MAX && `${length - LENGTH_MAX} characters too long`}</span>
        <Button size="s" kind="quiet" onClick={onDone}>
          Cancel
        </Button>
        <Button size="s" kind="primary" isBusy={isBusy} disabled={length > LENGTH_MAX} onClick={() => void save()}>
          Save
        </Button>
      </div>
    </div>
  );
}
