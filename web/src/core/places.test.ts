/** Where one may post: what is asked, how far, and in what order it comes. */
import { expect, test } from "vitest";
import type { Calls } from "./net/api";
import type { Json } from "./net/json";
import { placesOf } from "./places";

function calling(answers: (method: string, args: Json) => Json): { calls: Calls; asked: [string, Json][] } {
  const asked: [string, Json][] = [];
  const read = async (method: string, args: Json = {}): Promise<Json> => {
    asked.push([method, args]);
    return answers(method, args);
  };
  return { calls: { call: read, read }, asked };
}

test("one's own conversations come by name: channels, groups, people who are there", async () => {
  const pages: Record<string, Json> = {
    "": {
      channels: [
        { id: "D1", is_im: true, user: "U1" },
        { id: "D2", is_im: true, user: "U2" },
        { id: "G1", is_mpim: true, is_private: true, name: "mpdm-ada--grace--linus-1" },
        { id: "C2", name: "tea" },
      ],
      response_metadata: { next_cursor: "n" },
    },
    n: { channels: [{ id: "C1", name: "alarms", is_private: true }] },
  };
  const users = [
    { id: "U1", name: "grace", profile: { display_name: "Grace H" } },
    { id: "U2", name: "gone", deleted: true },
  ];
  const { calls, asked } = calling((method, args) =>
    method === "client.objects" ? { users } : (pages[String(args.cursor ?? "")] ?? {}),
  );
  expect(await placesOf(calls, "ada")).toEqual([
    { id: "C1", name: "alarms", kind: "private" },
    { id: "C2", name: "tea", kind: "public" },
    { id: "G1", name: "grace, linus", kind: "mpim" },
    { id: "D1", name: "Grace H", kind: "im" },
  ]);
  expect(asked.map(([method]) => method)).toEqual(["users.conversations", "users.conversations", "client.objects"]);
  expect(asked[0]?.[1]).toMatchObject({ exclude_archived: true, limit: 1000 });
  expect(asked[2]?.[1]).toEqual({ ids: { U1: 0, U2: 0 } });
});

test("there is an end to it", async () => {
  const { calls, asked } = calling(() => ({
    channels: [{ id: "C1", name: "x" }],
    response_metadata: { next_cursor: "n" },
  }));
  await placesOf(calls, "ada");
  expect(asked).toHaveLength(5);
});
