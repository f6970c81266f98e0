/** What a client is made of. `conductor.ts` makes it; who needs several parts is given all of them. */
import type { Census } from "./census";
import type { Id } from "./contract";
import type { Lists } from "./lists";
import type { CustomEmoji } from "./model/emoji";
import type { Loader } from "./model/loader";
import type { Marks } from "./model/marks";
import type { Presence } from "./model/presence";
import type { Typing } from "./model/typing";
import type { Workspace } from "./model/workspace";
import type { Api } from "./net/api";
import type { Connection } from "./net/connection";
import type { Drafts } from "./sending/drafts";
import type { Outbox } from "./sending/outbox";
import type { Uploads } from "./sending/uploads";
import type { Timelines } from "./timeline/timelines";

export interface Parts {
  readonly selfId: Id;
  readonly api: Api;
  readonly connection: Connection;
  readonly workspace: Workspace;
  readonly loader: Loader;
  readonly timelines: Timelines;
  readonly outbox: Outbox;
  readonly drafts: Drafts;
  readonly uploads: Uploads;
  readonly presence: Presence;
  readonly typing: Typing;
  readonly lists: Lists;
  readonly marks: Marks;
  readonly emoji: CustomEmoji;
  readonly census: Census;
}
