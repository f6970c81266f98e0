/** The browser's own notifications: only while one looks elsewhere, and only if one allowed them. A click leads there. */
import type { Client, Message } from "../../core/contract";
import { plainText } from "../../text/plain";
import { type Navigation, toConversation, toThread } from "../../ui/context";
import { createPing } from "./ping";

const BODY_LETTERS_MAX = 180;

export type Permission = "granted" | "denied" | "default" | "unsupported";

export const permission = (): Permission =>
  typeof Notification === "undefined" ? "unsupported" : Notification.permission;

/** Only ever on a click. */
export async function askPermission(): Promise<Permission> {
  if (typeof Notification === "undefined") return "unsupported";
  return Notification.requestPermission();
}

/** Until the result is called. */
export function watchNotifications(client: Client, navigation: Navigation): () => void {
  const ping = createPing();
  return client.onNotify((message, why) => {
    if (isSeen(message, navigation)) return;
    if (client.preferences.peek().sound) ping();
    if (permission() !== "granted") return;
    const { title, body } = wordsFor(message, why === "direct", client);
    // One tag a message: of several tabs, the last to tell takes the place of the others.
    const shown = new Notification(title, { body, tag: message.key, icon: "/favicon.svg" });
    shown.onclick = () => {
      window.focus();
      shown.close();
      navigation.navigate(
        message.threadTs
          ? toThread(message.conversationId, message.threadTs, message.ts)
          : toConversation(message.conversationId, message.ts),
      );
    };
  });
}

/** One looks at it already. */
function isSeen(message: Message, navigation: Navigation): boolean {
  if (document.hidden || !document.hasFocus()) return false;
  const route = navigation.route.peek();
  if (route.page !== "conversation" || route.conversationId !== message.conversationId) return false;
  if (message.threadTs === null) return true;
  return route.pane?.kind === "thread" && route.pane.ts === message.threadTs;
}

/** Who, where, and the beginning of what. */
export function wordsFor(message: Message, isDirect: boolean, client: Client): { title: string; body: string } {
  const author = message.authorName ?? client.user(message.authorId ?? "").peek()?.label ?? "Somebody";
  const place = client.conversation(message.conversationId).peek()?.name ?? "";
  const text = plainText(message.text, {
    user: (id) => client.user(id).peek()?.label,
    channel: (id) => client.conversation(id).peek()?.name,
  });
  const body = text || (message.files.length > 0 ? `sent ${message.files[0]?.name}` : "sent a message");
  const short = body.length > BODY_LETTERS_MAX ? `${body.slice(0, BODY_LETTERS_MAX - 1)}…` : body;
  return { title: isDirect || !place ? author : `${author} in #${place}`, body: short };
}
