/** Where one may post, for who chooses a conversation before there is a workspace: one's own conversations, by name. */
import type { Conversation, Id, Place } from "./contract";
import { conversationOf, userOf } from "./model/people";
import type { Calls } from "./net/api";
import { type Json, object, objects, text } from "./net/json";

/** Conversations of one answer, and answers: more than five thousand nobody looks through. */
const PAGE = 1_000;
const PAGES_MAX = 5;
/** Users of one question. */
const IDS_MAX = 500;

/** Channels first, then groups, then people, each by name. `selfName` is left out of the names of groups. */
export async function placesOf(calls: Calls, selfName: string): Promise<readonly Place[]> {
  const found = await own(calls);
  const names = await namesOf(calls, [...new Set(found.map((each) => text(each.user)).filter(Boolean))]);
  const around = {
    selfId: "",
    selfName,
    mutedIds: [],
    starredIds: [],
    label: (id: Id) => names.get(id),
  };
  const places = found.map((each) => conversationOf(undefined, each, around)).filter((each) => each.name);
  places.sort((one, other) => orderOf(one) - orderOf(other) || one.name.localeCompare(other.name));
  return places.map(({ id, name, kind }) => ({ id, name, kind }));
}

const orderOf = ({ kind }: Conversation): number => (kind === "im" ? 2 : kind === "mpim" ? 1 : 0);

async function own(calls: Calls): Promise<Json[]> {
  const found: Json[] = [];
  let cursor = "";
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const answer = await calls.read("users.conversations", {
      types: "public_channel,private_channel,mpim,im",
      exclude_archived: true,
      limit: PAGE,
      ...(cursor ? { cursor } : {}),
    });
    found.push(...objects(answer.channels));
    cursor = text(object(answer.response_metadata).next_cursor);
    if (!cursor) break;
  }
  return found;
}

/** Who is gone has no name. */
async function namesOf(calls: Calls, ids: readonly Id[]): Promise<ReadonlyMap<Id, string>> {
  const names = new Map<Id, string>();
  for (let at = 0; at < ids.length; at += IDS_MAX) {
    const wanted = Object.fromEntries(ids.slice(at, at + IDS_MAX).map((id) => [id, 0]));
    const users = objects((await calls.read("client.objects", { ids: wanted })).users).map(userOf);
    for (const user of users) if (!user.isDeactivated) names.set(user.id, user.label);
  }
  return names;
}
