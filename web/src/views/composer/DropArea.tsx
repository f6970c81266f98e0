/** Files dropped anywhere on a pane are for its composer. */
import { Upload } from "lucide-preact";
import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import css from "./DropArea.module.css";

interface DropAreaProps {
  readonly onFiles: ((files: readonly File[]) => void) | null;
  /** Where they would go: "#general". */
  readonly name: string;
  readonly children: ComponentChildren;
}

const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") ?? false;

export function DropArea({ onFiles, name, children }: DropAreaProps) {
  const [isOver, setOver] = useState(false);
  // Going into a child leaves its parent: entries and exits are counted.
  const depth = useRef(0);
  const enter = (by: 1 | -1) => (event: DragEvent) => {
    if (!onFiles || !hasFiles(event)) return;
    event.preventDefault();
    depth.current = Math.max(0, depth.current + by);
    setOver(depth.current > 0);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: for pointers alone; the button of the composer is for all
    <div
      class={css.area}
      onDragEnter={enter(1)}
      onDragLeave={enter(-1)}
      onDragOver={(event) => onFiles && hasFiles(event) && event.preventDefault()}
      onDrop={(event) => {
        depth.current = 0;
        setOver(false);
        if (!onFiles || !hasFiles(event)) return;
        event.preventDefault();
        onFiles([...(event.dataTransfer?.files ?? [])]);
      }}
    >
      {children}
      {isOver && (
        <div class={css.over} aria-hidden="true">
          <Upload size={28} />
          Drop to add to {name}
        </div>
      )}
    </div>
  );
}
