/** The composer's rules: marks, lists that go on, names being typed, times to send at. */
import { describe, expect, it } from "vitest";
import { completed, triggerAt } from "./completion";
import { type Format, formatted, isInCode, newLine } from "./format";
import { choices, localInput, problemWith } from "./schedule";

/** "a [b] c": what is between brackets is selected; "|" is a caret. */
function read(marked: string) {
  const caret = marked.indexOf("|");
  if (caret >= 0) return { text: marked.replace("|", ""), start: caret, end: caret };
  const start = marked.indexOf("{");
  return { text: marked.replace(/[{}]/g, ""), start, end: marked.indexOf("}") - 1 };
}
const show = ({ text, start, end }: { text: string; start: number; end: number }) =>
  start === end
    ? `${text.slice(0, start)}|${text.slice(start)}`
    : `${text.slice(0, start)}{${text.slice(start, end)}}${text.slice(end)}`;

describe("a format", () => {
  it.each<[Format, string, string]>([
    ["bold", "a {b} c", "a *{b}* c"],
    ["bold", "a *{b}* c", "a {b} c"],
    ["bold", "a {*b*} c", "a {b} c"],
    ["bold", "a |", "a *|*"],
    ["bold", "a *|*", "a |"],
    ["bold", "a *b|* c", "a *b*| c"],
    ["bold", "*a* b|*", "*a* b*|**"],
    ["bold", "a{ b }c", "a *{b}* c"],
    ["italic", "{b}", "_{b}_"],
    ["strike", "{b}", "~{b}~"],
    ["code", "{b}", "`{b}`"],
    ["block", "x {b}", "x \n```\n{b}\n```"],
    ["quote", "a\n{b\nc}", "a\n{> b\n> c}"],
    ["quote", "{> b\n> c}", "{b\nc}"],
    ["list", "b|", "- b|"],
    ["list", "- b|", "b|"],
    ["ordered", "{a\nb}", "{1. a\n2. b}"],
    ["list", "{1. a\n2. b}", "{- a\n- b}"],
    ["link", "see {this}", "see [this]({https://})"],
    ["link", "{https://a.b}", "[{label}](https://a.b)"],
    ["link", "|", "[{label}](https://)"],
  ])("%s of %j", (format, before, after) => expect(show(formatted(read(before), format))).toBe(after));
});

describe("a new line", () => {
  it.each([
    ["- a|", "- a\n- |"],
    ["  - a|", "  - a\n  - |"],
    ["3. a|", "3. a\n4. |"],
    ["> a|", "> a\n> |"],
    ["- a\n- |", "- a\n|"],
  ])("after %j", (before, after) => {
    const made = newLine(read(before));
    expect(made && show(made)).toBe(after);
  });

  it.each(["a|", "|", "```\n- a|"])("is a plain one after %j", (before) => expect(newLine(read(before))).toBeNull());

  it("knows where code is", () => {
    expect(isInCode("```\na", 5)).toBe(true);
    expect(isInCode("```\na```b", 9)).toBe(false);
  });
});

describe("a name being typed", () => {
  it.each([
    ["@", "@", ""],
    ["hi @an", "@", "an"],
    ["@ann sm", "@", "ann sm"],
    ["(#gen", "#", "gen"],
    [":ta", ":", "ta"],
    ["a\n@b", "@", "b"],
  ])("%j", (text, sign, query) => {
    expect(triggerAt(text, text.length)).toEqual({ sign, from: text.length - query.length - 1, query });
  });

  it.each([
    "a@b",
    "hi",
    ":t",
    ":)",
    "12:30",
    "http://x",
    "@ann smith is",
    "# a",
    "@a\n",
    "@@a",
  ])("is none in %j", (text) => expect(triggerAt(text, text.length)).toBeNull());

  it("is completed, with a space behind it, and one alone", () => {
    const trigger = triggerAt("hi @an", 6);
    expect(trigger && completed("hi @an", 6, trigger, "@Ann")).toEqual({ text: "hi @Ann ", caret: 8 });
    expect(trigger && completed("hi @an there", 6, trigger, "@Ann")).toEqual({ text: "hi @Ann there", caret: 8 });
  });
});

describe("times to send at", () => {
  const wednesday = new Date(2026, 2, 4, 10, 12).getTime();

  it("are ahead, and named", () => {
    const all = choices(wednesday, "24");
    expect(all.map(({ label, hint }) => `${label}: ${hint}`)).toEqual([
      "In an hour: 11:12",
      "This evening: 18:00",
      "Tomorrow morning: Thursday 09:00",
      "Monday morning: Monday 09:00",
    ]);
    for (const { atS } of all) expect(atS * 1000).toBeGreaterThan(wednesday);
  });

  it("are no more than may be", () => {
    expect(problemWith(wednesday + 3_600_000, wednesday)).toBe("");
    expect(problemWith(wednesday - 1, wednesday)).not.toBe("");
    expect(problemWith(Number.NaN, wednesday)).not.toBe("");
    expect(problemWith(wednesday + 200 * 86_400_000, wednesday)).not.toBe("");
    expect(new Date(localInput(wednesday)).getTime()).toBe(wednesday);
  });
});
