/** Names while they are typed: people, channels, emoji. The newest question is the one that is answered. */
import { useEffect, useState } from "preact/hooks";
import type { Client, Conversation, Id, User } from "../../core/contract";
import { searchEmoji } from "../../text/emoji/search";
import { loadEmojiTable } from "../../text/emoji/table";
import { toned, withTone } from "../../text/emoji/tone";
import { useClient } from "../../ui/context";
import { noteEmojiUse, skinTone } from "../emoji/useFrequent";
import { completed, type Trigger, triggerAt } from "./completion";
import type { ComposerText } from "./text";

export type Option =
  | { readonly kind: "person"; readonly key: string; readonly user: User }
  | {
      readonly kind: "range";
      readonly key: string;
      readonly range: "here" | "channel" | "everyone";
      readonly hint: string;
    }
  | { readonly kind: "channel"; readonly key: string; readonly channel: Conversation }
  | { readonly kind: "emoji"; readonly key: string; readonly name: string; readonly unicode: string };

const MOST = 8;
const WAIT_MS = 70;

export interface Completion {
  readonly options: readonly Option[];
  readonly sign: Trigger["sign"] | null;
  /** Look at the text and the caret again. */
  look(): void;
  close(): void;
  choose(option: Option): void;
}

export function useCompletion(text: ComposerText, conversationId: Id, near: () => readonly Id[]): Completion {
  const client = useClient();
  const [trigger, setTrigger] = useState<Trigger | null>(null);
  const [options, setOptions] = useState<readonly Option[]>([]);
  const sign = trigger?.sign ?? null;
  const query = trigger?.query ?? "";

  // biome-ignore lint/correctness/useExhaustiveDependencies: `near` is read when it is asked, and is no reason to ask
  useEffect(() => {
    if (sign === null) return setOptions([]);
    let isCurrent = true;
    const ask = () =>
      find(client, sign, query, conversationId, near()).then(
        (found) => isCurrent && setOptions(found),
        () => isCurrent && setOptions([]), // nothing to choose from: one writes on
      );
    const timer = setTimeout(ask, WAIT_MS);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [client, conversationId, sign, query]);

  const look = () => {
    const field = text.element.current;
    const caret = field?.selectionStart ?? 0;
    const next = field && caret === field.selectionEnd ? triggerAt(text.typed.peek(), caret) : null;
    if (!next && trigger) settle(text, trigger, options);
    setTrigger((now) => (now && next && now.from === next.from && now.query === next.query ? now : next));
  };
  const close = () => setTrigger(null);
  const choose = (option: Option) => {
    const field = text.element.current;
    if (!trigger || !field) return;
    const made = completed(text.typed.peek(), field.selectionStart, trigger, insertOf(text, option));
    text.replace({ text: made.text, start: made.caret, end: made.caret });
    close();
  };
  return { options: trigger ? options : [], sign, look, close, choose };
}

/** Who typed a whole name and went on without choosing meant that name. */
function settle(text: ComposerText, trigger: Trigger, options: readonly Option[]): void {
  const said = trigger.query.toLowerCase();
  for (const option of options) {
    if (option.kind === "person" && [option.user.label, option.user.name].some((name) => name.toLowerCase() === said))
      return void text.name(`@${trigger.query}`, `<@${option.user.id}>`);
    if (option.kind === "channel" && option.channel.name === said)
      return void text.name(`#${trigger.query}`, `<#${option.channel.id}|${option.channel.name}>`);
  }
}

function insertOf(text: ComposerText, option: Option): string {
  switch (option.kind) {
    case "person":
      return text.name(`@${option.user.label}`, `<@${option.user.id}>`);
    case "channel":
      return text.name(`#${option.channel.name}`, `<#${option.channel.id}|${option.channel.name}>`);
    case "range":
      return `@${option.range}`;
    case "emoji":
      noteEmojiUse(option.name);
      return option.unicode || `:${option.name}:`;
  }
}

const RANGES = [
  { range: "here", hint: "Everyone who is active here" },
  { range: "channel", hint: "Everyone in this channel" },
  { range: "everyone", hint: "Everyone in the workspace" },
] as const;

async function find(
  client: Client,
  sign: Trigger["sign"],
  query: string,
  conversationId: Id,
  near: readonly Id[],
): Promise<Option[]> {
  if (sign === ":") return findEmoji(client, query);
  if (sign === "#") {
    const channels = await client.searchChannels(query);
    return channels.slice(0, MOST).map((channel) => ({ kind: "channel", key: channel.id, channel }));
  }
  const conversation = client.conversation(conversationId).peek();
  const isChannel = conversation?.kind === "public" || conversation?.kind === "private";
  const wanted = query.toLowerCase();
  const ranges = RANGES.filter(
    ({ range }) => isChannel && range.startsWith(wanted) && (range !== "everyone" || conversation.isGeneral),
  ).map(({ range, hint }): Option => ({ kind: "range", key: range, range, hint }));
  const people = (await client.searchPeople(query, near))
    .filter((user) => !user.isDeactivated)
    .sort((one) => (one.id === client.selfId ? 1 : 0)); // oneself last
  const found = people.map((user): Option => ({ kind: "person", key: user.id, user }));
  // Who typed two letters of "here" most likely means it; for an "@" alone, people come first.
  const room = MOST - ranges.length;
  return wanted.length > 1 ? [...ranges, ...found.slice(0, room)] : [...found.slice(0, room), ...ranges];
}

async function findEmoji(client: Client, query: string): Promise<Option[]> {
  const table = await loadEmojiTable();
  const tone = skinTone();
  return searchEmoji(table, null, client.emoji.peek(), query, MOST).map(({ name, unicode, hasTones }) => ({
    kind: "emoji",
    key: name,
    name: toned(name, hasTones ? tone : 0),
    unicode: hasTones ? withTone(unicode, tone) : unicode,
  }));
}
