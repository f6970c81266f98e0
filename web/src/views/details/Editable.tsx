/** A line of what a conversation is, and another in its place: the name as it is, topic and purpose with names in them. */
import { Pencil } from "lucide-preact";
import type { ComponentChildren } from "preact";
import { useMemo, useState } from "preact/hooks";
import type { Id } from "../../core/contract";
import { RichText } from "../../text/RichText";
import { Button, IconButton } from "../../ui/Button";
import { useClient } from "../../ui/context";
import { TextField } from "../../ui/TextField";
import { wordsOf } from "../../ui/words";
import { TextBox } from "../composer/TextBox";
import { makeText } from "../composer/text";
import css from "./details.module.css";

const NAME_MAX = 80;
const WORDS_MAX = 250;

interface EditableProps {
  readonly term: string;
  readonly value: string;
  readonly canEdit: boolean;
  readonly onSave: (value: string) => Promise<void>;
}

export function EditableName(props: EditableProps) {
  const { term, value } = props;
  const [text, setText] = useState("");
  return (
    <Editable
      {...props}
      shown={<div class={css.value}>{value}</div>}
      begin={() => setText(value)}
      written={() => text.trim()}
      field={(_, __, problem) => (
        <TextField
          label={term}
          hidesLabel
          value={text}
          problem={problem}
          autofocus
          maxLength={NAME_MAX}
          onInput={setText}
        />
      )}
    />
  );
}

interface EditableTextProps extends EditableProps {
  readonly conversationId: Id;
  readonly none: string;
}

/** Written as in a composer: people and channels by their names, which are completed. */
export function EditableText(props: EditableTextProps) {
  const { term, value, none, conversationId } = props;
  const client = useClient();
  const text = useMemo(makeText, []);
  const begin = () => {
    const user = (id: string) => client.user(id).peek()?.label;
    const channel = (id: string) => client.conversation(id).peek()?.name;
    text.load(value, { user, channel });
  };
  return (
    <Editable
      {...props}
      shown={
        value ? (
          <div class={css.value}>
            <RichText text={value} />
          </div>
        ) : (
          <p class={css.none}>{none}</p>
        )
      }
      begin={begin}
      written={() => text.slack()}
      field={(onSubmit, onCancel, problem) => (
        <>
          <div class={css.field}>
            <TextBox
              text={text}
              conversationId={conversationId}
              label={term}
              near={() => []}
              onSubmit={onSubmit}
              onCancel={onCancel}
              hasFocusAtOnce
            />
          </div>
          {problem && (
            <p class={css.problem} role="alert">
              {problem}
            </p>
          )}
        </>
      )}
    />
  );
}

interface FormProps extends EditableProps {
  readonly shown: ComponentChildren;
  readonly begin: () => void;
  readonly written: () => string;
  readonly field: (onSubmit: () => void, onCancel: () => void, problem: string) => ComponentChildren;
}

function Editable({ term, value, canEdit, onSave, shown, begin, written, field }: FormProps) {
  const [isOpen, setOpen] = useState(false);
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const open = () => {
    begin();
    setProblem("");
    setOpen(true);
  };
  const save = async () => {
    const said = written();
    if (said === value) return setOpen(false);
    if (said.length > WORDS_MAX)
      return setProblem(`At most ${WORDS_MAX} characters: ${said.length - WORDS_MAX} too many.`);
    setBusy(true);
    try {
      await onSave(said);
      setOpen(false);
    } catch (error) {
      setProblem(wordsOf(error));
    }
    setBusy(false);
  };
  const onSubmit = () => void save();
  const onCancel = () => setOpen(false);
  return (
    <section class={css.part}>
      <h3 class={css.term}>
        {term}
        {canEdit && !isOpen && (
          <IconButton size="s" icon={Pencil} label={`Edit the ${term.toLowerCase()}`} onClick={open} />
        )}
      </h3>
      {!isOpen ? (
        shown
      ) : (
        <form
          class={css.edit}
          onKeyDown={(event) => {
            if (event.key !== "Escape") return;
            event.preventDefault();
            onCancel();
          }}
          onSubmit={(event) => {
            event.preventDefault();
            onSubmit();
          }}
        >
          {field(onSubmit, onCancel, problem)}
          <div class={css.buttons}>
            <Button size="s" kind="quiet" onClick={onCancel}>
              Cancel
            </Button>
            <Button size="s" kind="primary" type="submit" isBusy={isBusy}>
              Save
            </Button>
          </div>
        </form>
      )}
    </section>
  );
}
