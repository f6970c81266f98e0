/** The workspace: its client and the screen's services for all views, what holds for the whole window, and the frame. */
import { effect } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { Client, SignIn } from "../core/contract";
import { ClientContext, ScreenContext, useNavigation } from "../ui/context";
import { Dialog } from "../ui/Dialog";
import { LiveRegion } from "../ui/LiveRegion";
import { lazy } from "../ui/lazy";
import { SkeletonRows } from "../ui/Spinner";
import { isStrings, readStored, writeStored } from "../ui/stored";
import { Toasts } from "../ui/Toast";
import { TooltipLayer } from "../ui/Tooltip";
import { watchNotifications } from "../views/notifications/desktop";
import { visited } from "../views/switcher/rank";
import { callAttention } from "./attention";
import { Confirm } from "./Confirm";
import { Frame } from "./Frame";
import { createScreen, type LiveScreen } from "./screen";
import { applyLook } from "./theme";
import { useCommands } from "./useCommands";

const Dialogs = lazy(
  () => import("../views/dialogs/Dialogs").then((module) => module.Dialogs),
  // What is typed for a dialog that is not there yet must not go into the message that one was writing.
  ({ onClose }) => (
    <Dialog title="One moment" size="s" isBare onClose={onClose}>
      <SkeletonRows count={3} />
    </Dialog>
  ),
);

/** The first screen has the line for itself so long. */
const PRELOAD_AFTER_MS = 1_000;

interface WorkspaceProps {
  readonly client: Client;
  readonly signIn: SignIn;
  /** With what to tell who did not ask for it. */
  readonly onSignedOut: (notice: string) => void;
}

export function Workspace({ client, signIn, onSignedOut }: WorkspaceProps) {
  const navigation = useNavigation();
  const signedOut = useRef(onSignedOut);
  signedOut.current = onSignedOut;
  const screen = useMemo(
    () =>
      createScreen(async () => {
        await signIn.signOut();
        navigation.navigate({ page: "signin" }, { replace: true });
        signedOut.current("");
      }),
    [signIn, navigation],
  );
  useCommands(client, navigation, screen);
  useEffect(() => {
    // Before they are asked for: who types after Ctrl+K must not wait for code.
    const timer = window.setTimeout(() => Dialogs.preload().catch(() => undefined), PRELOAD_AFTER_MS);
    return () => window.clearTimeout(timer);
  }, []);
  useEffect(() => callAttention(document, client, navigation), [client, navigation]);
  useEffect(() => watchNotifications(client, navigation), [client, navigation]);
  useEffect(() => effect(() => applyLook(document.documentElement, client.preferences.value)), [client]);
  useEffect(
    () =>
      effect(() => {
        if (client.connection.value.phase === "signed_out") {
          signedOut.current("You have been signed out. Please sign in again.");
        }
      }),
    [client],
  );
  useEffect(
    () =>
      effect(() => {
        const route = navigation.route.value;
        if (route.page !== "conversation") return;
        writeStored("last", route.conversationId);
        writeStored("recent", visited(readStored("recent", [], isStrings), route.conversationId));
      }),
    [navigation],
  );
  return (
    <ClientContext.Provider value={client}>
      <ScreenContext.Provider value={screen}>
        <Frame />
        <DialogLayer screen={screen} signIn={signIn} />
        <Toasts toasts={screen.toasts} onGone={screen.dropToast} />
        <LiveRegion text={screen.said} />
        <TooltipLayer />
      </ScreenContext.Provider>
    </ClientContext.Provider>
  );
}

function DialogLayer({ screen, signIn }: { readonly screen: LiveScreen; readonly signIn: SignIn }) {
  const request = screen.dialog.value;
  const asked = screen.asked.value;
  return (
    <>
      {request && <Dialogs request={request} onClose={screen.close} signIn={signIn} />}
      {asked && <Confirm asked={asked} />}
    </>
  );
}
