/** The contract with the screen, kept by the parts of a client. */
import { type ReadonlySignal, untracked } from "@preact/signals";
import { makeActions } from "./actions";
import type { Client, Id } from "./contract";
import { makeDeeds } from "./deeds";
import type { Happenings } from "./happenings";
import type { Parts } from "./parts";

export function clientOf(parts: Parts, happenings: Happenings, dispose: () => void): Client {
  const { workspace, loader, timelines, outbox, lists, uploads, connection, typing, presence, drafts } = parts;
  const wanting = <T>(id: Id, signalOf: ReadonlySignal<T>): ReadonlySignal<T> => {
    loader.want(id);
    return signalOf;
  };
  return {
    ...makeActions(parts.api, workspace),
    ...makeDeeds(parts, happenings.read),
    team: workspace.team,
    selfId: parts.selfId,
    connection: connection.state,
    preferences: workspace.preferences,
    conversations: workspace.conversations,
    emoji: parts.emoji.all,
    drafts: drafts.all,
    uploads: uploads.all,
    activity: lists.activity,
    saved: lists.saved,
    user: (id) => wanting(id, workspace.user(id)),
    conversation: (id) => wanting(id, workspace.conversation(id)),
    typing: (id, root) => typing.at(id, root ?? null),
    presence: (id) => presence.of(id),
    watchPresence: (ids) => presence.watch(ids),
    timeline: (id) => timelines.hold(id, null),
    thread: (id, ts) => timelines.hold(id, ts),
    send: (id, said, { threadTs = null, alsoToConversation = false }: SendOptions = {}) =>
      outbox.send(id, said, threadTs, alsoToConversation),
    sendAgain: (key) => outbox.again(key),
    discard: (key) => outbox.discard(key),
    pins: (id) => lists.pins(id),
    loadSaved: () => lists.loadSaved(),
    loadActivity: () => lists.loadActivity(),
    markRead: (id, ts) => untracked(() => happenings.markRead(id, ts)),
    noteTyping: (id, root) => typing.note(id, root ?? null, Date.now()),
    setDraft: (place, said) => drafts.set(place, said, Date.now()),
    searchPeople: (prefix, near) => lists.searchPeople(prefix, near),
    searchChannels: (prefix) => lists.searchChannels(prefix),
    searchMessages: (query, order, page) => lists.searchMessages(query, order, page),
    members: (id, cursor) => lists.members(id, cursor),
    browseChannels: (cursor) => lists.browseChannels(cursor),
    loadEmoji: () => parts.emoji.load(),
    upload: (conversationId, files, { threadTs = null, comment = "" }: UploadOptions = {}) =>
      uploads.upload(files, { conversationId, threadTs, comment }),
    cancelUpload: (key) => uploads.cancel(key),
    files: (id) => lists.files(id),
    onNotify: (listener) => {
      happenings.listeners.add(listener);
      return () => happenings.listeners.delete(listener);
    },
    retryNow: () => connection.hurry(),
    dispose,
  };
}

type SendOptions = { threadTs?: string | null; alsoToConversation?: boolean };
type UploadOptions = { threadTs?: string | null; comment?: string };
