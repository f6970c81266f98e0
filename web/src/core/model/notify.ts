/** Which messages are worth a notification. Pure. */
import type { Conversation, Id, Preferences } from "../contract";
import { type Json, number, text } from "../net/json";
import { isDirect, isNamed, isReply, isToRead } from "./counting";

export type Why = "mention" | "direct" | "message";

/** What came so late, after a sleep say, is seen in the list instead. */
const OLD_S = 300;

export interface Situation {
  readonly selfId: Id;
  readonly conversation: Conversation | undefined;
  readonly preferences: Preferences;
  readonly keywords: readonly string[];
  /** The reader looks at it as it comes. */
  readonly isSeen: boolean;
  readonly nowS: number;
}

/** Why to tell of it; null: not at all. */
export function whyNotify(message: Json, now: Situation): Why | null {
  const { conversation, preferences } = now;
  if (message.user === now.selfId || !isToRead(message) || now.isSeen) return null;
  if (preferences.notifications === "none" || !conversation?.isMember || conversation.isMuted) return null;
  if (now.nowS - number(message.ts) > OLD_S) return null;
  if (isNamed(message, now.selfId) || hasKeyword(text(message.text), now.keywords)) return "mention";
  if (isDirect(conversation.kind)) return "direct";
  if (isReply(message)) return message.parent_user_id === now.selfId ? "direct" : null;
  return preferences.notifications === "all" ? "message" : null;
}

/** Whole words, in any case. */
function hasKeyword(said: string, keywords: readonly string[]): boolean {
  if (!keywords.length) return false;
  const words = ` ${said.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, " ")} `;
  return keywords.some((each) => words.includes(` ${each.replace(/[^\p{L}\p{N}]+/gu, " ").trim()} `));
}
