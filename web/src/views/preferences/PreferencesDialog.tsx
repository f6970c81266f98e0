/** How one likes it: the look, what tells one of messages, writing. All of it holds at once. */
import { useState } from "preact/hooks";
import type { Theme } from "../../core/contract";
import { Button } from "../../ui/Button";
import { RadioCards, Switch } from "../../ui/Choice";
import { useClient, usePreferences } from "../../ui/context";
import { Dialog } from "../../ui/Dialog";
import { Tabs } from "../../ui/Tabs";
import { askPermission, permission } from "../notifications/desktop";
import { createPing } from "../notifications/ping";
import css from "./PreferencesDialog.module.css";

type TabName = "look" | "notifications" | "writing";

const TABS = [
  { name: "look", label: "Look" },
  { name: "notifications", label: "Notifications" },
  { name: "writing", label: "Writing" },
] as const;

interface PreferencesDialogProps {
  readonly tab: TabName | undefined;
  readonly onClose: () => void;
}

export function PreferencesDialog({ tab = "look", onClose }: PreferencesDialogProps) {
  const [chosen, setChosen] = useState<TabName>(tab);
  return (
    <Dialog title="Preferences" onClose={onClose}>
      <div class={css.frame}>
        <Tabs label="Preferences" tabs={TABS} chosen={chosen} onChoose={setChosen} class={css.tabs}>
          <div class={css.page}>
            {chosen === "look" && <Look />}
            {chosen === "notifications" && <Notifications />}
            {chosen === "writing" && <Writing />}
          </div>
        </Tabs>
      </div>
    </Dialog>
  );
}

const swatch = (theme: Theme) => <span aria-hidden="true" class={css.swatch} data-swatch={theme} />;

const THEMES = [
  { value: "system", label: "System", picture: swatch("system") },
  { value: "light", label: "Light", picture: swatch("light") },
  { value: "dark", label: "Dark", picture: swatch("dark") },
] as const;

const DENSITIES = [
  { value: "comfortable", label: "Comfortable", hint: "Faces, and room around each message" },
  { value: "compact", label: "Compact", hint: "More messages on the screen" },
] as const;

const CLOCKS = [
  { value: "24", label: "14:30" },
  { value: "12", label: "2:30 PM" },
] as const;

function Look() {
  const client = useClient();
  const { theme, density, clock } = usePreferences();
  return (
    <>
      <RadioCards
        label="Theme"
        isRow
        options={THEMES}
        value={theme}
        onChange={(value) => client.setPreferences({ theme: value })}
      />
      <RadioCards
        label="Density"
        isRow
        options={DENSITIES}
        value={density}
        onChange={(value) => client.setPreferences({ density: value })}
      />
      <RadioCards
        label="Clock"
        isRow
        options={CLOCKS}
        value={clock}
        onChange={(value) => client.setPreferences({ clock: value })}
      />
    </>
  );
}

const KINDS = [
  { value: "all", label: "Every message", hint: "In any conversation that is not muted" },
  { value: "mentions", label: "Direct messages and mentions", hint: "When somebody means you" },
  { value: "none", label: "Nothing" },
] as const;

function Notifications() {
  const client = useClient();
  const { notifications, sound } = usePreferences();
  const setSound = (on: boolean) => {
    client.setPreferences({ sound: on });
    if (on) createPing()(); // so that one knows what it is
  };
  return (
    <>
      <Permission />
      <RadioCards
        label="Tell me of"
        options={KINDS}
        value={notifications}
        onChange={(value) => client.setPreferences({ notifications: value })}
      />
      <Switch label="Sound" hint="Two soft tones with each notification" isOn={sound} onChange={setSound} />
    </>
  );
}

function Permission() {
  const [state, setState] = useState(permission);
  if (state === "granted") return null;
  if (state === "default") {
    return (
      <div class={css.notice}>
        <p>The browser shows notifications only if you allow it.</p>
        <Button size="s" kind="primary" onClick={() => void askPermission().then(setState)}>
          Allow
        </Button>
      </div>
    );
  }
  return (
    <div class={css.notice}>
      <p>
        {state === "denied"
          ? "This browser was told not to show notifications of this site. Its settings for the site can allow them again."
          : "This browser shows no notifications."}
      </p>
    </div>
  );
}

function Writing() {
  const client = useClient();
  const { sendWithEnter } = usePreferences();
  return (
    <Switch
      label="Enter sends the message"
      hint={sendWithEnter ? "Shift+Enter begins a new line" : "Enter begins a new line, Ctrl+Enter sends"}
      isOn={sendWithEnter}
      onChange={(on) => client.setPreferences({ sendWithEnter: on })}
    />
  );
}
