/** One's status: an emoji, a few words, and until when. */
import { useState } from "preact/hooks";
import { EmojiView } from "../../text/EmojiView";
import { Button } from "../../ui/Button";
import { Select } from "../../ui/Choice";
import { useClient } from "../../ui/context";
import { Dialog } from "../../ui/Dialog";
import { TextField } from "../../ui/TextField";
import { wordsOf } from "../../ui/words";
import form from "../dialogs/form.module.css";
import { EmojiButton } from "./EmojiButton";
import css from "./StatusDialog.module.css";
import { endOf, UNTIL, type Until } from "./until";

const USUAL: readonly { readonly emoji: string; readonly text: string; readonly until: Until }[] = [
  { emoji: "spiral_calendar_pad", text: "In a meeting", until: "1h" },
  { emoji: "headphones", text: "Focusing", until: "4h" },
  { emoji: "bus", text: "On the way", until: "30m" },
  { emoji: "house_with_garden", text: "Working from home", until: "today" },
  { emoji: "face_with_thermometer", text: "Out sick", until: "today" },
  { emoji: "palm_tree", text: "On holiday", until: "never" },
];

export function StatusDialog({ onClose }: { readonly onClose: () => void }) {
  const client = useClient();
  const before = client.user(client.selfId).peek()?.status;
  const [emoji, setEmoji] = useState(before?.emoji ?? "");
  const [text, setText] = useState(before?.text ?? "");
  const [until, setUntil] = useState<Until>("today");
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const isEmpty = !emoji && !text.trim();
  const save = async (change: { emoji: string; text: string; until: Until }) => {
    setBusy(true);
    try {
      const hasAny = Boolean(change.emoji || change.text);
      const shown = change.emoji || (hasAny ? "speech_balloon" : "");
      await client.setStatus(shown, change.text, hasAny ? endOf(change.until, Date.now()) : 0);
      onClose();
    } catch (error) {
      setProblem(wordsOf(error));
      setBusy(false);
    }
  };
  const clear = () => void save({ emoji: "", text: "", until: "never" });
  const footer = (
    <>
      {before && (
        <Button kind="quiet" class={css.clear} onClick={clear}>
          Clear status
        </Button>
      )}
      <Button onClick={onClose}>Cancel</Button>
      <Button kind="primary" type="submit" isBusy={isBusy} disabled={isEmpty}>
        Save
      </Button>
    </>
  );
  return (
    <Dialog
      title="Set a status"
      size="s"
      onClose={onClose}
      footer={footer}
      onSubmit={() => !isEmpty && void save({ emoji, text: text.trim(), until })}
    >
      <div class={form.form}>
        <div class={css.line}>
          <EmojiButton name={emoji} onChoose={setEmoji} />
          <div class={css.words}>
            <TextField
              label="What is going on?"
              hidesLabel
              placeholder="What is going on?"
              value={text}
              problem={problem}
              maxLength={100}
              data-autofocus
              onInput={(value) => {
                setText(value);
                setProblem("");
              }}
            />
          </div>
        </div>
        {isEmpty ? (
          <ul class={css.usual}>
            {USUAL.map((one) => (
              <li key={one.text}>
                <button
                  type="button"
                  class={css.choice}
                  onClick={() => {
                    setEmoji(one.emoji);
                    setText(one.text);
                    setUntil(one.until);
                  }}
                >
                  <span class={css.emoji}>
                    <EmojiView name={one.emoji} isDecoration />
                  </span>
                  {one.text}
                  <span class={css.until}>{UNTIL.find(({ value }) => value === one.until)?.label}</span>
                </button>
              </li>
            ))}
          </ul>
        ) : (
          <Select label="Clear it after" options={UNTIL} value={until} onChange={setUntil} />
        )}
      </div>
    </Dialog>
  );
}
