/** What one types becomes Slack's text, and comes back from it for editing. */
import names from "virtual:emoji-names";
import { describe, expect, it } from "vitest";
import { fromSlack, type Named, namesIn, toSlack } from "./compose";
import { readTable } from "./emoji/table";
import { parse } from "./mrkdwn";

const NAMES: Named[] = [
  { label: "@Ann", token: "<@U0ANN>" },
  { label: "@Ann Smith", token: "<@U0SMITH>" },
  { label: "#general", token: "<#C0GEN|general>" },
];
const TABLE = readTable(names);
const LABELS = {
  user: (id: string) => ({ U0ANN: "Ann", U0SMITH: "Ann Smith", U0ANN2: "Ann" })[id],
  channel: (id: string) => ({ C0GEN: "general" })[id],
};

describe("what is typed", () => {
  it.each([
    ["a < b && c > d", "a &lt; b &amp;&amp; c &gt; d"],
    ["> quoted", "&gt; quoted"],
    ["hi @Ann!", "hi <@U0ANN>!"],
    ["@Ann Smith, @Ann", "<@U0SMITH>, <@U0ANN>"],
    ["@Anna", "@Anna"],
    ["x@Ann", "x@Ann"],
    ["see #general", "see <#C0GEN|general>"],
    ["#generally", "#generally"],
    ["@here and @channel, @everyone", "<!here> and <!channel>, <!everyone>"],
    ["@hereby", "@hereby"],
    ["me@here.org", "me@here.org"],
    ["**bold** and ~~gone~~", "*bold* and ~gone~"],
    ["**for @Ann**", "*for <@U0ANN>*"],
    ["2 ** 3 ** 4", "2 ** 3 ** 4"],
    ["[the site](https://a.b/?x=1&y=2)", "<https://a.b/?x=1&amp;y=2|the site>"],
    ["[x](javascript:alert(1))", "[x](javascript:alert(1))"],
    ["[a|b](https://a.b)", "<https://a.b|a¦b>"],
    ["https://a.b/@Ann/**x**?a&b", "https://a.b/@Ann/**x**?a&amp;b"],
    ["- one\n- two\n* three", "• one\n• two\n• three"],
    ["`a < @Ann`", "`a &lt; @Ann`"],
    ["```js\n**x** & @here\n```", "```\n**x** &amp; @here\n```"],
    ["```js```", "```js```"],
    ["<@U0EVIL> <!channel>", "&lt;@U0EVIL&gt; &lt;!channel&gt;"],
    ["🎉 👋🏽 ❤️ 🇩🇪 1️⃣ 👩‍💻", ":tada: :wave::skin-tone-4: :heart: :de: :one: :female-technologist:"],
    ["1 # 2 * ©", "1 # 2 * :copyright:"],
    ["  \n a \n ", "a"],
    ["", ""],
  ])("%j", (typed, text) => expect(toSlack(typed, NAMES, TABLE)).toBe(text));

  it("keeps emoji as they are while the table is not there", () => {
    expect(toSlack("🎉", [])).toBe("🎉");
  });

  it("is made in time that grows with its length", () => {
    for (const piece of ["[", "[a](", "**a", "~~", "@", "`", "@Ann ", "**a**", "https://"]) {
      const start = performance.now();
      toSlack(piece.repeat(Math.ceil(40_000 / piece.length)), NAMES, TABLE);
      expect(performance.now() - start, piece).toBeLessThan(3000);
    }
  });
});

describe("what is edited", () => {
  it.each([
    ["hi <@U0ANN>, <@U0SMITH|smith>", "hi @Ann, @Ann Smith"],
    ["<@U0GONE|old>", "@old"],
    ["<#C0GEN|general> <#C0X>", "#general #C0X"],
    ["<!here> <!subteam^S01|@ops>", "@here @ops"],
    ["<https://a.b/?x=1&amp;y=2|the site> <https://a.b>", "[the site](https://a.b/?x=1&y=2) https://a.b"],
    ["a &lt; b &amp;amp;", "a < b &amp;"],
    ["• one\n    • two", "- one\n    - two"],
    ["&gt; q", "> q"],
  ])("%j", (text, typed) => expect(fromSlack(text, LABELS).typed).toBe(typed));

  it("tells two people of one name apart", () => {
    const { typed, names: both } = fromSlack("<@U0ANN> <@U0ANN2> <@U0ANN>", LABELS);
    expect(typed).toBe("@Ann @Ann (2) @Ann");
    expect(toSlack(typed, both)).toBe("<@U0ANN> <@U0ANN2> <@U0ANN>");
  });

  it.each([
    "hi <@U0ANN>, <@U0SMITH> in <#C0GEN|general> <!here>",
    "*b* _i_ ~s~ `c &lt;` ```\nx &amp; y\n```",
    "• one\n• two",
    "<https://a.b/?x=1&amp;y=2|the *site*> https://c.d",
    "<!subteam^S01|@ops> &lt;@U0ANN&gt;",
    ":tada: a:b",
  ])("comes out as it went in: %j", (text) => {
    const { typed, names: held } = fromSlack(text, LABELS);
    expect(toSlack(typed, held)).toBe(text);
  });

  it("never becomes a mention that was not there", () => {
    const text = toSlack("<@U0ANN> @U0ANN &lt;!channel&gt;", []);
    expect(JSON.stringify(parse(text))).not.toContain('"user"');
    expect(JSON.stringify(parse(text))).not.toContain('"broadcast"');
  });

  it("keeps the names that are still in it", () => {
    expect(namesIn("hi @Ann", NAMES)).toEqual([NAMES[0]]);
  });
});
