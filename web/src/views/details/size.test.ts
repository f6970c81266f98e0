import { expect, it } from "vitest";
import { sizeOf } from "./size";

it.each([
  [0, "0 B"],
  [999, "999 B"],
  [1_000, "1 KB"],
  [1_740, "1.7 KB"],
  [48_213, "48 KB"],
  [999_900, "1 MB"],
  [1_834_002, "1.8 MB"],
  [5_000_000_000, "5 GB"],
])("%i bytes are %s", (bytes, words) => {
  expect(sizeOf(bytes)).toBe(words);
});
