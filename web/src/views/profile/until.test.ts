import { describe, expect, it } from "vitest";
import { endOf } from "./until";

const now = new Date(2026, 2, 11, 14, 0).getTime(); // a Wednesday

describe("the end of a status", () => {
  it("is that of the day or of the week here", () => {
    expect(endOf("today", now)).toBe(new Date(2026, 2, 11, 23, 59, 59).getTime() / 1000);
    expect(endOf("week", now)).toBe(new Date(2026, 2, 15, 23, 59, 59).getTime() / 1000);
    const sunday = new Date(2026, 2, 15, 9, 0).getTime();
    expect(endOf("week", sunday)).toBe(endOf("today", sunday));
  });

  it("is so many minutes from now, or never", () => {
    expect(endOf("30m", now)).toBe(now / 1000 + 1800);
    expect(endOf("never", now)).toBe(0);
  });
});
