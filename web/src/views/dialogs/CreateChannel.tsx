/** A new channel: its name, what it is for, who may see it. */
import { Hash, Lock } from "lucide-preact";
import { useState } from "preact/hooks";
import { Button } from "../../ui/Button";
import { RadioCards } from "../../ui/Choice";
import { toConversation, useClient, useNavigate } from "../../ui/context";
import { Dialog } from "../../ui/Dialog";
import { TextField } from "../../ui/TextField";
import { wordsOf } from "../../ui/words";
import { CHANNEL_NAME_MAX, problemOfName, tidied } from "./channelName";
import form from "./form.module.css";

interface CreateChannelProps {
  readonly name?: string | undefined;
  readonly onClose: () => void;
}

const KINDS = [
  {
    value: "public",
    label: "Public",
    hint: "Anybody in the workspace can find and join it.",
  },
  { value: "private", label: "Private", hint: "Only who is added sees that it is there." },
] as const;

export function CreateChannel({ name: given = "", onClose }: CreateChannelProps) {
  const client = useClient();
  const navigate = useNavigate();
  const [name, setName] = useState(tidied(given));
  const [purpose, setPurpose] = useState("");
  const [kind, setKind] = useState<"public" | "private">("public");
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const create = async () => {
    const wrong = problemOfName(name);
    setProblem(wrong);
    if (wrong) return;
    setBusy(true);
    try {
      const id = await client.createChannel(name, kind === "private", purpose.trim());
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
      <Button kind="primary" type="submit" isBusy={isBusy}>
        Create
      </Button>
    </>
  );
  return (
    <Dialog title="Create a channel" onClose={onClose} footer={footer} onSubmit={() => void create()}>
      <div class={form.form}>
        <TextField
          label="Name"
          lead={kind === "private" ? <Lock size={15} aria-hidden="true" /> : <Hash size={15} aria-hidden="true" />}
          value={name}
          problem={problem}
          placeholder="plan-budget"
          maxLength={CHANNEL_NAME_MAX}
          spellcheck={false}
          autocomplete="off"
          data-autofocus
          onInput={(value) => {
            setName(tidied(value));
            setProblem("");
          }}
        />
        <TextField
          label="Purpose"
          value={purpose}
          onInput={setPurpose}
          hint="What is it for? One can leave this out."
          maxLength={250}
        />
        <RadioCards label="Who may see it" options={KINDS} value={kind} onChange={setKind} />
      </div>
    </Dialog>
  );
}
