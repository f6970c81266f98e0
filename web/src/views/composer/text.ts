/** What stands in a composer: the text as typed, the names in it, and the element that holds it. */
import { type Signal, signal } from "@preact/signals";
import { createRef, type RefObject } from "preact";
import { fromSlack, type Labels, type Named, namesIn, toSlack } from "../../text/compose";
import { emojiTable } from "../../text/emoji/table";
import { type Format, formatted, newLine, type Selected } from "./format";

export interface ComposerText {
  readonly typed: Signal<string>;
  readonly names: Signal<readonly Named[]>;
  readonly element: RefObject<HTMLTextAreaElement>;
  /** Slack's text for what is typed. */
  slack(): string;
  /** Put Slack's text there. */
  load(text: string, labels: Labels): void;
  /** Call a token by a label; another label comes back when this one is taken. */
  name(label: string, token: string): string;
  format(format: Format): void;
  /** At the caret, over what is selected. */
  insert(said: string): void;
  /** A line end; what the line was goes on. */
  breakLine(): void;
  replace(next: Selected): void;
  clear(): void;
}

export function makeText(): ComposerText {
  const typed = signal("");
  const names = signal<readonly Named[]>([]);
  const element = createRef<HTMLTextAreaElement>();
  const selected = (): Selected => {
    const field = element.current;
    const text = typed.peek();
    return { text, start: field?.selectionStart ?? text.length, end: field?.selectionEnd ?? text.length };
  };
  const replace = (next: Selected) => {
    write(element.current, typed.peek(), next);
    typed.value = next.text;
  };
  return {
    typed,
    names,
    element,
    replace,
    slack: () => toSlack(typed.peek(), names.peek(), emojiTable.peek()),
    load(text, labels) {
      const read = fromSlack(text, labels);
      typed.value = read.typed;
      names.value = read.names;
    },
    name(label, token) {
      const kept = namesIn(typed.peek(), names.peek());
      let unique = label;
      for (let count = 2; kept.some((one) => one.label === unique && one.token !== token); count++)
        unique = `${label} (${count})`;
      names.value = [...kept.filter((one) => one.label !== unique), { label: unique, token }];
      return unique;
    },
    format: (format) => replace(formatted(selected(), format)),
    insert(said) {
      const { text, start, end } = selected();
      const caret = start + said.length;
      replace({ text: text.slice(0, start) + said + text.slice(end), start: caret, end: caret });
    },
    breakLine() {
      const now = selected();
      const caret = now.start + 1;
      replace(
        newLine(now) ?? {
          text: `${now.text.slice(0, now.start)}\n${now.text.slice(now.end)}`,
          start: caret,
          end: caret,
        },
      );
    },
    clear() {
      typed.value = "";
      names.value = [];
    },
  };
}

/** Through the browser's own editing, so that it can be undone there; only what differs is written. */
function write(field: HTMLTextAreaElement | null, before: string, next: Selected): void {
  if (!field) return;
  field.focus();
  let from = 0;
  while (from < before.length && from < next.text.length && before[from] === next.text[from]) from++;
  let tail = 0;
  const room = Math.min(before.length, next.text.length) - from;
  while (tail < room && before[before.length - 1 - tail] === next.text[next.text.length - 1 - tail]) tail++;
  const said = next.text.slice(from, next.text.length - tail);
  field.setSelectionRange(from, before.length - tail);
  const isDone = document.execCommand?.(said ? "insertText" : "delete", false, said);
  if (!isDone || field.value !== next.text) field.value = next.text;
  field.setSelectionRange(next.start, next.end);
}
