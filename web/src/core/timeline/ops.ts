/** What events, as the server tells them, do to messages. Pure but for the reader that is given. */
import type { Id, Message } from "../contract";
import { type Json, object, text } from "../net/json";
import type { Op } from "./window";

export interface Placed {
  readonly conversationId: Id;
  readonly op: Op;
}

type Read = (json: Json, conversationId: Id) => Message;

/** None for what concerns no message. */
export function opOf(json: Json, read: Read): Placed | null {
  switch (json.type) {
    case "message":
      return ofMessage(json, read);
    case "reaction_added":
    case "reaction_removed": {
      const item = object(json.item);
      const on = json.type === "reaction_added";
      const what = { ts: text(item.ts), name: text(json.reaction), userId: text(json.user), on };
      return { conversationId: text(item.channel), op: { op: "react", ...what } };
    }
    case "pin_added":
    case "pin_removed":
      return ofItem(json, "pin", json.type === "pin_added");
    case "star_added":
    case "star_removed":
      return ofItem(json, "save", json.type === "star_added");
    default:
      return null;
  }
}

function ofMessage(json: Json, read: Read): Placed | null {
  const conversationId = text(json.channel);
  switch (json.subtype) {
    case "message_changed":
      return { conversationId, op: { op: "change", message: read(object(json.message), conversationId) } };
    case "message_deleted": {
      const ts = text(json.deleted_ts);
      const thread = text(object(json.previous_message).thread_ts);
      return { conversationId, op: { op: "delete", ts, threadTs: thread && thread !== ts ? thread : null } };
    }
    case "message_replied": {
      const parent = object(json.message);
      return { conversationId, op: { op: "thread", ts: text(parent.ts), parent } };
    }
    default:
      if (!json.ts || !conversationId) return null;
      return { conversationId, op: { op: "post", message: read(json, conversationId) } };
  }
}

function ofItem(json: Json, op: "pin" | "save", on: boolean): Placed | null {
  const item = object(json.item);
  const message = object(item.message);
  if (item.type !== "message" || !message.ts) return null;
  return { conversationId: text(item.channel), op: { op, ts: text(message.ts), on } };
}
