/** A question before something that cannot be taken back. */
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import css from "./Confirm.module.css";
import type { Asked } from "./screen";

export function Confirm({ asked: { question, answer } }: { readonly asked: Asked }) {
  const footer = (
    <>
      <Button onClick={() => answer(false)}>{question.denial ?? "Cancel"}</Button>
      <Button kind={question.isDangerous ? "danger" : "primary"} data-autofocus onClick={() => answer(true)}>
        {question.action}
      </Button>
    </>
  );
  return (
    <Dialog title={question.title} size="s" onClose={() => answer(false)} footer={footer}>
      <p class={css.text}>{question.text}</p>
    </Dialog>
  );
}
