/** Where things are in a list, and what of it was read. */
import { describe, expect, it } from "vitest";
import type { Row } from "../../core/contract";
import { rowsOf } from "../../fixtures/rows";
import { blank } from "../../fixtures/world";
import { fitted, sizeOf } from "../files/size";
import { named, typingWords } from "./named";
import { countAfter, countUnread, dayAt, dayPlaces, justSent, lastMessageAt, newestSent, stepFrom } from "./place";
import { recentAuthors } from "./recent";
import { justBelow } from "./useMessageActions";

const DAY_S = 86_400;
const START_S = 1_700_000_000;
const ts = (at: number) => `${START_S + at}.000100`;
const message = (at: number, by = "U0ANN") => blank("C0", ts(at), by, `m${at}`);
const rows = (...ats: number[]): Row[] =>
  rowsOf(
    ats.map((at) => message(at)),
    null,
    "U0ME",
    false,
  );

describe("a place in the rows", () => {
  const days = rows(0, 60, DAY_S, 2 * DAY_S);

  it("has a day", () => {
    const places = dayPlaces(days);
    expect(places).toEqual([0, 3, 5]);
    const dayOf = (at: number) => Math.floor((dayAt(days, places, at) ?? 0) / 1000) - START_S;
    expect([0, 1, 2, 3, 4, 6].map(dayOf)).toEqual([0, 0, 0, DAY_S, DAY_S, 2 * DAY_S]);
    expect(dayAt([], [], 3)).toBeNull();
  });

  it("has neighbours, which are messages", () => {
    expect(stepFrom(days, 2, 1)).toBe(4);
    expect(stepFrom(days, 4, -1)).toBe(2);
    expect(stepFrom(days, 1, -1)).toBe(1);
    expect(stepFrom(days, 6, 1)).toBe(6);
    expect(stepFrom(days, -1, 1)).toBe(1);
    expect(lastMessageAt(days)).toBe(6);
    expect(stepFrom([], -1, 1)).toBe(-1);
  });
});

describe("what was read", () => {
  it("goes as far as the server has named messages", () => {
    const waiting: Row = {
      kind: "message",
      key: "w",
      message: { ...message(9), delivery: "waiting" },
      isContinued: false,
    };
    expect(newestSent([...rows(1, 2), waiting])).toBe(ts(2));
    expect(newestSent([])).toBeNull();
  });

  it("leaves a number of new ones of others", () => {
    const own: Row = { kind: "message", key: "o", message: message(9, "U0ME"), isContinued: false };
    const all = rows(1, 2, 3, 4);
    expect(countAfter([...all, own], `C0:${ts(2)}`, "U0ME")).toBe(2);
    expect(countAfter(all, "gone", "U0ME")).toBe(0);
    const unread = rowsOf([message(1), message(2), message(3)], ts(1), "U0ME", false);
    expect(countUnread(unread, "U0ME")).toBe(2);
    expect(countUnread(rows(1), "U0ME")).toBe(0);
  });

  it("is followed by what one has just sent", () => {
    const own: Row = {
      kind: "message",
      key: "o",
      message: { ...message(9, "U0ME"), delivery: "sending" },
      isContinued: false,
    };
    expect(justSent([...rows(1), own], "U0ME")).toBe("o");
    expect(justSent([own, ...rows(1)], "U0ME")).toBeNull();
    expect(justSent([{ ...own, message: message(9, "U0ME") }], "U0ME")).toBeNull();
  });

  it("ends just below a message that is marked as unread", () => {
    expect(justBelow("1700000000.000100")).toBe("1700000000.000099");
    expect(justBelow("1700000000.000000")).toBe("1699999999.999999");
  });
});

describe("words", () => {
  it("name people", () => {
    expect(named(["Ann"], 1)).toBe("Ann");
    expect(named(["Ann", "Bob"], 2)).toBe("Ann and Bob");
    expect(named(["Ann", "Bob"], 5)).toBe("Ann, Bob and 3 others");
    expect(named(["Ann"], 2)).toBe("Ann and 1 other");
    expect(named([], 0)).toBe("");
    expect(["", "a", "a b", "a b c", "a b c d"].map((names) => typingWords(names.split(" ").filter(Boolean)))).toEqual([
      "",
      "a is typing",
      "a and b are typing",
      "a, b and c are typing",
      "Several people are typing",
    ]);
  });

  it("name sizes", () => {
    expect([0, 999, 1000, 1_834_002, 88_120_332, 3e12].map(sizeOf)).toEqual([
      "0 B",
      "999 B",
      "1 kB",
      "1.8 MB",
      "88.1 MB",
      "3 TB",
    ]);
  });

  it("know who spoke lately", () => {
    const talk = rowsOf([message(1, "U1"), message(2, "U2"), message(3, "U1")], null, "", false);
    expect(recentAuthors(talk)).toEqual(["U1", "U2"]);
  });
});

describe("a picture", () => {
  it("is drawn as it fits, so that its place is there before it", () => {
    const most = { width: 400, height: 300 };
    expect(fitted(800, 400, most)).toEqual({ width: 400, height: 200 });
    expect(fitted(100, 80, most)).toEqual({ width: 100, height: 80 });
    expect(fitted(null, null, most)).toEqual({ width: 360, height: 240 });
    expect(fitted(4000, 10, most)).toEqual({ width: 400, height: 48 });
  });
});
