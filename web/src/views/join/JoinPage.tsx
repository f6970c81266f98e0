/** Coming in by an invitation: the code is looked at first, then one makes an account. */
import { useEffect, useState } from "preact/hooks";
import type { Invitation, SignIn } from "../../core/contract";
import { Button } from "../../ui/Button";
import { useNavigate } from "../../ui/context";
import { Spinner } from "../../ui/Spinner";
import { TextField } from "../../ui/TextField";
import { wordsOf } from "../../ui/words";
import { Doorstep } from "../signin/Doorstep";
import door from "../signin/Doorstep.module.css";
import { Problem } from "../signin/Problem";
import css from "./JoinPage.module.css";
import { StrengthHint } from "./StrengthHint";
import { PASSWORD_LETTERS_MIN } from "./strength";

interface JoinPageProps {
  readonly code: string;
  readonly signIn: SignIn;
  readonly onDone: () => void;
}

export function JoinPage({ code, signIn, onDone }: JoinPageProps) {
  const navigate = useNavigate();
  const [invitation, setInvitation] = useState<Invitation | null>(null);
  const [problem, setProblem] = useState("");
  useEffect(() => {
    let isShown = true;
    signIn.invitation(code).then(
      (found) => isShown && setInvitation(found),
      (error) => isShown && setProblem(wordsOf(error)),
    );
    return () => {
      isShown = false;
    };
  }, [code, signIn]);
  if (problem) {
    return (
      <Doorstep title="This invitation does not open anything" lead={problem}>
        <Button size="l" isWide onClick={() => navigate({ page: "signin" })}>
          Sign in instead
        </Button>
        <p class={door.foot}>Whoever invited you can send a new link.</p>
      </Doorstep>
    );
  }
  if (!invitation) {
    return (
      <Doorstep title="One moment">
        <span class={css.waiting}>
          <Spinner size={28} label="Looking at the invitation" />
        </span>
      </Doorstep>
    );
  }
  const lead = invitation.inviterName ? `${invitation.inviterName} invited you` : "You are invited";
  return (
    <Doorstep
      title={`Join ${invitation.teamName}`}
      lead={`${lead}${invitation.email ? ` as ${invitation.email}` : ""}.`}
    >
      <JoinForm code={code} signIn={signIn} onDone={onDone} />
    </Doorstep>
  );
}

function JoinForm({ code, signIn, onDone }: JoinPageProps) {
  const navigate = useNavigate();
  const [realName, setRealName] = useState("");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const submit = async () => {
    const wrong = problemOf(realName, name, password);
    setProblem(wrong);
    if (wrong) return;
    setBusy(true);
    try {
      await signIn.join(code, name, realName.trim(), password);
      navigate({ page: "home" }, { replace: true });
      onDone();
    } catch (error) {
      setProblem(wordsOf(error));
      setBusy(false);
    }
  };
  const cleared = (set: (value: string) => void) => (value: string) => {
    set(value);
    setProblem("");
  };
  return (
    <form
      class={door.form}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <Problem words={problem} />
      <TextField label="Your name" value={realName} onInput={cleared(setRealName)} autocomplete="name" autofocus />
      <TextField
        label="User name"
        value={name}
        onInput={cleared((value) => setName(value.toLowerCase().replace(/\s+/g, ".")))}
        lead="@"
        hint="Lower-case letters, digits, dots, dashes. People mention you by it."
        autocomplete="username"
        autocapitalize="none"
        spellcheck={false}
      />
      <div class={css.password}>
        <TextField
          label="Password"
          type="password"
          value={password}
          onInput={cleared(setPassword)}
          autocomplete="new-password"
        />
        <StrengthHint password={password} own={[name, ...realName.split(" ")]} />
      </div>
      <Button kind="primary" size="l" type="submit" isWide isBusy={isBusy}>
        Create account
      </Button>
    </form>
  );
}

export function problemOf(realName: string, name: string, password: string): string {
  if (!realName.trim()) return "Please tell your name.";
  if (!/^[a-z0-9][a-z0-9._-]{0,79}$/.test(name)) return "A user name begins with a letter or a digit, without spaces.";
  if (password.length < PASSWORD_LETTERS_MIN) return `The password needs ${PASSWORD_LETTERS_MIN} characters or more.`;
  return "";
}
