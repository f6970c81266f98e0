/** What one does to messages. Each ends when the server has said yes, and is shown without waiting for its event. */
import type { Client, Id, Message } from "./contract";
import { isObject, type Json, text } from "./net/json";
import type { Parts } from "./parts";
import { withReaction } from "./timeline/messages";

export type Deeds = Pick<Client, "edit" | "remove" | "react" | "pin" | "save" | "schedule" | "permalink" | "act">;

const REPEATABLE = { isRepeatable: true };

export function makeDeeds(parts: Parts, read: (json: Json, conversationId: Id) => Message): Deeds {
  const { api, timelines, lists, selfId } = parts;

  /** Do what is done when it says it was done already: a first try may have got through without its answer. */
  async function did(method: string, args: Json, done: readonly string[]): Promise<void> {
    try {
      await api.call(method, args, REPEATABLE);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && done.includes(String(error.code)))) throw error;
    }
  }

  return {
    async react({ conversationId, ts }, name, on) {
      const show = (is: boolean) => {
        timelines.take(conversationId, { op: "react", ts, name, userId: selfId, on: is });
        lists.changed(conversationId, ts, (had) => withReaction(had, name, selfId, is));
      };
      show(on);
      try {
        const args = { channel: conversationId, timestamp: ts, name };
        await did(on ? "reactions.add" : "reactions.remove", args, ["already_reacted", "no_reaction"]);
      } catch (error) {
        show(!on);
        throw error;
      }
    },
    async save(message, on) {
      const { conversationId, ts } = message;
      const args = { channel: conversationId, timestamp: ts };
      await did(on ? "stars.add" : "stars.remove", args, ["already_starred", "not_starred"]);
      lists.tookSaved(conversationId, ts, on, message);
      timelines.take(conversationId, { op: "save", ts, on });
    },
    async edit({ conversationId, ts }, said) {
      const answer = await api.call("chat.update", { channel: conversationId, ts, text: said }, REPEATABLE);
      if (!isObject(answer.message)) return;
      timelines.take(conversationId, { op: "change", message: read(answer.message, conversationId) });
    },
    async remove({ conversationId, ts, threadTs, replyCount }) {
      await did("chat.delete", { channel: conversationId, ts }, ["message_not_found"]);
      // One that has replies leaves something behind, which an event tells.
      if (!replyCount) timelines.take(conversationId, { op: "delete", ts, threadTs });
    },
    pin: ({ conversationId, ts }, on) =>
      did(on ? "pins.add" : "pins.remove", { channel: conversationId, timestamp: ts }, ["already_pinned", "no_pin"]),
    async schedule(channel, said, atS, root) {
      const thread = root ? { thread_ts: root } : {};
      await api.call("chat.scheduleMessage", { channel, text: said, post_at: Math.round(atS), ...thread });
    },
    async act({ conversationId, ts, blocks, isEphemeral, sealed }, { blockId, actionId, selectedOption }) {
      const action = { block_id: blockId, action_id: actionId };
      const chosen = selectedOption === undefined ? {} : { selected_option: selectedOption };
      const proof = sealed ? { is_ephemeral: isEphemeral, bot_id: sealed.botId, seal: sealed.seal, blocks } : {};
      const container = { type: "message", channel_id: conversationId, message_ts: ts, ...proof };
      await api.call("blocks.actions", { container, actions: [{ ...action, ...chosen }] });
    },
    async permalink({ conversationId, ts }) {
      return text((await api.read("chat.getPermalink", { channel: conversationId, message_ts: ts })).permalink);
    },
  };
}
