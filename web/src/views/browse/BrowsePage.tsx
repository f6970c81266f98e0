/** All channels that one may be in: find, look in, join, make a new one. */
import { Check, Hash, Lock, Plus, Search } from "lucide-preact";
import { useCallback, useEffect, useState } from "preact/hooks";
import type { Conversation, Id } from "../../core/contract";
import { href } from "../../core/route";
import { RichLine } from "../../text/RichText";
import { Button } from "../../ui/Button";
import { toConversation, useClient, useNavigate, useScreen } from "../../ui/context";
import { Empty } from "../../ui/Empty";
import { SkeletonRows } from "../../ui/Spinner";
import { TextField } from "../../ui/TextField";
import { membersOf, wordsOf } from "../../ui/words";
import { PageHeader, PageTitle } from "../header/PageHeader";
import css from "./BrowsePage.module.css";

const ASK_AFTER_MS = 150;

export function BrowsePage() {
  const screen = useScreen();
  const [typed, setTyped] = useState("");
  const list = useChannels(typed.trim().replace(/^#/, ""));
  const create = (name = "") => screen.open({ kind: "create_channel", ...(name && { name }) });
  return (
    <>
      <PageHeader>
        <PageTitle>Channels</PageTitle>
      </PageHeader>
      <div class={css.page}>
        <div class={css.tools}>
          <div class={css.find}>
            <TextField
              label="Find a channel"
              hidesLabel
              placeholder="Find a channel"
              lead={<Search size={15} aria-hidden="true" />}
              value={typed}
              onInput={setTyped}
              spellcheck={false}
              autocomplete="off"
            />
          </div>
          <Button kind="primary" icon={Plus} onClick={() => create()}>
            Create channel
          </Button>
        </div>
        <Channels list={list} typed={typed} onCreate={create} />
      </div>
    </>
  );
}

interface ChannelsProps {
  readonly list: ReturnType<typeof useChannels>;
  readonly typed: string;
  readonly onCreate: (name: string) => void;
}

function Channels({ list, typed, onCreate }: ChannelsProps) {
  if (list.problem && list.channels.length === 0) {
    return (
      <Empty title="The channels did not load" action={<Button onClick={list.more}>Try again</Button>}>
        {list.problem}
      </Empty>
    );
  }
  if (list.channels.length === 0 && list.isBusy) return <SkeletonRows />;
  if (list.channels.length === 0) {
    const action = <Button onClick={() => onCreate(typed)}>Create “{typed}”</Button>;
    return <Empty icon={Hash} title="There is no such channel" action={typed ? action : null} />;
  }
  return (
    <>
      <ul class={css.list}>
        {list.channels.map((channel) => (
          <ChannelRow key={channel.id} channel={channel} />
        ))}
      </ul>
      {list.hasMore && (
        <Button isBusy={list.isBusy} class={css.more} onClick={list.more}>
          More channels
        </Button>
      )}
    </>
  );
}

function ChannelRow({ channel }: { readonly channel: Conversation }) {
  const client = useClient();
  const screen = useScreen();
  const navigate = useNavigate();
  const [isBusy, setBusy] = useState(false);
  const isMember = client.conversations.value.has(channel.id);
  const Icon = channel.kind === "private" ? Lock : Hash;
  const join = async () => {
    setBusy(true);
    try {
      await client.join(channel.id);
      navigate(toConversation(channel.id));
    } catch (error) {
      screen.fail(error);
      setBusy(false);
    }
  };
  return (
    <li class={css.row}>
      <div class={css.words}>
        <a href={href(toConversation(channel.id))} class={css.name}>
          <Icon size={16} aria-hidden="true" />
          <span>{channel.name}</span>
        </a>
        <p class={css.about}>
          {isMember && (
            <span class={css.joined}>
              <Check size={14} aria-hidden="true" /> Joined
            </span>
          )}
          {channel.memberCount !== null && <span>{membersOf(channel.memberCount)}</span>}
          {(channel.purpose || channel.topic) && (
            <span class={css.purpose}>
              <RichLine text={channel.purpose || channel.topic} />
            </span>
          )}
        </p>
      </div>
      {isMember ? (
        <Button size="s" onClick={() => navigate(toConversation(channel.id))}>
          Open
        </Button>
      ) : (
        <Button size="s" isBusy={isBusy} aria-label={`Join ${channel.name}`} onClick={() => void join()}>
          Join
        </Button>
      )}
    </li>
  );
}

/** Pages of all channels; or, when letters are typed, those whose names begin so. */
function useChannels(prefix: string) {
  const client = useClient();
  const [channels, setChannels] = useState<readonly Conversation[]>([]);
  const [cursor, setCursor] = useState("");
  const [hasMore, setMore] = useState(false);
  const [isBusy, setBusy] = useState(true);
  const [problem, setProblem] = useState("");
  const ask = useCallback(
    async (from: string, isWanted: () => boolean) => {
      setBusy(true);
      setProblem("");
      try {
        const page = prefix
          ? { channels: await client.searchChannels(prefix), cursor: "" }
          : await client.browseChannels(from);
        if (!isWanted()) return;
        setChannels((old) => (from ? unique([...old, ...page.channels]) : page.channels));
        setCursor(page.cursor);
        setMore(page.cursor !== "");
      } catch (error) {
        if (isWanted()) setProblem(wordsOf(error));
      }
      if (isWanted()) setBusy(false);
    },
    [client, prefix],
  );
  useEffect(() => {
    let isWanted = true;
    const timer = window.setTimeout(() => void ask("", () => isWanted), prefix ? ASK_AFTER_MS : 0);
    return () => {
      isWanted = false;
      window.clearTimeout(timer);
    };
  }, [ask, prefix]);
  return { channels, hasMore, isBusy, problem, more: () => void ask(cursor, () => true) };
}

function unique(channels: readonly Conversation[]): readonly Conversation[] {
  return [...new Map<Id, Conversation>(channels.map((one) => [one.id, one])).values()];
}
