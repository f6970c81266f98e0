/** Pictures over the whole window: arrows go from one to the next, a press or "+" shows one as large as it is. */
import { ChevronLeft, ChevronRight, Download, ExternalLink, X, ZoomIn, ZoomOut } from "lucide-preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { FileInfo } from "../../core/contract";
import { IconButton } from "../../ui/Button";
import { classes } from "../../ui/classes";
import css from "./Lightbox.module.css";
import { sizeOf } from "./size";

interface LightboxProps {
  readonly files: readonly FileInfo[];
  readonly first: number;
  readonly onClose: () => void;
}

export function Lightbox({ files, first, onClose }: LightboxProps) {
  const [at, setAt] = useState(first);
  const [isFull, setFull] = useState(false);
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      dialog.current?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    };
  }, []);
  const file = files[at];
  if (!file) return null;
  const go = (by: number) => {
    setFull(false);
    setAt((now) => (now + by + files.length) % files.length);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    event.stopPropagation(); // the message behind it has keys of its own
    const act = {
      ArrowLeft: () => go(-1),
      ArrowRight: () => go(1),
      "+": () => setFull(true),
      "-": () => setFull(false),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };
  return (
    <dialog
      ref={dialog}
      class={css.box}
      aria-label={file.title || file.name}
      onKeyDown={onKeyDown}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <header class={css.bar}>
        <span class={css.name}>{file.title || file.name}</span>
        <span class={css.about}>
          {files.length > 1 && `${at + 1} of ${files.length} · `}
          {file.width && file.height ? `${file.width} × ${file.height} · ` : ""}
          {sizeOf(file.size)}
        </span>
        <IconButton
          icon={isFull ? ZoomOut : ZoomIn}
          label={isFull ? "Fit to window" : "Actual size"}
          onClick={() => setFull(!isFull)}
        />
        <a class={css.link} href={file.url} target="_blank" rel="noopener noreferrer" aria-label="Open in a new tab">
          <ExternalLink size={18} aria-hidden="true" />
        </a>
        <a class={css.link} href={file.downloadUrl} download={file.name} aria-label="Download">
          <Download size={18} aria-hidden="true" />
        </a>
        <IconButton icon={X} label="Close" data-autofocus onClick={onClose} />
      </header>
      <div class={classes(css.stage, isFull && css.full)}>
        {/* biome-ignore lint/a11y/useKeyWithClickEvents: plus and minus are the keys for it */}
        <img src={file.url} alt={file.title || file.name} class={css.picture} onClick={() => setFull(!isFull)} />
      </div>
      {files.length > 1 && (
        <>
          <IconButton icon={ChevronLeft} label="Previous picture" class={css.previous} onClick={() => go(-1)} />
          <IconButton icon={ChevronRight} label="Next picture" class={css.next} onClick={() => go(1)} />
        </>
      )}
    </dialog>
  );
}
