/** Inviting somebody to the workspace: gives a link to send on. */
import { Copy } from "lucide-preact";
import { useState } from "preact/hooks";
import { Button } from "../../ui/Button";
import { useClient, useScreen } from "../../ui/context";
import { Dialog } from "../../ui/Dialog";
import { TextField } from "../../ui/TextField";
import { wordsOf } from "../../ui/words";
import { copy } from "../sidebar/useConversationMenu";
import form from "./form.module.css";

export function Invite({ onClose }: { readonly onClose: () => void }) {
  const client = useClient();
  const [email, setEmail] = useState("");
  const [link, setLink] = useState("");
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const invite = async () => {
    if (!/^\S+@\S+$/.test(email.trim())) return setProblem("That is no e-mail address.");
    setBusy(true);
    try {
      setLink(await client.inviteToWorkspace(email.trim()));
    } catch (error) {
      setProblem(wordsOf(error));
    }
    setBusy(false);
  };
  const title = `Invite people to ${client.team.value.name}`;
  if (link) {
    const again = () => {
      setLink("");
      setEmail("");
    };
    return (
      <Dialog title={title} onClose={onClose} footer={<Footer onAgain={again} onClose={onClose} />}>
        <LinkToCopy link={link} email={email} />
      </Dialog>
    );
  }
  const footer = (
    <>
      <Button onClick={onClose}>Cancel</Button>
      <Button kind="primary" type="submit" isBusy={isBusy}>
        Make a link
      </Button>
    </>
  );
  return (
    <Dialog title={title} onClose={onClose} footer={footer} onSubmit={() => void invite()}>
      <TextField
        label="E-mail address"
        type="email"
        value={email}
        problem={problem}
        hint="Nothing is sent: you get a link that you send on yourself. It works once."
        data-autofocus
        onInput={(value) => {
          setEmail(value);
          setProblem("");
        }}
      />
    </Dialog>
  );
}

function LinkToCopy({ link, email }: { readonly link: string; readonly email: string }) {
  const screen = useScreen();
  return (
    <div class={form.form}>
      <p class={form.text}>Send this link to {email.trim()}. Whoever opens it can make an account.</p>
      <div class={form.copy}>
        <TextField label="Link" value={link} onInput={() => undefined} readOnly data-autofocus />
        <Button icon={Copy} onClick={() => void copy(screen, link)}>
          Copy
        </Button>
      </div>
    </div>
  );
}

const Footer = ({ onAgain, onClose }: { readonly onAgain: () => void; readonly onClose: () => void }) => (
  <>
    <Button onClick={onAgain}>Invite somebody else</Button>
    <Button kind="primary" onClick={onClose}>
      Done
    </Button>
  </>
);
