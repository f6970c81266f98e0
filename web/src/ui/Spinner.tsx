/** Waiting, shown: a ring that turns, and grey shapes where content will be. */
import css from "./Spinner.module.css";

interface SpinnerProps {
  readonly size?: number;
  /** Said to screen readers; without it the ring is decoration. */
  readonly label?: string;
}

export function Spinner({ size = 20, label }: SpinnerProps) {
  const said = label ? ({ role: "status", "aria-label": label } as const) : ({ "aria-hidden": true } as const);
  return <span {...said} class={css.spinner} style={{ width: `${size}px`, height: `${size}px` }} />;
}

/** A line of text to come. */
export function Skeleton({ width = "100%", height = 12 }: { readonly width?: string; readonly height?: number }) {
  return <span aria-hidden="true" class={css.skeleton} style={{ width, height: `${height}px` }} />;
}

/** Rows to come, each with a picture and two lines. */
export function SkeletonRows({ count = 5 }: { readonly count?: number }) {
  return (
    <div aria-hidden="true" class={css.rows}>
      {Array.from({ length: count }, (_, index) => (
        <div key={index} class={css.row}>
          <span class={css.picture} />
          <span class={css.lines}>
            <Skeleton width={`${24 + ((index * 17) % 30)}%`} />
            <Skeleton width={`${55 + ((index * 29) % 40)}%`} />
          </span>
        </div>
      ))}
    </div>
  );
}
