/** Sending later: a menu of likely times, and a dialog for any other. */
import { Clock } from "lucide-preact";
import { useState } from "preact/hooks";
import { Button } from "../../ui/Button";
import { usePreferences } from "../../ui/context";
import { Dialog } from "../../ui/Dialog";
import type { MenuItem } from "../../ui/Menu";
import css from "./Composer.module.css";
import { choices, localInput, problemWith } from "./schedule";

export function useScheduleItems(onChoose: (atS: number) => void, onOther: () => void): MenuItem[] {
  const { clock } = usePreferences();
  return [
    ...choices(Date.now(), clock).map(({ label, hint, atS }) => ({ label, hint, onSelect: () => onChoose(atS) })),
    "-" as const,
    { label: "Another time…", icon: Clock, onSelect: onOther },
  ];
}

interface ScheduleDialogProps {
  readonly onChoose: (atS: number) => void;
  readonly onClose: () => void;
}

export function ScheduleDialog({ onChoose, onClose }: ScheduleDialogProps) {
  const [value, setValue] = useState(() => localInput(Date.now() + 86_400_000));
  const problem = problemWith(new Date(value).getTime(), Date.now());
  const submit = () => {
    if (problem) return;
    onClose();
    onChoose(Math.floor(new Date(value).getTime() / 1000));
  };
  return (
    <Dialog
      title="Send later"
      size="s"
      onClose={onClose}
      onSubmit={submit}
      footer={
        <>
          <Button kind="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button kind="primary" type="submit" disabled={problem !== ""}>
            Schedule
          </Button>
        </>
      }
    >
      <label class={css.when}>
        Day and time
        <input
          type="datetime-local"
          data-autofocus
          value={value}
          min={localInput(Date.now())}
          aria-invalid={problem !== ""}
          onInput={(event) => setValue(event.currentTarget.value)}
        />
        <span class={css.problem} role="status">
          {problem}
        </span>
      </label>
    </Dialog>
  );
}
