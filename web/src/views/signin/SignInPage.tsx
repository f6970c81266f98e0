/** The way in: in a demo one chooses who to be; else by name and password. */
import { useState } from "preact/hooks";
import type { PersonToShow, SessionInfo, SignIn } from "../../core/contract";
import { Picture } from "../../ui/Avatar";
import { Button } from "../../ui/Button";
import { Spinner } from "../../ui/Spinner";
import { TextField } from "../../ui/TextField";
import { wordsOf } from "../../ui/words";
import { Doorstep } from "./Doorstep";
import css from "./Doorstep.module.css";
import { Problem } from "./Problem";

interface SignInPageProps {
  readonly session: SessionInfo;
  readonly notice: string;
  readonly signIn: SignIn;
  readonly onDone: () => void;
}

export function SignInPage({ session, notice, signIn, onDone }: SignInPageProps) {
  const [byPassword, setByPassword] = useState(!session.isDemo);
  const team = session.team?.name ?? "";
  const lead = byPassword ? "With your name or e-mail address" : "This is a demo: choose who you want to be";
  const title = team ? `Sign in to ${team}` : "Sign in to Parley";
  return (
    <Doorstep title={title} lead={lead} isWide={!byPassword}>
      {notice && (
        <p class={css.notice} role="status">
          {notice}
        </p>
      )}
      {byPassword ? (
        <PasswordForm session={session} signIn={signIn} onDone={onDone} />
      ) : (
        <People people={session.demoUsers} signIn={signIn} onDone={onDone} />
      )}
      {session.isDemo && (
        <p class={css.foot}>
          <button type="button" class={css.toggle} onClick={() => setByPassword(!byPassword)}>
            {byPassword ? "Choose a demo user instead" : "Sign in with a password instead"}
          </button>
        </p>
      )}
    </Doorstep>
  );
}

interface PeopleProps {
  readonly people: readonly PersonToShow[];
  readonly signIn: SignIn;
  readonly onDone: () => void;
}

function People({ people, signIn, onDone }: PeopleProps) {
  const [chosen, setChosen] = useState("");
  const [problem, setProblem] = useState("");
  const choose = async (person: PersonToShow) => {
    setChosen(person.id);
    setProblem("");
    try {
      await signIn.signInAs(person.id);
      onDone();
    } catch (error) {
      setProblem(wordsOf(error));
      setChosen("");
    }
  };
  return (
    <>
      <Problem words={problem} />
      <ul class={css.people}>
        {people.map((person) => (
          <li key={person.id}>
            <button type="button" class={css.person} disabled={chosen !== ""} onClick={() => void choose(person)}>
              <Picture id={person.id} label={person.realName || person.name} picture="" size={40} />
              <span class={css.names}>
                <span class={css.name}>{person.realName || person.name}</span>
                <span class={css.under}>{person.title || `@${person.name}`}</span>
              </span>
              {chosen === person.id && <Spinner size={16} label="Signing in" />}
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}

function PasswordForm({ session, signIn, onDone }: Omit<SignInPageProps, "notice">) {
  const [team, setTeam] = useState(session.team?.domain ?? "");
  const [login, setLogin] = useState("");
  const [password, setPassword] = useState("");
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  /** What one changes is not wrong any more. */
  const cleared = (set: (value: string) => void) => (value: string) => {
    set(value);
    setProblem("");
  };
  const submit = async () => {
    if (!team.trim() || !login.trim() || !password) return setProblem("Please fill in all three.");
    setBusy(true);
    setProblem("");
    try {
      await signIn.signIn(team.trim(), login.trim(), password);
      onDone();
    } catch (error) {
      setProblem(wordsOf(error));
      setBusy(false);
    }
  };
  return (
    <form
      class={css.form}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <Problem words={problem} />
      <TextField label="Workspace" value={team} onInput={cleared(setTeam)} autocomplete="organization" />
      <TextField
        label="Name or e-mail"
        value={login}
        onInput={cleared(setLogin)}
        autocomplete="username"
        autocapitalize="none"
        spellcheck={false}
        autofocus
      />
      <TextField
        label="Password"
        type="password"
        value={password}
        onInput={cleared(setPassword)}
        autocomplete="current-password"
      />
      <Button kind="primary" size="l" type="submit" isWide isBusy={isBusy}>
        Sign in
      </Button>
      <p class={css.foot}>No account? Ask an admin of your workspace for an invitation.</p>
    </form>
  );
}
