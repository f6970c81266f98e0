/** The state of the line, said where it concerns one: not while all is well, and not for the blink of an eye. */
import { CloudOff, RefreshCw } from "lucide-preact";
import { useEffect, useState } from "preact/hooks";
import type { ConnectionState } from "../core/contract";
import { Button } from "../ui/Button";
import { useClient } from "../ui/context";
import css from "./Banner.module.css";

/** How long a line may be away before one is told. */
const PATIENCE_MS = 1_500;

export function Banner() {
  const client = useClient();
  const state = client.connection.value;
  const isAway = state.phase === "waiting" || state.phase === "offline";
  const isLong = useLasting(isAway || (state.phase === "resuming" && state.problem !== ""));
  const now = useNow(isLong && state.retryAt !== null);
  if (!isLong) return null;
  return (
    <div class={css.banner}>
      <CloudOff size={16} aria-hidden="true" />
      <p class={css.words}>
        <span role="status">{wordsFor(state)}</span> <span aria-hidden="true">{countdown(state, now)}</span>
      </p>
      {state.phase === "waiting" && (
        <Button size="s" icon={RefreshCw} onClick={client.retryNow}>
          Try now
        </Button>
      )}
    </div>
  );
}

/** Pure. */
export function wordsFor(state: ConnectionState): string {
  const kept = "What you write is kept and sent later.";
  if (state.phase === "offline") return `You are offline. ${kept}`;
  if (state.phase === "resuming") return state.problem;
  return `${state.problem || "The line to the server is gone."} ${kept}`;
}

/** Drawn, but not said each second. Pure. */
export function countdown(state: ConnectionState, now: number): string {
  if (state.phase !== "waiting") return "";
  const seconds = state.retryAt === null ? 0 : Math.max(0, Math.ceil((state.retryAt - now) / 1000));
  return seconds > 0 ? `Trying again in ${seconds} s.` : "Trying again…";
}

function useLasting(holds: boolean): boolean {
  const [isLong, setLong] = useState(false);
  useEffect(() => {
    if (!holds) return setLong(false);
    const timer = window.setTimeout(() => setLong(true), PATIENCE_MS);
    return () => window.clearTimeout(timer);
  }, [holds]);
  return isLong && holds;
}

function useNow(isRunning: boolean): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!isRunning) return;
    setNow(Date.now());
    const timer = window.setInterval(() => setNow(Date.now()), 1_000);
    return () => window.clearInterval(timer);
  }, [isRunning]);
  return now;
}
