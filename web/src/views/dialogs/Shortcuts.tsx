/** All keys. */
import { SHORTCUTS } from "../../app/shortcuts";
import { Dialog } from "../../ui/Dialog";
import { keysHere } from "../../ui/platform";
import css from "./Shortcuts.module.css";

export const Shortcuts = ({ onClose }: { readonly onClose: () => void }) => (
  <Dialog title="Keyboard shortcuts" size="l" onClose={onClose}>
    {/* biome-ignore lint/a11y/noNoninteractiveTabindex: without the focus in it no key would scroll it */}
    <section data-autofocus tabIndex={0} aria-label="All keys" class={css.columns}>
      {SHORTCUTS.map((group) => (
        <section key={group.title}>
          <h3 class={css.title}>{group.title}</h3>
          <dl>
            {group.shortcuts.map(([keys, what]) => (
              <div key={what} class={css.row}>
                <dt>{what}</dt>
                <dd class={css.keys}>
                  {keys.split(" | ").map((one) => (
                    <kbd key={one} class={css.key}>
                      {keysHere(one).replaceAll("+", " + ")}
                    </kbd>
                  ))}
                </dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </section>
  </Dialog>
);
