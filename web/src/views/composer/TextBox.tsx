/** The field one writes in: it grows with the text, completes names, formats by keys, and takes files that are pasted. */
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Id } from "../../core/contract";
import { usePreferences } from "../../ui/context";
import { isMac } from "../../ui/platform";
import { useListbox } from "../../ui/useListbox";
import { CompletionList } from "./CompletionList";
import css from "./Composer.module.css";
import { type Format, isInCode } from "./format";
import type { ComposerText } from "./text";
import { useCompletion } from "./useCompletion";

interface TextBoxProps {
  readonly text: ComposerText;
  readonly conversationId: Id;
  readonly label: string;
  readonly placeholder?: string;
  /** People who are likely meant. */
  readonly near: () => readonly Id[];
  readonly onSubmit: () => void;
  readonly onCancel?: () => void;
  readonly onUpWhenEmpty?: () => void;
  readonly onFiles?: (files: readonly File[]) => void;
  readonly onTyping?: () => void;
  readonly hasFocusAtOnce?: boolean;
  readonly describedBy?: string;
}

const LABELS = { "@": "People", "#": "Channels", ":": "Emoji" } as const;

export function TextBox(props: TextBoxProps) {
  const { text, conversationId, label, placeholder, near, onFiles, onTyping, hasFocusAtOnce, describedBy } = props;
  const completion = useCompletion(text, conversationId, near);
  const { options, sign } = completion;
  const listbox = useListbox({
    count: options.length,
    label: sign ? LABELS[sign] : "",
    resetOn: options,
    tabChooses: true,
    onChoose: (index) => {
      const option = options[index];
      if (option) completion.choose(option);
    },
  });
  const onKeyDown = useKeys(props, listbox.onKey, options.length > 0 ? completion.close : null);
  useGrowing(text);
  useLayoutEffect(() => {
    const field = text.element.current;
    if (!hasFocusAtOnce || !field) return;
    field.focus({ preventScroll: true });
    field.setSelectionRange(field.value.length, field.value.length);
  }, [text, hasFocusAtOnce]);
  return (
    <>
      {sign && options.length > 0 && <CompletionList options={options} listbox={listbox} />}
      <textarea
        ref={text.element}
        class={css.field}
        rows={1}
        value={text.typed.value}
        placeholder={placeholder}
        aria-label={label}
        aria-describedby={describedBy}
        data-region-focus
        spellcheck
        autocomplete="off"
        {...(options.length > 0 ? listbox.fieldProps : {})}
        onInput={(event) => {
          text.typed.value = event.currentTarget.value;
          completion.look();
          if (event.currentTarget.value) onTyping?.();
        }}
        onKeyDown={onKeyDown}
        onKeyUp={(event) => /^(?:Arrow|Home|End)/.test(event.key) && options.length === 0 && completion.look()}
        onClick={completion.look}
        onBlur={completion.close}
        onPaste={(event) => {
          const files = [...(event.clipboardData?.files ?? [])];
          // What is copied from a document comes with a picture of it: then the words are meant.
          if (files.length === 0 || !onFiles || event.clipboardData?.getData("text/plain")) return;
          event.preventDefault();
          onFiles(files);
        }}
      />
    </>
  );
}

/** As high as its text, up to what the sheet of styles allows. */
function useGrowing(text: ComposerText): void {
  const typed = text.typed.value;
  const last = useRef("");
  useLayoutEffect(() => {
    const field = text.element.current;
    if (!field || CSS.supports?.("field-sizing", "content")) return;
    last.current = typed;
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight}px`;
  }, [text, typed]);
}

const FORMATS: Readonly<Record<string, Format>> = {
  b: "bold",
  i: "italic",
  "shift+x": "strike",
  "shift+c": "code",
  "shift+u": "link",
  "shift+&": "ordered",
  "shift+7": "ordered",
  "shift+*": "list",
  "shift+8": "list",
  "shift+(": "quote",
  "shift+9": "quote",
};

function useKeys(props: TextBoxProps, inList: (event: KeyboardEvent) => boolean, closeList: (() => void) | null) {
  const { sendWithEnter } = usePreferences();
  const { text, onSubmit, onCancel, onUpWhenEmpty } = props;
  return (event: KeyboardEvent) => {
    if (event.isComposing) return;
    if (inList(event)) return;
    const mod = isMac() ? event.metaKey : event.ctrlKey;
    if (event.key === "Escape" && (closeList || onCancel)) {
      event.preventDefault();
      event.stopPropagation();
      return (closeList ?? onCancel)?.();
    }
    if (event.key === "Enter") return onEnter(event, mod);
    const isPlain = !event.shiftKey && !event.altKey && !event.ctrlKey && !event.metaKey;
    if (event.key === "ArrowUp" && isPlain && onUpWhenEmpty && text.typed.peek() === "") {
      event.preventDefault();
      return onUpWhenEmpty();
    }
    const format = mod && !event.altKey ? FORMATS[`${event.shiftKey ? "shift+" : ""}${event.key.toLowerCase()}`] : null;
    if (!format) return;
    event.preventDefault();
    text.format(format);
  };

  function onEnter(event: KeyboardEvent, mod: boolean): void {
    if (event.altKey) return;
    const field = text.element.current;
    const inCode = isInCode(text.typed.peek(), field?.selectionStart ?? 0);
    const sends = mod || (sendWithEnter && !event.shiftKey && !inCode);
    event.preventDefault();
    if (sends) onSubmit();
    else text.breakLine();
  }
}
