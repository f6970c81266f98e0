/** Where one writes: the field with its formats, files, emoji, and the ways to send. */
import { CaseSensitive, ChevronDown, Paperclip, SendHorizontal, Smile } from "lucide-preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { draftKey, type Id, type Ts } from "../../core/contract";
import { IconButton } from "../../ui/Button";
import { useClient, useScreen } from "../../ui/context";
import { Menu } from "../../ui/Menu";
import { NARROW } from "../../ui/platform";
import { readStored, writeStored } from "../../ui/stored";
import { EmojiPopover } from "../emoji/EmojiPopover";
import { StagedFiles, Uploads } from "./Attached";
import css from "./Composer.module.css";
import { FormatBar } from "./FormatBar";
import { ScheduleDialog, useScheduleItems } from "./Schedule";
import { STAGED_MAX, type Staging } from "./staging";
import { TextBox } from "./TextBox";
import type { ComposerText } from "./text";
import { useDraft } from "./useDraft";
import { LENGTH_MAX, useSending } from "./useSending";

interface ComposerProps {
  readonly conversationId: Id;
  readonly threadTs: Ts | null;
  readonly staging: Staging;
  readonly placeholder: string;
  readonly near: () => readonly Id[];
  readonly onEditLast: () => void;
  /** The words of the switch that sends a reply to the conversation too. */
  readonly alsoTo?: string | undefined;
  readonly hasFocusAtOnce?: boolean;
}

const isFlag = (value: unknown): value is boolean => typeof value === "boolean";

export function Composer(props: ComposerProps) {
  const { conversationId, threadTs, staging, placeholder, near, onEditLast, alsoTo, hasFocusAtOnce } = props;
  const client = useClient();
  const text = useDraft(draftKey(conversationId, threadTs ?? undefined));
  const [isFormatting, setFormatting] = useState(() => readStored("formats", !matchMedia(NARROW).matches, isFlag));
  const [isAlso, setAlso] = useState(false);
  const sending = useSending({ conversationId, threadTs, text, staging, alsoToConversation: isAlso });
  const addFiles = useFiles(staging);
  useTypingAnywhere(text, threadTs === null);
  const typing = useRef(0);
  const onTyping = () => {
    if (Date.now() - typing.current < 3000) return;
    typing.current = Date.now();
    client.noteTyping(conversationId, threadTs ?? undefined);
  };
  const toggleFormats = () => {
    setFormatting(!isFormatting);
    writeStored("formats", !isFormatting);
  };
  return (
    <div class={css.place}>
      <div class={css.box} data-region-box>
        {isFormatting && <FormatBar text={text} />}
        <Uploads conversationId={conversationId} threadTs={threadTs} />
        <TextBox
          text={text}
          conversationId={conversationId}
          label={placeholder}
          placeholder={placeholder}
          near={near}
          onSubmit={() => void sending.send()}
          onUpWhenEmpty={onEditLast}
          onFiles={addFiles}
          onTyping={onTyping}
          hasFocusAtOnce={hasFocusAtOnce ?? false}
        />
        <StagedFiles staging={staging} />
        <div class={css.foot}>
          <FileButton onFiles={addFiles} />
          <EmojiButton text={text} />
          <IconButton
            size="s"
            icon={CaseSensitive}
            label={isFormatting ? "Hide formatting" : "Show formatting"}
            isPressed={isFormatting}
            onClick={toggleFormats}
          />
          {alsoTo && (
            <label class={css.also}>
              <input type="checkbox" checked={isAlso} onChange={(event) => setAlso(event.currentTarget.checked)} />
              Also send to {alsoTo}
            </label>
          )}
          <span class={css.spring} />
          <Counter text={text} />
          <SendButtons sending={sending} />
        </div>
      </div>
    </div>
  );
}

/** A letter typed where nothing has the focus is meant for here. */
function useTypingAnywhere(text: ComposerText, isOn: boolean): void {
  useEffect(() => {
    if (!isOn) return;
    const onKeyDown = (event: KeyboardEvent) => {
      const isLetter = event.key.length === 1 && event.key !== " " && event.key !== "/";
      const isFree = document.activeElement === document.body || document.activeElement?.id === "main";
      if (!isLetter || !isFree || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      text.element.current?.focus(); // and the letter goes there
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, [text, isOn]);
}

function useFiles(staging: Staging): (files: readonly File[]) => void {
  const screen = useScreen();
  return (files) => {
    const left = staging.add(files);
    if (left > 0) screen.toast(`At most ${STAGED_MAX} files go with one message.`, { kind: "problem" });
  };
}

function FileButton({ onFiles }: { readonly onFiles: (files: readonly File[]) => void }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <IconButton size="s" icon={Paperclip} label="Attach files" onClick={() => input.current?.click()} />
      <input
        ref={input}
        type="file"
        multiple
        hidden
        onChange={(event) => {
          onFiles([...(event.currentTarget.files ?? [])]);
          event.currentTarget.value = ""; // the same file may be chosen again
        }}
      />
    </>
  );
}

function EmojiButton({ text }: { readonly text: ComposerText }) {
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  return (
    <>
      <IconButton
        size="s"
        icon={Smile}
        label="Emoji"
        aria-haspopup="dialog"
        aria-expanded={anchor !== null}
        onClick={(event) => {
          const button = event.currentTarget;
          setAnchor((open) => (open ? null : button));
        }}
      />
      {anchor && (
        <EmojiPopover
          anchor={anchor}
          onClose={() => setAnchor(null)}
          onPick={(name, unicode) => {
            setAnchor(null);
            // The popover gives the focus back to its button first.
            requestAnimationFrame(() => text.insert(unicode || `:${name}:`));
          }}
        />
      )}
    </>
  );
}

/** Only when the end is near. */
function Counter({ text }: { readonly text: ComposerText }) {
  const left = LENGTH_MAX - text.typed.value.length;
  if (left > 500) return null;
  return (
    <span class={left < 0 ? css.over : css.counter} role="status">
      {left < 0 ? `${-left} characters too long` : `${left} left`}
    </span>
  );
}

function SendButtons({ sending }: { readonly sending: ReturnType<typeof useSending> }) {
  const [isChoosing, setChoosing] = useState(false);
  const items = useScheduleItems(
    (atS) => void sending.schedule(atS),
    () => setChoosing(true),
  );
  const canSend = sending.canSend.value;
  return (
    <div class={canSend ? css.sendReady : css.send}>
      <IconButton
        size="s"
        icon={SendHorizontal}
        label="Send"
        keys="Enter"
        disabled={!canSend}
        onClick={() => void sending.send()}
      />
      <span class={css.line} aria-hidden="true" />
      <Menu
        label="Send later"
        side="above"
        align="end"
        items={items}
        trigger={(trigger) => (
          <IconButton
            size="s"
            icon={ChevronDown}
            label="Send later"
            class={css.later}
            disabled={!canSend}
            {...trigger}
          />
        )}
      />
      {isChoosing && (
        <ScheduleDialog onClose={() => setChoosing(false)} onChoose={(atS) => void sending.schedule(atS)} />
      )}
    </div>
  );
}
