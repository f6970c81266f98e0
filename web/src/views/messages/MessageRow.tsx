/** A message: who, when, what, and all that hangs on it. The bar of what one can do with it comes with pointer or focus. */
import type { Message } from "../../core/contract";
import { TabStop } from "../../text/tabstop";
import { classes } from "../../ui/classes";
import { useClient, usePreferences } from "../../ui/context";
import { lazy } from "../../ui/lazy";
import { fullTime, msOf, timeOfDay } from "../../ui/time";
import { Author, Face } from "./Author";
import { DeliveryNote } from "./DeliveryNote";
import { Flags, hasFlags } from "./Flags";
import { type ListState, useList } from "./list";
import { MessageBody } from "./MessageBody";
import css from "./MessageRow.module.css";
import { Reactions } from "./Reactions";
import { isSystem, SystemLine } from "./SystemLine";
import { ThreadFooter } from "./ThreadFooter";
import { Toolbar } from "./Toolbar";
import { rowId } from "./useFeedKeys";
import { useMessageActions } from "./useMessageActions";

const EditBox = lazy(() => import("../composer/EditBox").then((module) => module.EditBox));

interface MessageRowProps {
  readonly message: Message;
  readonly isContinued: boolean;
  readonly isActive: boolean;
  readonly hasBar: boolean;
  readonly isEditing: boolean;
  readonly isFlashing: boolean;
}

export function MessageRow({ message, isContinued, isActive, hasBar, isEditing, isFlashing }: MessageRowProps) {
  const list = useList();
  const client = useClient();
  const actions = useMessageActions(message);
  const isCompact = usePreferences().density === "compact";
  const id = rowId(list, message.key);
  // What happened begins with who did it, which calls nobody.
  const isMention = !isSystem(message) && message.text.includes(`<@${client.selfId}>`);
  return (
    <TabStop.Provider value={isActive ? 0 : -1}>
      <article
        tabIndex={isActive ? 0 : -1}
        id={id}
        data-row={message.key}
        aria-labelledby={`${id}-who ${id}-when ${id}-what`}
        class={classes(
          css.row,
          isContinued && css.continued,
          isCompact && css.compact,
          isMention && css.mention,
          message.isPinned && css.pinned,
          isFlashing && css.flash,
          isEditing && css.editing,
          message.delivery !== "sent" && css.unsent,
        )}
        onPointerMove={(event) => event.pointerType !== "touch" && comeNear(list, message.key)}
        onPointerLeave={() => leave(list, message.key)}
        onKeyDown={actions.onKeyDown}
      >
        <Gutter id={id} message={message} isContinued={isContinued} isCompact={isCompact} />
        <div class={css.content}>
          {hasFlags(message) && <Flags message={message} />}
          {!isContinued && <Author message={message} id={id} isInline={isCompact} />}
          <div id={`${id}-what`} class={css.what}>
            {isEditing ? (
              <EditBox message={message} onDone={actions.endEdit} />
            ) : isSystem(message) ? (
              <SystemLine message={message} />
            ) : (
              <MessageBody message={message} />
            )}
          </div>
          {/* Asked for here, so that the many plain messages cost nothing for what they have not. */}
          {message.delivery !== "sent" && <DeliveryNote message={message} />}
          {message.reactions.length > 0 && <Reactions message={message} onAdd={actions.pick} />}
          {message.replyCount > 0 && !list.threadTs && <ThreadFooter message={message} />}
        </div>
        {hasBar && !isEditing && <Toolbar message={message} actions={actions} />}
      </article>
    </TabStop.Provider>
  );
}

/** While a menu of a bar is open that bar stays, and with it what the menu stands beside. */
const isHeld = () => document.querySelector("[role=feed] [aria-expanded=true]") !== null;

function comeNear(list: ListState, key: string): void {
  if (list.near.peek() !== key && !isHeld()) list.near.value = key;
}

function leave(list: ListState, key: string): void {
  if (list.near.peek() === key && !isHeld()) list.near.value = null;
}

interface GutterProps {
  readonly id: string;
  readonly message: Message;
  readonly isContinued: boolean;
  readonly isCompact: boolean;
}

/** The face, or the time of one that goes on below it. */
function Gutter({ id, message, isContinued, isCompact }: GutterProps) {
  const { clock } = usePreferences();
  const at = msOf(message.ts);
  if (!isContinued && !isCompact) return <Face message={message} />;
  return (
    <time
      id={`${id}-when`}
      class={css.gutterTime}
      dateTime={new Date(at).toISOString()}
      data-tooltip={fullTime(at, clock)}
    >
      {timeOfDay(at, clock).replace(/ .M$/, "")}
    </time>
  );
}
