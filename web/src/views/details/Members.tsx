/** Who is in a conversation, page by page; adding and removing. */
import { UserMinus, UserPlus } from "lucide-preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { Conversation, Id } from "../../core/contract";
import { Avatar } from "../../ui/Avatar";
import { Button, IconButton } from "../../ui/Button";
import { classes } from "../../ui/classes";
import { useClient, useScreen } from "../../ui/context";
import { Empty } from "../../ui/Empty";
import { SkeletonRows } from "../../ui/Spinner";
import { wordsOf } from "../../ui/words";
import { useVisiblePeople } from "../sidebar/useVisiblePeople";
import css from "./details.module.css";

export function Members({ conversation }: { readonly conversation: Conversation }) {
  const client = useClient();
  const screen = useScreen();
  const scroller = useRef<HTMLDivElement>(null);
  const list = useMembers(conversation);
  useVisiblePeople(scroller, list.ids.join());
  const self = client.user(client.selfId).value;
  const mayRemove = self?.isAdmin || conversation.creatorId === client.selfId || conversation.kind === "private";
  const remove = async (userId: Id, label: string) => {
    const goesOn = await screen.confirm({
      title: `Remove ${label}?`,
      text: `${label} does not get messages of #${conversation.name} any more.`,
      action: "Remove",
      isDangerous: true,
    });
    if (!goesOn) return;
    try {
      await client.removeMember(conversation.id, userId);
      list.drop(userId);
    } catch (error) {
      screen.fail(error);
    }
  };
  return (
    <div ref={scroller} class={classes(css.scroller, css.tight)}>
      {conversation.isMember && (
        <div class={css.tools}>
          <Button
            icon={UserPlus}
            isWide
            onClick={() => screen.open({ kind: "add_members", conversationId: conversation.id })}
          >
            Add people
          </Button>
        </div>
      )}
      {list.problem && (
        <Empty title="The members did not load" action={<Button onClick={list.more}>Try again</Button>}>
          {list.problem}
        </Empty>
      )}
      {list.ids.length === 0 && list.isBusy && <SkeletonRows />}
      <ul>
        {list.ids.map((id) => (
          <Member
            key={id}
            id={id}
            onRemove={mayRemove && !conversation.isGeneral && id !== client.selfId ? remove : undefined}
          />
        ))}
      </ul>
      {list.hasMore && (
        <Button isBusy={list.isBusy} class={css.more} onClick={list.more}>
          More members
        </Button>
      )}
    </div>
  );
}

interface MemberProps {
  readonly id: Id;
  readonly onRemove: ((id: Id, label: string) => Promise<void>) | undefined;
}

function Member({ id, onRemove }: MemberProps) {
  const client = useClient();
  const screen = useScreen();
  const user = client.user(id).value;
  const label = user?.label ?? "…";
  return (
    <li class={css.person} data-watch={id}>
      <button type="button" class={css.open} onClick={() => screen.open({ kind: "profile", userId: id })}>
        <Avatar user={user} size={32} hasPresence />
        <span class={css.words}>
          <span class={css.name}>
            {label}
            {id === client.selfId && " (you)"}
          </span>
          {user?.title && <span class={css.under}>{user.title}</span>}
        </span>
      </button>
      {onRemove && (
        <IconButton
          size="s"
          icon={UserMinus}
          label={`Remove ${label}`}
          class={css.drop}
          onClick={() => void onRemove(id, label)}
        />
      )}
    </li>
  );
}

function useMembers(conversation: Conversation) {
  const client = useClient();
  const [ids, setIds] = useState<readonly Id[]>([]);
  const [cursor, setCursor] = useState("");
  const [isBusy, setBusy] = useState(true);
  const [problem, setProblem] = useState("");
  const { id, memberCount } = conversation;
  const ask = useCallback(
    async (from: string, isWanted: () => boolean) => {
      setBusy(true);
      setProblem("");
      try {
        const page = await client.members(id, from);
        if (!isWanted()) return;
        setIds((old) => (from ? [...new Set([...old, ...page.ids])] : page.ids));
        setCursor(page.cursor);
      } catch (error) {
        if (isWanted()) setProblem(wordsOf(error));
      }
      if (isWanted()) setBusy(false);
    },
    [client, id],
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: when their number changes, the list is another
  useEffect(() => {
    let isWanted = true;
    void ask("", () => isWanted);
    return () => {
      isWanted = false;
    };
  }, [ask, memberCount]);
  return {
    ids,
    isBusy,
    problem,
    hasMore: cursor !== "",
    more: () => void ask(cursor, () => true),
    drop: (gone: Id) => setIds((old) => old.filter((one) => one !== gone)),
  };
}
