/** Who is writing now, below the field; its place is kept while nobody is. */
import type { Id, Ts } from "../../core/contract";
import { useClient } from "../../ui/context";
import css from "./ConversationView.module.css";
import { typingWords } from "./named";

interface TypingLineProps {
  readonly conversationId: Id;
  readonly threadTs: Ts | null;
}

export function TypingLine({ conversationId, threadTs }: TypingLineProps) {
  const client = useClient();
  const ids = client.typing(conversationId, threadTs ?? undefined).value;
  const names = ids.slice(0, 4).map((id) => client.user(id).value?.label ?? "Somebody");
  const words = typingWords(names);
  return (
    <div class={css.typing}>
      {words && (
        <>
          <span class={css.dots} aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
          {words}
        </>
      )}
    </div>
  );
}
