import { describe, expect, it } from "vitest";
import { localTime } from "./localTime";

const here = -60 * new Date(2026, 2, 10, 22, 30).getTimezoneOffset();
const now = new Date(2026, 2, 10, 22, 30).getTime();

describe("the time of somebody elsewhere", () => {
  it.each([
    [0, "22:30"],
    [-2, "20:30"],
    [3, "01:30 tomorrow"],
    [5.5, "04:00 tomorrow"],
    [-23, "23:30 yesterday"],
  ])("%d hours from here is %s", (hours, words) => {
    expect(localTime(here + hours * 3600, now, "24", here)).toBe(words);
  });
});
