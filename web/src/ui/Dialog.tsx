/** A dialog by the browser's own <dialog>: it holds the focus, and gives it back when it closes. */
import { X } from "lucide-preact";
import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { IconButton } from "./Button";
import { classes } from "./classes";
import css from "./Dialog.module.css";

interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
  /** Buttons at the bottom, that which goes on last. */
  readonly footer?: ComponentChildren;
  readonly size?: "s" | "m" | "l";
  /** No header is drawn; the title is only said. The content is its own frame. */
  readonly isBare?: boolean;
  /** Makes the content a form. */
  readonly onSubmit?: () => void;
}

export function Dialog(props: DialogProps) {
  const { title, onClose, children, footer, size = "m", isBare, onSubmit } = props;
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  useLayoutEffect(() => {
    const dialog = element.current;
    const before = document.activeElement;
    if (dialog && !dialog.open) dialog.showModal();
    // Else on the dialog itself: a button that closes it is not what one came for.
    (dialog?.querySelector<HTMLElement>("[data-autofocus]") ?? dialog)?.focus();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    };
  }, []);
  const content = (
    <>
      <div class={css.content}>{children}</div>
      {footer && <footer class={css.footer}>{footer}</footer>}
    </>
  );
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape is the keyboard's way, by onCancel
    <dialog
      ref={element}
      tabIndex={-1}
      aria-labelledby={isBare ? undefined : id}
      aria-label={isBare ? title : undefined}
      class={classes(css.dialog, css[size], isBare && css.bare)}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => event.target === element.current && onClose()}
    >
      {!isBare && (
        <header class={css.header}>
          <h2 id={id} class={css.title}>
            {title}
          </h2>
          <IconButton icon={X} label="Close" onClick={onClose} />
        </header>
      )}
      {onSubmit ? (
        <form
          class={css.form}
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            onSubmit();
          }}
        >
          {content}
        </form>
      ) : (
        content
      )}
    </dialog>
  );
}
