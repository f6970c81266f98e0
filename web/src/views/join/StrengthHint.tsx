/** How strong a password is, while one types it. */
import { classes } from "../../ui/classes";
import css from "./JoinPage.module.css";
import { PASSWORD_LETTERS_MIN, strengthOf } from "./strength";

export function StrengthHint({ password, own }: { readonly password: string; readonly own: readonly string[] }) {
  const { score, words } = strengthOf(password, own);
  return (
    <div class={css.strength}>
      <span class={css.bars} aria-hidden="true">
        {[1, 2, 3, 4].map((step) => (
          <span key={step} class={classes(css.bar, password && score >= step && css[`score_${score}`])} />
        ))}
      </span>
      <span role="status" class={css.words}>
        {password ? words : `At least ${PASSWORD_LETTERS_MIN} characters`}
      </span>
    </div>
  );
}
