/** The mark alone, while there is nothing else to show. It comes late, so that a quick start shows no flicker. */
import { Mark } from "../ui/Mark";
import css from "./Splash.module.css";

export const Splash = () => (
  <div class={css.splash} role="status" aria-label="Loading">
    <Mark size={48} />
  </div>
);
