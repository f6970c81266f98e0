/** Who is there? Then the way in, or the workspace. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { Asked, Client, Id, SessionInfo, SignIn } from "../core/contract";
import { Button } from "../ui/Button";
import { type Navigation, NavigationContext, useNavigation } from "../ui/context";
import { Empty } from "../ui/Empty";
import { lazy } from "../ui/lazy";
import { wordsOf } from "../ui/words";
import { firstConversation } from "./first";
import { Splash } from "./Splash";
import { ConversationView } from "./slots";

const SignInPage = lazy(() => import("../views/signin/SignInPage").then((module) => module.SignInPage));
const JoinPage = lazy(() => import("../views/join/JoinPage").then((module) => module.JoinPage));
const ConsentPage = lazy(() => import("../views/consent/ConsentPage").then((module) => module.ConsentPage));
const Workspace = lazy(() => import("./Workspace").then((module) => module.Workspace), Splash);

export interface RootProps {
  readonly signIn: SignIn;
  readonly makeClient: (session: SessionInfo, first: Id | undefined) => Client;
  readonly navigation: Navigation;
}

/** Begin to fetch what will most likely be shown. */
export const preload = (): Promise<unknown> => Promise.all([Workspace.preload(), ConversationView.preload()]);

export const Root = (props: RootProps) => (
  <NavigationContext.Provider value={props.navigation}>
    <Door signIn={props.signIn} makeClient={props.makeClient} />
  </NavigationContext.Provider>
);

type State =
  | { readonly kind: "asking" }
  | { readonly kind: "failed"; readonly words: string }
  | { readonly kind: "out"; readonly session: SessionInfo; readonly notice: string }
  | { readonly kind: "in"; readonly client: Client }
  /** Signed in, and asked something by an app: the workspace is not looked at. */
  | { readonly kind: "consent"; readonly asked: Asked };

function Door({ signIn, makeClient }: Omit<RootProps, "navigation">) {
  const { route, navigate } = useNavigation();
  const [state, setState] = useState<State>({ kind: "asking" });
  const client = useRef<Client | null>(null);
  const ask = useCallback(
    async (notice = "") => {
      client.current?.dispose();
      client.current = null;
      try {
        const session = await signIn.session();
        if (!session.isSignedIn) return setState({ kind: "out", session, notice });
        const where = route.peek();
        if (where.page === "consent") return setState({ kind: "consent", asked: where });
        if (where.page === "signin" || where.page === "join") navigate({ page: "home" }, { replace: true });
        client.current = makeClient(session, firstConversation(route.peek()));
        setState({ kind: "in", client: client.current });
      } catch (error) {
        setState({ kind: "failed", words: wordsOf(error) });
      }
    },
    [signIn, makeClient, route, navigate],
  );
  const { page } = route.value;
  const isJoining = page === "join";
  useEffect(() => {
    if (!isJoining) void ask();
  }, [isJoining, ask]);
  useEffect(() => () => client.current?.dispose(), []);

  if (route.value.page === "join")
    return <JoinPage code={route.value.code} signIn={signIn} onDone={() => void ask()} />;
  switch (state.kind) {
    case "asking":
      return <Splash />;
    case "failed":
      return (
        <Empty title="The server cannot be reached" action={<Button onClick={() => void ask()}>Try again</Button>}>
          {state.words}
        </Empty>
      );
    case "out":
      return <SignInPage session={state.session} notice={state.notice} signIn={signIn} onDone={() => void ask()} />;
    case "consent":
      return <ConsentPage asked={state.asked} signIn={signIn} />;
    case "in":
      return <Workspace client={state.client} signIn={signIn} onSignedOut={(notice) => void ask(notice)} />;
  }
}
