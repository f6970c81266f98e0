/** The table that the build makes, tones, and what is found in it. */

import names from "virtual:emoji-names";
import words from "virtual:emoji-words";
import data from "emojibase-data/en/compact.json";
import { describe, expect, it } from "vitest";
import { FEW } from "./few";
import { frequent, isUsed, type Used, withUse } from "./recent";
import { readWords, searchEmoji } from "./search";
import { readTable, resolveEmoji, unicodeOf } from "./table";
import { splitTone, toned, withTone } from "./tone";

const TABLE = readTable(names);
const WORDS = readWords(words);
const NONE = new Map<string, string>();
const find = (typed: string, custom = NONE) => searchEmoji(TABLE, WORDS, custom, typed, 8).map(({ name }) => name);

describe("the table", () => {
  it("has every category, its names and its words in step", () => {
    expect(TABLE.categories.map(({ key }) => key)).toEqual([
      "smileys-emotion",
      "people-body",
      "animals-nature",
      "food-drink",
      "travel-places",
      "activities",
      "objects",
      "symbols",
      "flags",
    ]);
    const all = TABLE.categories.flatMap(({ emoji }) => emoji);
    expect(all.length).toBeGreaterThan(1800);
    expect(WORDS.length).toBe(all.length);
    expect(WORDS[all.findIndex(({ name }) => name === "wave")]?.label).toBe("waving hand");
    for (const { name, unicode } of all) {
      expect(name).toMatch(/^[a-z0-9_+'’-]+$/);
      expect(unicode).not.toContain("^");
    }
  });

  it("is small: it is a part of the program", () => {
    expect(JSON.stringify(names).length).toBeLessThan(60_000);
    expect(words.length).toBeLessThan(140_000);
  });

  it("knows Slack's names, and agrees with the few that are there at once", () => {
    for (const name of ["thumbsup", "+1", "flag-de", "de", "man-facepalming", "male-technologist", "thinking_face"])
      expect(TABLE.byName.has(name), name).toBe(true);
    for (const [name, unicode] of Object.entries(FEW)) expect(TABLE.byName.get(name)?.unicode, name).toBe(unicode);
  });

  it("knows the few before it is loaded, and says of others that it does not know yet", () => {
    expect(unicodeOf("tada")).toBe("🎉");
    expect(unicodeOf("zebra_face")).toBeUndefined();
  });

  it("follows what a workspace's own emoji stand for, and not in circles", () => {
    const custom = new Map([
      ["parrot", "https://x.y/p.gif"],
      ["bird", "alias:parrot"],
      ["yay", "alias:tada"],
      ["a", "alias:b"],
      ["b", "alias:a"],
      ["tada", "https://x.y/t.gif"],
    ]);
    expect(resolveEmoji(custom, "bird")).toEqual({ picture: "https://x.y/p.gif" });
    expect(resolveEmoji(custom, "yay")).toEqual({ picture: "https://x.y/t.gif" });
    expect(resolveEmoji(NONE, "tada")).toEqual({ unicode: "🎉" });
    expect(resolveEmoji(custom, "a")).toBeUndefined();
  });
});

describe("a tone", () => {
  const skins = data.flatMap((emoji) => ("skins" in emoji && emoji.skins ? [{ ...emoji, skins: emoji.skins }] : []));
  const TONES = { 2: "1F3FB", 3: "1F3FC", 4: "1F3FD", 5: "1F3FE", 6: "1F3FF" };

  it.each(Object.entries(TONES))("%s is put where Unicode puts it, on everybody in the picture", (tone, code) => {
    let checked = 0;
    for (const emoji of skins) {
      const others = Object.values(TONES).filter((other) => other !== code);
      const listed = emoji.skins.find(
        ({ hexcode }) => hexcode.includes(code) && !others.some((o) => hexcode.includes(o)),
      );
      if (!listed || !TABLE.byUnicode.has(emoji.unicode.replace(/\uFE0F/g, ""))) continue;
      if (/1FAF1|1F91D-200D|1F9D1-200D-1F91D/.test(listed.hexcode)) continue; // drawn of two where none has a tone
      expect(withTone(emoji.unicode, Number(tone)).replace(/\uFE0F/g, "")).toBe(listed.unicode.replace(/\uFE0F/g, ""));
      checked++;
    }
    expect(checked).toBeGreaterThan(250);
  });

  it("is part of a reaction's name", () => {
    expect(toned("wave", 3)).toBe("wave::skin-tone-3");
    expect(splitTone("wave::skin-tone-3")).toEqual({ name: "wave", tone: 3 });
    expect(splitTone("wave::skin-tone-9")).toEqual({ name: "wave::skin-tone-9", tone: 0 });
    expect(withTone("🎉", 3)).toBe("🎉");
    expect(withTone("👋", 0)).toBe("👋");
  });
});

describe("searching", () => {
  it.each([
    ["tada", "tada"],
    ["thumb", "thumbsup"],
    ["thumbs up", "thumbsup"],
    [":hear", "hear_no_evil"],
    ["party", "partying_face"],
    ["check", "white_check_mark"],
    ["hello", "wave"],
    ["germany", "de"],
  ])("%s finds %s among the first", (typed, name) => expect(find(typed)).toContain(name));

  it("finds a workspace's own first among equals, and nothing for nothing", () => {
    expect(find("parrot", new Map([["parrot_party", "u"]]))).toContain("parrot_party");
    expect(find("")).toEqual([]);
    expect(find("zzzzzz")).toEqual([]);
  });
});

describe("what one uses", () => {
  it("comes first, most used and latest, and is bounded", () => {
    let used: Used[] = [];
    for (const name of ["fire", "fire", "x"]) used = withUse(used, name, 1_000);
    expect(frequent(used, 3)).toEqual(["fire", "x", "+1"]);
    for (let count = 0; count < 100; count++) used = withUse(used, `e${count}`, 2_000 + count);
    expect(used.length).toBe(40);
    expect(frequent(used, 1)).toEqual(["fire"]);
    expect(frequent(withUse(used, "new", 90 * 86_400_000), 1)).toEqual(["new"]);
  });

  it("is not read from what is none of it", () => {
    expect(isUsed([{ name: "x", count: 1, at: 1 }])).toBe(true);
    for (const wrong of [null, {}, [null], [{ name: 1, count: 1, at: 1 }]]) expect(isUsed(wrong)).toBe(false);
  });
});
