/** Grey shapes where messages will be, and what to do when they do not come. */
import { CloudOff } from "lucide-preact";
import { Button } from "../../ui/Button";
import { Empty } from "../../ui/Empty";
import css from "./Skeletons.module.css";

/** Widths of the lines of each, in percent: talk is uneven. */
const SHAPES: readonly (readonly number[])[] = [[62], [88, 41], [35], [74, 80, 22], [51], [67, 30]];

interface SkeletonsProps {
  readonly problem: string;
  readonly onRetry: () => void;
}

export function Skeletons({ problem, onRetry }: SkeletonsProps) {
  if (problem) {
    return (
      <div class={css.problem}>
        <Empty icon={CloudOff} title="Messages did not load" action={<Button onClick={onRetry}>Try again</Button>}>
          {problem}
        </Empty>
      </div>
    );
  }
  return (
    <div class={css.all} role="status" aria-label="Loading messages">
      {SHAPES.map((lines, index) => (
        <div key={index} class={css.one} aria-hidden="true">
          <span class={css.face} />
          <span class={css.words}>
            <span class={css.name} />
            {lines.map((width, at) => (
              <span key={at} class={css.line} style={{ width: `${width}%` }} />
            ))}
          </span>
        </div>
      ))}
    </div>
  );
}
