/** What others see of one: names, title, how to be reached. */
import { useState } from "preact/hooks";
import { Button } from "../../ui/Button";
import { useClient, useScreen } from "../../ui/context";
import { Dialog } from "../../ui/Dialog";
import { TextField } from "../../ui/TextField";
import { wordsOf } from "../../ui/words";
import form from "../dialogs/form.module.css";

export function EditProfile({ onClose }: { readonly onClose: () => void }) {
  const client = useClient();
  const screen = useScreen();
  const self = client.user(client.selfId).peek();
  const [fields, setFields] = useState({
    realName: self?.realName ?? "",
    displayName: self && self.label !== self.realName ? self.label : "",
    title: self?.title ?? "",
    pronouns: self?.pronouns ?? "",
    phone: self?.phone ?? "",
  });
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const field = (name: keyof typeof fields) => ({
    value: fields[name],
    onInput: (value: string) => {
      setFields((old) => ({ ...old, [name]: value }));
      setProblem("");
    },
  });
  const save = async () => {
    if (!fields.realName.trim()) return setProblem("Your name cannot be empty.");
    setBusy(true);
    try {
      await client.setProfile(fields);
      screen.toast("Your profile is saved", { kind: "success" });
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
        Save
      </Button>
    </>
  );
  return (
    <Dialog title="Edit your profile" onClose={onClose} footer={footer} onSubmit={() => void save()}>
      <div class={form.form}>
        <TextField
          label="Full name"
          {...field("realName")}
          problem={problem}
          autocomplete="name"
          maxLength={80}
          data-autofocus
        />
        <TextField
          label="Display name"
          {...field("displayName")}
          hint="How you are called in messages. Without one, your full name is shown."
          maxLength={80}
        />
        <TextField label="Title" {...field("title")} hint="What you do here." maxLength={100} />
        <div class={form.pair}>
          <TextField label="Pronouns" {...field("pronouns")} maxLength={40} />
          <TextField label="Phone" {...field("phone")} type="tel" autocomplete="tel" maxLength={40} />
        </div>
      </div>
    </Dialog>
  );
}
