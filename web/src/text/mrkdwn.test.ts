/** What is written in Slack's text is what is read; hostile text is read as well, and as fast. */
import { describe, expect, it } from "vitest";
import { parse, parseLine } from "./mrkdwn";
import type { Block, Inline } from "./tree";

/** A tree as a line: enough to compare by, short enough to read. */
function show(nodes: readonly (Block | Inline)[]): string {
  return nodes.map(one).join("");
}

function one(node: Block | Inline): string {
  switch (node.kind) {
    case "text":
      return node.isMarked ? `[${node.text}]` : node.text;
    case "break":
      return "/";
    case "user":
    case "channel":
    case "usergroup":
      return `{${node.kind} ${node.id}${node.label && `|${node.label}`}}`;
    case "broadcast":
      return `{${node.range}}`;
    case "emoji":
      return `{:${node.name}${node.tone || ""}}`;
    case "date":
      return `{date ${node.at} ${node.format} ${node.href ?? "-"} ${node.fallback}}`;
    case "link":
      return `{a ${node.href} ${show(node.children)}}`;
    case "list":
      return `(${node.isOrdered ? `${node.start}.` : "•"}${node.items.map((item) => ` <${show(item.children)}${show(item.lists)}>`).join("")})`;
    case "quote":
      return `(q ${show(node.blocks)})`;
    case "paragraph":
      return `(p ${show(node.children)})`;
    default:
      return `(${node.kind} ${show(node.children)})`;
  }
}

const line = (said: string) => show(parseLine(said));
const all = (said: string) => show(parse(said));

describe("a line", () => {
  it.each([
    ["plain", "plain"],
    ["*bold*", "(bold bold)"],
    ["_it_ and ~gone~", "(italic it) and (strike gone)"],
    ["*a _b ~c~_*", "(bold a (italic b (strike c)))"],
    ["*_x_*", "(bold (italic x))"],
    ["say *a*, *b*.", "say (bold a), (bold b)."],
    ["(*a*)", "((bold a))"],
    ["2*3*4", "2*3*4"],
    ["snake_case_name", "snake_case_name"],
    ["* a *", "* a *"],
    ["*a", "*a"],
    ["a*", "a*"],
    ["*a *b*", "*a (bold b)"],
    ["*a* b*", "(bold a) b*"],
    ["*a _b* c_", "(bold a _b) c_"],
    ["**", "**"],
    ["__init__", "__init__"],
    ["***", "***"],
    ["é*a*", "é*a*"],
    ["𝒳*a*", "𝒳*a*"],
    ["*é*", "(bold é)"],
    ["`code *no* :no:`", "(code code *no* :no:)"],
    ["`a &lt; b`", "(code a < b)"],
    ["`a", "`a"],
    ["``", "``"],
    ["*`a`*", "(bold (code a))"],
    ["`<@U012ABC> <https://a.b/|t>`", "(code {user U012ABC} {a https://a.b/ t})"],
    [":tada:", "{:tada}"],
    [":wave::skin-tone-3:", "{:wave3}"],
    [":+1: :a-b_c:", "{:+1} {:a-b_c}"],
    ["a : b : c", "a : b : c"],
    ["::", "::"],
    ["*:tada:*", "(bold {:tada})"],
    ["&amp;lt; &lt;b&gt; &nbsp; &", "&lt; <b> &nbsp; &"],
  ])("%s", (said, read) => expect(line(said)).toBe(read));
});

describe("between < and >", () => {
  it.each([
    ["<@U012ABC>", "{user U012ABC}"],
    ["<@W012ABC|ann>", "{user W012ABC|ann}"],
    ["<@nobody>", "@nobody"],
    ["<#C012ABC|general>", "{channel C012ABC|general}"],
    ["<#C012ABC>", "{channel C012ABC}"],
    ["<!here> <!channel|@channel> <!everyone>", "{here} {channel} {everyone}"],
    ["<!subteam^S012ABC|@ops>", "{usergroup S012ABC|@ops}"],
    [
      "<!date^1392734382^{date} at {time}^https://a.b/|Feb 18>",
      "{date 1392734382 {date} at {time} https://a.b/ Feb 18}",
    ],
    ["<!date^1392734382^{date}^javascript:alert(1)|x>", "{date 1392734382 {date} - x}"],
    ["<!unknown|said>", "said"],
    ["<!unknown>", "<unknown>"],
    ["<https://a.b/?x=1&amp;y=2|*go* :tada:>", "{a https://a.b/?x=1&y=2 (bold go) {:tada}}"],
    ["<https://a.b>", "{a https://a.b/ https://a.b}"],
    ["<mailto:a@b.c>", "{a mailto:a@b.c a@b.c}"],
    ["<mailto:a@b.c|write>", "{a mailto:a@b.c write}"],
    ["*<https://a.b/|x>*", "(bold {a https://a.b/ x})"],
    ["<javascript:alert(1)|x>", "x"],
    ["<javascript:alert(1)>", "<javascript:alert(1)>"],
    ["<JaVaScRiPt:alert(1)|x>", "x"],
    ["<java\tscript:alert(1)|x>", "x"],
    ["<data:text/html,x|x>", "x"],
    ["<vbscript:x|x>", "x"],
    ["<//evil.example|x>", "x"],
    ["</etc|x>", "x"],
    ["<https://|x>", "x"],
    ["<https://a.b/|>", "{a https://a.b/ https://a.b/}"],
    ["< a > b", "< a > b"],
    ["<", "<"],
    ["a < b", "a < b"],
    ["<>", "<>"],
  ])("%s", (said, read) => expect(line(said)).toBe(read));
});

describe("a bare address", () => {
  it.each([
    ["see https://a.b/c.", "see {a https://a.b/c https://a.b/c}."],
    ["(https://a.b/c)", "({a https://a.b/c https://a.b/c})"],
    ["https://a.b/c_(d)", "{a https://a.b/c_(d) https://a.b/c_(d)}"],
    ["https://a.b/?x=1&amp;y=2!", "{a https://a.b/?x=1&y=2 https://a.b/?x=1&y=2}!"],
    ["&lt;https://a.b/&gt;", "<{a https://a.b/ https://a.b/}>"],
    ["HTTP://A.B/x", "{a http://a.b/x HTTP://A.B/x}"],
    ["xhttps://a.b", "xhttps://a.b"],
    ["https://", "https://"],
    ["http here", "http here"],
    ["*https://a.b/c*", "(bold {a https://a.b/c https://a.b/c})"],
    ["https://a.b/snake_case_x", "{a https://a.b/snake_case_x https://a.b/snake_case_x}"],
    ["`https://a.b`", "(code https://a.b)"],
  ])("%s", (said, read) => expect(line(said)).toBe(read));
});

describe("lines together", () => {
  it.each([
    ["a\nb\n\nc", "(p a/b)(p c)"],
    ["", ""],
    ["\n \n", ""],
    ["*a\nb*", "(p *a/b*)"],
    ["&gt; a\n&gt; b\nc", "(q (p a/b))(p c)"],
    ["> a", "(q (p a))"],
    ["&gt;a", "(q (p a))"],
    ["a &gt; b", "(p a > b)"],
    ["&gt;&gt;&gt; a\nb\n\nc", "(q (p a/b)(p c))"],
    ["&gt; - a\n&gt; - b", "(q (• <a> <b>))"],
    ["&gt; ```a```", "(q (pre a))"],
    ["- a\n- b\nc", "(• <a> <b>)(p c)"],
    ["• a\n    ◦ b\n    ◦ c\n• d", "(• <a(• <b> <c>)> <d>)"],
    ["1. a\n2. b", "(1. <a> <b>)"],
    ["7) a", "(7. <a>)"],
    ["1. a\n  - b\n2. c", "(1. <a(• <b>)> <c>)"],
    ["  - a\n- b", "(• <a> <b>)"],
    ["- a\n1. b", "(• <a>)(1. <b>)"],
    ["* a\n* *b*", "(• <a> <(bold b)>)"],
    ["-a\n2024. b", "(p -a/2024. b)"],
    ["-", "(p -)"],
    ["```a *b*\n  c```", "(pre a *b*\n  c)"],
    ["```\na\n```", "(pre a)"],
    ["x ```a``` y", "(p x )(pre a)(p  y)"],
    ["```a", "(p ```a)"],
    ["``````", "(p ``````)"],
    ["``` ``` x ```", "(p ``` )(pre  x )"],
    ["````a````", "(pre a)"],
    ["```&lt;b&gt; <https://a.b/|t>```", "(pre <b> {a https://a.b/ t})"],
    ["```a```\n```b```", "(pre a)(pre b)"],
  ])("%j", (said, read) => expect(all(said)).toBe(read));

  it("are read with Windows' line ends too", () => {
    expect(all("a\r\nb").replace(/\r/g, "")).toBe("(p a/b)");
  });
});

describe("what a search found", () => {
  it.each([
    ["a \uE000b\uE001 c", "(p a [b] c)"],
    ["\uE000*a*\uE001", "(p (bold [a]))"],
    ["*\uE000a\uE001b*", "(p (bold [a]b))"],
    ["<https://a.b/\uE000x\uE001|\uE000t\uE001>", "(p {a https://a.b/x [t]})"],
    ["`a\uE000b\uE001`", "(p (code a[b]))"],
    ["\uE000a &amp; b\uE001", "(p [a & b])"],
    ["\uE000a\nb\uE001", "(p [a]/[b])"],
    ["\uE001\uE001a\uE000", "(p a)"],
  ])("%j", (said, read) => expect(all(said)).toBe(read));

  it("marks people, emoji and addresses as a whole", () => {
    const [user, , emoji] = parseLine("<@U0\uE00012\uE001> :ta\uE000da\uE001:");
    expect(user).toMatchObject({ kind: "user", id: "U012", isMarked: true });
    expect(emoji).toMatchObject({ kind: "emoji", name: "tada", isMarked: true });
  });
});

describe("hostile text", () => {
  const PIECES = [
    ..."*_~`<>&:|@#! \n\t-1.)(ahé",
    "```",
    "&lt;",
    "&gt;",
    "<@U012>",
    "https://a.b",
    ":x:",
    "\uE000",
    "\uE001",
    "😀",
  ];

  /** The same numbers each time: a failure can be looked at again. */
  function random(seed: number): () => number {
    let state = seed;
    return () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 32;
    };
  }

  /** Letters that must come out again, whatever is around them. */
  const letters = (nodes: unknown): string =>
    JSON.stringify(nodes, (key, value) => (key === "kind" || key === "href" ? undefined : value)).replace(/[^é]/g, "");

  it("never throws, and loses no letter", () => {
    const next = random(7);
    for (let round = 0; round < 3000; round++) {
      const length = Math.floor(next() * 40);
      const said = Array.from({ length }, () => PIECES[Math.floor(next() * PIECES.length)]).join("");
      const expected = said.replace(/<[^<>\n]*>/g, "").replace(/[^é]/g, "");
      expect(letters(parse(said)).length, said).toBeGreaterThanOrEqual(expected.length);
    }
  });

  it.each([
    "*a ",
    "_a",
    "*_~",
    "<",
    "<a",
    "<@",
    "`",
    "`a",
    "``` ",
    "```a",
    ":a",
    ":",
    "&",
    "&am",
    "&gt;",
    "&gt; &gt;",
    "- a\n",
    "  - a\n   - b\n",
    "https://a",
    "https://a(",
    "h",
    "((((",
    "\uE000a\uE001",
    "*a* ",
    "<https://a.b|*x* ",
    "1. ",
    "😀",
    "🇩",
    "&gt;&gt;&gt;\n",
  ])("of %j without end is read in time that grows with its length", (piece) => {
    const said = piece.repeat(Math.ceil(320_000 / piece.length));
    const start = performance.now();
    parse(said);
    // A few tenths of a second where each line or sign is looked at once; looking at the rest for each takes 10 s and more.
    expect(performance.now() - start).toBeLessThan(5000);
  });

  it("nests no deeper than a few levels", () => {
    const depth = (nodes: readonly unknown[]): number =>
      nodes.reduce<number>((most, node) => {
        const { children = [], items = [], lists = [], blocks = [] } = node as Record<string, readonly unknown[]>;
        return Math.max(most, 1 + depth([...children, ...items, ...lists, ...blocks]));
      }, 0);
    const indented = Array.from({ length: 200 }, (_, at) => `${" ".repeat(Math.min(at, 24))}- a`).join("\n");
    for (const said of [
      `${"*_~".repeat(500)}a${"~_*".repeat(500)}`,
      `${"*a _b *c _d ".repeat(300)}${"x* y_ ".repeat(300)}`,
      indented,
    ])
      expect(depth(parse(said))).toBeLessThan(20);
  });
});
