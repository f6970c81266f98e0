/**
 * What the screen knows of the rest of the client. Views import this file, and nothing else of `core/`; `core/client.ts`
 * keeps it with a real server, `fixtures/client.ts` is its twin in memory, for tests and for drawing without a server.
 *
 * State is read through signals: a view that reads one is drawn again when it changes. What a view asks for by id and is
 * not there yet is `undefined`, and is loaded because it was asked for. Actions are promises: they end when the server
 * has said yes, and fail with a `Refusal` that can be shown to a person.
 */
import type { ReadonlySignal } from "@preact/signals";

export type Id = string;
/** A message's place and name in its conversation, "1700000000.000100"; compares as text among equals in length. */
export type Ts = string;

export interface User {
  readonly id: Id;
  readonly name: string;
  /** What to show: the display name, else the real name, else the name. */
  readonly label: string;
  readonly realName: string;
  readonly title: string;
  readonly email: string;
  readonly phone: string;
  readonly pronouns: string;
  readonly status: { readonly emoji: string; readonly text: string; readonly expiresAt: number } | null;
  /** Address of a picture, or "": then initials are shown. */
  readonly picture: string;
  readonly timeZone: string;
  readonly timeZoneOffsetS: number;
  readonly isBot: boolean;
  readonly isDeactivated: boolean;
  readonly isAdmin: boolean;
}

export type ConversationKind = "public" | "private" | "im" | "mpim";

export interface Conversation {
  readonly id: Id;
  readonly kind: ConversationKind;
  /** Without `#`. For "im" and "mpim" it is made of the others' labels, as far as these are known. */
  readonly name: string;
  /** The other person of an "im". */
  readonly userId: Id | null;
  /** The people of an "mpim", as far as known. */
  readonly userIds: readonly Id[];
  readonly topic: string;
  readonly purpose: string;
  readonly isMember: boolean;
  readonly isArchived: boolean;
  readonly isGeneral: boolean;
  readonly isMuted: boolean;
  readonly isStarred: boolean;
  readonly creatorId: Id | null;
  readonly createdAt: number;
  readonly memberCount: number | null;
  readonly lastRead: Ts;
  readonly latest: Ts;
  readonly isUnread: boolean;
  readonly mentions: number;
}

export interface Reaction {
  readonly name: string;
  readonly userIds: readonly Id[];
  readonly count: number;
}

export interface FileInfo {
  readonly id: Id;
  readonly name: string;
  readonly title: string;
  readonly mimetype: string;
  readonly kind: "image" | "video" | "audio" | "text" | "pdf" | "other";
  readonly size: number;
  readonly url: string;
  readonly downloadUrl: string;
  readonly thumbnailUrl: string;
  readonly width: number | null;
  readonly height: number | null;
  /** The beginning of a text file. */
  readonly preview: string;
  readonly isDeleted: boolean;
}

/** Where a message of one's own is on its way. "sent" came from the server. */
export type Delivery = "sent" | "sending" | "waiting" | "failed";

/** What somebody did to an app's button or menu in a message. */
export interface BlockAction {
  readonly blockId: string;
  readonly actionId: string;
  /** Of a menu, as the app wrote it. */
  readonly selectedOption?: unknown;
}

export interface Message {
  /** The same from the moment of sending until after the server has named it by its `ts`: what lists are keyed by. */
  readonly key: string;
  readonly conversationId: Id;
  /** Of one that is not "sent": when it was written, by this browser's clock. */
  readonly ts: Ts;
  readonly threadTs: Ts | null;
  readonly authorId: Id | null;
  /** For a bot's message that names itself; otherwise null. */
  readonly authorName: string | null;
  readonly authorPicture: string | null;
  readonly isBot: boolean;
  /** Slack's subtype ("channel_join", "me_message", "thread_broadcast", "tombstone"…), "" for a plain message. */
  readonly subtype: string;
  /** mrkdwn, as Slack escapes it. */
  readonly text: string;
  /** Block Kit and attachments as they came: `text/blocks.ts` reads what it can draw. */
  readonly blocks: readonly unknown[];
  readonly attachments: readonly unknown[];
  readonly files: readonly FileInfo[];
  readonly reactions: readonly Reaction[];
  readonly editedAt: Ts | null;
  readonly isPinned: boolean;
  readonly isSaved: boolean;
  readonly isEphemeral: boolean;
  readonly replyCount: number;
  readonly replyUserIds: readonly Id[];
  readonly latestReply: Ts | null;
  readonly delivery: Delivery;
  /** Why it "failed", for a person. */
  readonly failure: string;
  /** What proves to the server what an app has shown to one alone, which is kept nowhere. */
  readonly sealed?: { readonly botId: Id; readonly seal: string };
}

/** One row of a list of messages; the model decides what stands where, so that every view of it is the same. */
export type Row =
  | { readonly kind: "message"; readonly key: string; readonly message: Message; readonly isContinued: boolean }
  | { readonly kind: "day"; readonly key: string; readonly at: number }
  | { readonly kind: "unread"; readonly key: string }
  | { readonly kind: "beginning"; readonly key: string };

/** A window on the messages of a conversation, or of a thread (parent first). It is kept right by events while it is held. */
export interface Timeline {
  readonly rows: ReadonlySignal<readonly Row[]>;
  readonly hasOlder: ReadonlySignal<boolean>;
  /** The window does not reach to now: somebody jumped back. */
  readonly hasNewer: ReadonlySignal<boolean>;
  readonly isLoading: ReadonlySignal<"" | "first" | "older" | "newer">;
  readonly problem: ReadonlySignal<string>;
  loadOlder(): Promise<void>;
  loadNewer(): Promise<void>;
  /** Show the messages around `ts`; resolves to whether it is still there. */
  jumpTo(ts: Ts): Promise<boolean>;
  jumpToNow(): Promise<void>;
  retry(): Promise<void>;
}

/** "live": everything is here as it happens. "resuming": connected, and what was missed is on its way. */
export interface ConnectionState {
  readonly phase: "starting" | "live" | "resuming" | "waiting" | "offline" | "signed_out";
  /** In "waiting": when the next try is made, by Date.now(). */
  readonly retryAt: number | null;
  /** For a person, when something lasts. */
  readonly problem: string;
}

export interface Found<T> {
  readonly items: readonly T[];
  readonly total: number;
  readonly nextPage: number | null;
}

export interface FoundMessage {
  readonly message: Message;
  readonly conversationName: string;
  /** mrkdwn, with U+E000 and U+E001 around what was searched for. */
  readonly highlighted: string;
}

export interface Upload {
  readonly key: string;
  readonly file: File;
  readonly conversationId: Id;
  readonly threadTs: Ts | null;
  readonly sent: number;
  readonly state: "queued" | "uploading" | "done" | "failed";
  readonly failure: string;
}

export interface Draft {
  readonly text: string;
  readonly updatedAt: number;
}

export type Theme = "system" | "light" | "dark";

export interface Preferences {
  readonly theme: Theme;
  readonly density: "comfortable" | "compact";
  readonly notifications: "all" | "mentions" | "none";
  readonly sound: boolean;
  readonly sendWithEnter: boolean;
  readonly clock: "12" | "24";
  readonly mutedIds: readonly Id[];
  readonly starredIds: readonly Id[];
}

/** What the server or the way to it said no with. `message` is for a person, `code` Slack's word. */
export class Refusal extends Error {
  readonly code: string;
  readonly retryAfterS: number | null;
  constructor(code: string, message: string, retryAfterS: number | null = null) {
    super(message);
    this.name = "Refusal";
    this.code = code;
    this.retryAfterS = retryAfterS;
  }
}

export interface PersonToShow {
  readonly id: Id;
  readonly name: string;
  readonly realName: string;
  readonly title: string;
}

/** What `GET /web/session` says: who is signed in, and what the page of signing in may offer. */
export interface SessionInfo {
  readonly isSignedIn: boolean;
  readonly team: { readonly id: Id; readonly name: string; readonly domain: string } | null;
  readonly user: { readonly id: Id; readonly name: string } | null;
  readonly isDemo: boolean;
  readonly demoUsers: readonly PersonToShow[];
}

export interface Invitation {
  readonly teamName: string;
  readonly inviterName: string;
  readonly email: string;
}

/** Before there is a workspace: signing in and out. */
export interface SignIn {
  session(): Promise<SessionInfo>;
  signIn(team: string, login: string, password: string): Promise<void>;
  signInAs(userId: Id): Promise<void>;
  invitation(code: string): Promise<Invitation>;
  join(code: string, name: string, realName: string, password: string): Promise<void>;
  signOut(): Promise<void>;
  changePassword(old: string, fresh: string): Promise<void>;
  /** What an app asks for, by the address of its page. */
  consent(asked: Asked): Promise<Consent>;
  /** Where one may let it post; one's own name is left out of those of groups. */
  places(selfName: string): Promise<readonly Place[]>;
  /** Give it that; where to go then. `channelId`: where it may post, if it asks for that. */
  agree(asked: Asked, channelId?: Id): Promise<string>;
}

/** A conversation as far as one chooses it. */
export type Place = Pick<Conversation, "id" | "name" | "kind">;

/** The address by which an app asks a person for something. */
export interface Asked {
  readonly isFirstVersion: boolean;
  /** Its query, without the question mark. */
  readonly query: string;
}

export interface Consent {
  readonly appName: string;
  readonly teamName: string;
  readonly userName: string;
  /** What its bot may do, in Slack's words: "chat:write". */
  readonly scopes: readonly string[];
  /** What it may do in one's own name. */
  readonly userScopes: readonly string[];
  /** It asks for an address by which it posts into a conversation that one chooses. */
  readonly wantsChannel: boolean;
  /** Where one goes who agrees. */
  readonly goesTo: string;
  /** Where one goes who does not. */
  readonly declined: string;
}

/** Everything of one workspace, as one person sees it, from boot until it is closed. */
export interface Client {
  readonly team: ReadonlySignal<{ readonly id: Id; readonly name: string; readonly domain: string }>;
  readonly selfId: Id;
  readonly connection: ReadonlySignal<ConnectionState>;
  readonly preferences: ReadonlySignal<Preferences>;
  /** The conversations one is in, by id; archived ones are left out. */
  readonly conversations: ReadonlySignal<ReadonlyMap<Id, Conversation>>;
  /** Custom emoji: name to address, or "alias:name". */
  readonly emoji: ReadonlySignal<ReadonlyMap<string, string>>;
  readonly drafts: ReadonlySignal<ReadonlyMap<string, Draft>>;
  readonly uploads: ReadonlySignal<readonly Upload[]>;
  /** Messages that mention one, newest first, loaded by `loadActivity`. */
  readonly activity: ReadonlySignal<readonly FoundMessage[]>;
  readonly saved: ReadonlySignal<readonly Message[]>;

  /** Of anybody and anything one may see; reading it loads what is not there. The same signal for the same id. */
  user(id: Id): ReadonlySignal<User | undefined>;
  conversation(id: Id): ReadonlySignal<Conversation | undefined>;
  /** Who types there now, oneself left out. */
  typing(conversationId: Id, threadTs?: Ts): ReadonlySignal<readonly Id[]>;
  /** Is subscribed while `watchPresence` names the user; "unknown" otherwise. */
  presence(userId: Id): ReadonlySignal<"active" | "away" | "unknown">;
  /** Say that these users are on screen; call the result when they are not any more. */
  watchPresence(userIds: readonly Id[]): () => void;

  /** Hold a timeline while it is shown; call `release` when it is not. The same one for the same place. */
  timeline(conversationId: Id): { readonly timeline: Timeline; release(): void };
  thread(conversationId: Id, ts: Ts): { readonly timeline: Timeline; release(): void };

  /** Shown at once with delivery "sending"; kept over reloads until the server has it. Never fails: see `delivery`. */
  send(conversationId: Id, text: string, options?: { threadTs?: Ts; alsoToConversation?: boolean }): void;
  sendAgain(key: string): void;
  discard(key: string): void;
  edit(message: Message, text: string): Promise<void>;
  remove(message: Message): Promise<void>;
  react(message: Message, name: string, on: boolean): Promise<void>;
  pin(message: Message, on: boolean): Promise<void>;
  save(message: Message, on: boolean): Promise<void>;
  schedule(conversationId: Id, text: string, atS: number, threadTs?: Ts): Promise<void>;
  permalink(message: Message): Promise<string>;
  /** Tell an app that one of its buttons or menus was used; what comes of it comes as an event. */
  act(message: Message, action: BlockAction): Promise<void>;
  pins(conversationId: Id): Promise<readonly Message[]>;
  loadSaved(): Promise<void>;
  loadActivity(): Promise<void>;

  /** Tell where the reader is: moves the mark, at most once a second a conversation. `ts` may go back. */
  markRead(conversationId: Id, ts: Ts): void;
  noteTyping(conversationId: Id, threadTs?: Ts): void;
  /** `place` is a conversation's id, or id and thread: `draftKey`. Kept over reloads. */
  setDraft(place: string, text: string): void;

  searchPeople(prefix: string, near: readonly Id[]): Promise<readonly User[]>;
  searchChannels(prefix: string): Promise<readonly Conversation[]>;
  searchMessages(query: string, order: "best" | "newest", page: number): Promise<Found<FoundMessage>>;
  members(conversationId: Id, cursor: string): Promise<{ ids: readonly Id[]; total: number; cursor: string }>;
  browseChannels(cursor: string): Promise<{ channels: readonly Conversation[]; cursor: string }>;
  loadEmoji(): Promise<void>;

  upload(conversationId: Id, files: readonly File[], options?: { threadTs?: Ts; comment?: string }): Promise<void>;
  cancelUpload(key: string): void;
  files(conversationId: Id): Promise<readonly FileInfo[]>;

  openDirect(userIds: readonly Id[]): Promise<Id>;
  createChannel(name: string, isPrivate: boolean, purpose: string): Promise<Id>;
  join(conversationId: Id): Promise<void>;
  leave(conversationId: Id): Promise<void>;
  /** Hide a direct conversation from the list until something is written in it. */
  close(conversationId: Id): Promise<void>;
  invite(conversationId: Id, userIds: readonly Id[]): Promise<void>;
  removeMember(conversationId: Id, userId: Id): Promise<void>;
  rename(conversationId: Id, name: string): Promise<void>;
  setTopic(conversationId: Id, topic: string): Promise<void>;
  setPurpose(conversationId: Id, purpose: string): Promise<void>;
  archive(conversationId: Id, on: boolean): Promise<void>;

  setProfile(change: {
    realName?: string;
    displayName?: string;
    title?: string;
    phone?: string;
    pronouns?: string;
  }): Promise<void>;
  setStatus(emoji: string, text: string, expiresAtS: number): Promise<void>;
  setAway(away: boolean): Promise<void>;
  setPreferences(change: Partial<Preferences>): void;
  /** Only admins: resolves to the link to send on. */
  inviteToWorkspace(email: string): Promise<string>;

  /** Told of each message that may be worth a notification, after mutes and preferences; returns what stops it. */
  onNotify(listener: (message: Message, why: "mention" | "direct" | "message") => void): () => void;
  retryNow(): void;
  /** End everything: sockets, timers, listeners. */
  dispose(): void;
}

export const draftKey = (conversationId: Id, threadTs?: Ts): string =>
  threadTs ? `${conversationId}/${threadTs}` : conversationId;
