/** Another password: the old one first; other browsers are signed out. */
import { useState } from "preact/hooks";
import type { SignIn } from "../../core/contract";
import { Button } from "../../ui/Button";
import { useClient, useScreen } from "../../ui/context";
import { Dialog } from "../../ui/Dialog";
import { TextField } from "../../ui/TextField";
import { wordsOf } from "../../ui/words";
import { StrengthHint } from "../join/StrengthHint";
import { PASSWORD_LETTERS_MIN } from "../join/strength";
import { Problem } from "../signin/Problem";
import form from "./form.module.css";

interface ChangePasswordProps {
  readonly signIn: SignIn;
  readonly onClose: () => void;
}

export function ChangePassword({ signIn, onClose }: ChangePasswordProps) {
  const client = useClient();
  const screen = useScreen();
  const self = client.user(client.selfId).peek();
  const [old, setOld] = useState("");
  const [fresh, setFresh] = useState("");
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const cleared = (set: (value: string) => void) => (value: string) => {
    set(value);
    setProblem("");
  };
  const change = async () => {
    if (!old) return setProblem("Please give the old password too.");
    if (fresh.length < PASSWORD_LETTERS_MIN) {
      return setProblem(`The new password needs ${PASSWORD_LETTERS_MIN} characters or more.`);
    }
    setBusy(true);
    try {
      await signIn.changePassword(old, fresh);
      screen.toast("Your password is changed; other browsers are signed out", { kind: "success" });
      onClose();
    } catch (error) {
      setProblem(wordsOf(error));
      setBusy(false);
    }
  };
  const footer = (
    <>
      <Button onClick={onClose}>Cancel</Button>
      <Button kind="primary" type="submit" isBusy={isBusy}>
        Change it
      </Button>
    </>
  );
  return (
    <Dialog title="Change password" size="s" onClose={onClose} footer={footer} onSubmit={() => void change()}>
      <div class={form.form}>
        <Problem words={problem} />
        <input type="text" autocomplete="username" value={self?.name ?? ""} hidden readOnly />
        <TextField
          label="Old password"
          type="password"
          value={old}
          onInput={cleared(setOld)}
          autocomplete="current-password"
          data-autofocus
        />
        <TextField
          label="New password"
          type="password"
          value={fresh}
          onInput={cleared(setFresh)}
          autocomplete="new-password"
        />
        <StrengthHint password={fresh} own={[self?.name ?? "", ...(self?.realName.split(" ") ?? [])]} />
      </div>
    </Dialog>
  );
}
