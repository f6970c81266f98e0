/** An app asks for something: what it may then do is said, and one agrees or goes back. */
import { useCallback, useEffect, useState } from "preact/hooks";
import type { Asked, Consent, Id, Place, SignIn } from "../../core/contract";
import { Button } from "../../ui/Button";
import { Spinner } from "../../ui/Spinner";
import { useLoaded } from "../../ui/useLoaded";
import { wordsOf } from "../../ui/words";
import { Doorstep } from "../signin/Doorstep";
import door from "../signin/Doorstep.module.css";
import { Problem } from "../signin/Problem";
import { ChannelChooser } from "./ChannelChooser";
import css from "./ConsentPage.module.css";

interface ConsentPageProps {
  readonly asked: Asked;
  readonly signIn: SignIn;
  /** Leaves this page; another in tests. */
  readonly go?: (address: string) => void;
}

export function ConsentPage({ asked, signIn, go = (address) => location.assign(address) }: ConsentPageProps) {
  const [found, setFound] = useState<Consent | null>(null);
  const [problem, setProblem] = useState("");
  useEffect(() => {
    let isShown = true;
    signIn.consent(asked).then(
      (consent) => isShown && setFound(consent),
      (error) => isShown && setProblem(wordsOf(error)),
    );
    return () => {
      isShown = false;
    };
  }, [asked, signIn]);
  if (found)
    return (
      <Question found={found} places={signIn.places} agree={(channelId) => signIn.agree(asked, channelId)} go={go} />
    );
  if (problem) {
    return (
      <Doorstep title="This app cannot be let in" lead={problem}>
        <Button size="l" isWide onClick={() => go("/")}>
          To the workspace
        </Button>
      </Doorstep>
    );
  }
  return (
    <Doorstep title="One moment">
      <span class={css.waiting}>
        <Spinner size={28} label="Looking at what the app asks for" />
      </span>
    </Doorstep>
  );
}

interface QuestionProps {
  readonly found: Consent;
  readonly places: SignIn["places"];
  readonly agree: (channelId?: Id) => Promise<string>;
  readonly go: (address: string) => void;
}

function Question({ found, places, agree, go }: QuestionProps) {
  const [problem, setProblem] = useState("");
  const [place, setPlace] = useState<Place | null>(null);
  const [isChoiceMissing, setChoiceMissing] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const allow = async () => {
    if (found.wantsChannel && !place) return setChoiceMissing(true);
    setBusy(true);
    setProblem("");
    try {
      go(await agree(place?.id));
    } catch (error) {
      setProblem(wordsOf(error));
      setBusy(false);
    }
  };
  return (
    <Doorstep
      title={`${found.appName} asks for access to ${found.teamName}`}
      lead={`You are signed in as @${found.userName}.`}
    >
      <div class={css.asked}>
        <Problem words={problem} />
        <Scopes title={`As a bot of its own, ${found.appName} may`} scopes={found.scopes} />
        <Scopes title="In your name, seeing what you see, it may" scopes={found.userScopes} />
        {found.wantsChannel && (
          <Where
            found={found}
            places={places}
            chosen={place}
            onChange={(chosen) => {
              setPlace(chosen);
              setChoiceMissing(false);
            }}
            problem={isChoiceMissing ? "Choose where the app may post." : ""}
          />
        )}
      </div>
      <div class={css.buttons}>
        <Button kind="primary" size="l" isWide isBusy={isBusy} onClick={() => void allow()}>
          Allow
        </Button>
        <Button size="l" isWide onClick={() => go(found.declined)}>
          Cancel
        </Button>
        <p class={door.foot}>Either way you are sent to {hostOf(found.goesTo)}.</p>
      </div>
    </Doorstep>
  );
}

interface WhereProps {
  readonly found: Consent;
  readonly places: SignIn["places"];
  readonly chosen: Place | null;
  readonly onChange: (chosen: Place | null) => void;
  readonly problem: string;
}

/** Chosen among one's own conversations, once they are there. */
function Where({ found, places, chosen, onChange, problem }: WhereProps) {
  const loaded = useLoaded(useCallback(() => places(found.userName), [places, found.userName]));
  if (loaded.value) {
    const label = `Where may ${found.appName} post?`;
    return <ChannelChooser label={label} places={loaded.value} chosen={chosen} onChange={onChange} problem={problem} />;
  }
  if (loaded.problem)
    return (
      <>
        <Problem words={loaded.problem} />
        <Button onClick={loaded.again}>Try again</Button>
      </>
    );
  return (
    <span class={css.waiting}>
      <Spinner size={20} label="Looking for your conversations" />
    </span>
  );
}

function Scopes({ title, scopes }: { readonly title: string; readonly scopes: readonly string[] }) {
  if (scopes.length === 0) return null;
  return (
    <section>
      <h2 class={css.heading}>{title}</h2>
      <ul class={css.scopes}>
        {scopes.map((scope) => (
          <li key={scope} class={css.scope}>
            {scope}
          </li>
        ))}
      </ul>
    </section>
  );
}

function hostOf(address: string): string {
  try {
    return new URL(address).host;
  } catch {
    return address;
  }
}
