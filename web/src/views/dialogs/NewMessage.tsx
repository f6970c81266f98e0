/** A direct message to one person or to several. */
import { useState } from "preact/hooks";
import type { User } from "../../core/contract";
import { Button } from "../../ui/Button";
import { toConversation, useClient, useNavigate } from "../../ui/context";
import { Dialog } from "../../ui/Dialog";
import { wordsOf } from "../../ui/words";
import { Problem } from "../signin/Problem";
import form from "./form.module.css";
import { PeoplePicker } from "./PeoplePicker";

/** Slack's own bound for a direct conversation: oneself and eight others. */
const OTHERS_MAX = 8;

export function NewMessage({ onClose }: { readonly onClose: () => void }) {
  const client = useClient();
  const navigate = useNavigate();
  const [chosen, setChosen] = useState<readonly User[]>([]);
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const open = async () => {
    if (chosen.length === 0) return;
    setBusy(true);
    try {
      const id = await client.openDirect(chosen.map((user) => user.id));
      onClose();
      navigate(toConversation(id));
    } catch (error) {
      setProblem(wordsOf(error));
      setBusy(false);
    }
  };
  const footer = (
    <>
      <Button onClick={onClose}>Cancel</Button>
      <Button kind="primary" type="submit" isBusy={isBusy} disabled={chosen.length === 0}>
        Go
      </Button>
    </>
  );
  return (
    <Dialog title="New message" onClose={onClose} footer={footer} onSubmit={() => void open()}>
      <div class={form.form}>
        <Problem words={problem} />
        <PeoplePicker label="To whom?" chosen={chosen} onChange={setChosen} most={OTHERS_MAX} />
      </div>
    </Dialog>
  );
}
