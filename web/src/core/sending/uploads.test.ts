/** Files on their way: together in one message, those that fail left out, given up when nobody wants them. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Refusal } from "../contract";
import type { Json } from "../net/json";
import { type Carry, Uploads } from "./uploads";

let asked: { method: string; args: Json }[];

const file = (name: string) => new File(["hello"], name);
const errand = { conversationId: "C1", threadTs: null, comment: "look" };

function uploadsOf(carry: Carry): Uploads {
  let count = 0;
  const call = async (method: string, args: Json = {}) => {
    asked.push({ method, args });
    count += 1;
    return { ok: true, upload_url: `http://elsewhere/upload/v1/t${count}`, file_id: `F${count}` };
  };
  return new Uploads({ call, read: call }, carry);
}

const completed = () => asked.filter((each) => each.method === "files.completeUploadExternal");
const states = (uploads: Uploads) => uploads.all.value.map((each) => each.state);

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
});
afterEach(() => {
  vi.useRealTimers();
});

test("all go up, by the way the page came, and are posted together with what was said", async () => {
  const ways: string[] = [];
  const uploads = uploadsOf(async (address) => void ways.push(address));
  await uploads.upload([file("a.txt"), file("b.txt")], errand);
  expect(ways).toEqual(["/upload/v1/t1", "/upload/v1/t2"]);
  expect(completed()).toMatchObject([{ args: { channel_id: "C1", initial_comment: "look" } }]);
  expect((completed()[0]?.args.files as Json[]).map((each) => each.title)).toEqual(["a.txt", "b.txt"]);
  expect(states(uploads)).toEqual(["done", "done"]);
  await vi.runAllTimersAsync();
  expect(uploads.all.value).toEqual([]);
});

test("one that fails says why, and the others are posted", async () => {
  const uploads = uploadsOf(async (_, { name }) => {
    if (name === "bad") throw new Refusal("file_upload_size_restricted", "This file is too large.");
  });
  await uploads.upload([file("bad"), file("good")], errand);
  expect((completed()[0]?.args.files as Json[]).map((each) => each.title)).toEqual(["good"]);
  await vi.runAllTimersAsync();
  expect(uploads.all.value).toMatchObject([{ state: "failed", failure: "This file is too large." }]);
});

test("only so many at a time, with their progress", async () => {
  const finish: (() => void)[] = [];
  const uploads = uploadsOf((_, __, sent) => {
    sent(2);
    return new Promise((resolve) => finish.push(resolve));
  });
  const done = uploads.upload(["a", "b", "c", "d"].map(file), errand);
  await vi.advanceTimersByTimeAsync(1);
  expect(states(uploads)).toEqual(["uploading", "uploading", "uploading", "queued"]);
  expect(uploads.all.value[0]?.sent).toBe(2);
  while (finish.length < 4) {
    finish.at(-1)?.();
    await vi.advanceTimersByTimeAsync(1);
  }
  for (const each of finish) each();
  await done;
  expect(completed()).toHaveLength(1);
});

test("one that is given up is gone, nothing is posted of it, and whose words these were is told", async () => {
  const uploads = uploadsOf(
    (_, __, ___, stop) =>
      new Promise((_resolve, reject) => stop.addEventListener("abort", () => reject(stop.reason), { once: true })),
  );
  const done = uploads.upload([file("a")], errand);
  done.catch(() => undefined);
  await vi.advanceTimersByTimeAsync(1);
  uploads.cancel(uploads.all.value[0]?.key ?? "");
  await expect(done).rejects.toMatchObject({ code: "cancelled" });
  expect([uploads.all.value, completed()]).toEqual([[], []]);
});
