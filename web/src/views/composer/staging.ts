/** Files that are to go with the next message: chosen, pasted or dropped, seen before they are sent. */
import { type Signal, signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";

export interface Staged {
  readonly key: string;
  readonly file: File;
  /** An address within the page, of a picture; else "". */
  readonly preview: string;
}

/** As many as go with one message. */
export const STAGED_MAX = 10;

export interface Staging {
  readonly files: Signal<readonly Staged[]>;
  /** How many were too many. */
  add(files: readonly File[]): number;
  remove(key: string): void;
  /** Hand them over, and be empty. */
  take(): File[];
}

export function makeStaging(): Staging {
  const files = signal<readonly Staged[]>([]);
  let count = 0;
  const drop = ({ preview }: Staged) => preview && URL.revokeObjectURL(preview);
  const stage = (file: File): Staged => {
    count += 1;
    const isPicture = /^image\/(?:png|jpeg|gif|webp|avif)$/.test(file.type);
    return { key: `${count}`, file, preview: isPicture ? URL.createObjectURL(file) : "" };
  };
  return {
    files,
    add(more) {
      const room = Math.max(0, STAGED_MAX - files.peek().length);
      files.value = [...files.peek(), ...more.slice(0, room).map(stage)];
      return Math.max(0, more.length - room);
    },
    remove(key) {
      for (const one of files.peek()) if (one.key === key) drop(one);
      files.value = files.peek().filter((one) => one.key !== key);
    },
    take() {
      const taken = files.peek();
      for (const one of taken) drop(one);
      files.value = [];
      return taken.map(({ file }) => file);
    },
  };
}

export function useStaging(): Staging {
  const staging = useMemo(makeStaging, []);
  useEffect(() => () => void staging.take(), [staging]);
  return staging;
}
