/** What is wrong with a form as a whole. */
import { CircleAlert } from "lucide-preact";
import css from "./Doorstep.module.css";

export const Problem = ({ words }: { readonly words: string }) =>
  words ? (
    <p class={css.problem} role="alert">
      <CircleAlert size={16} aria-hidden="true" />
      <span>{words}</span>
    </p>
  ) : null;
