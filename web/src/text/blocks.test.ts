/** Block Kit and attachments are read as far as they are understood, whatever was sent. */
import { describe, expect, it } from "vitest";
import { colourOf, readAttachments } from "./attachments";
import { plain, readBlocks } from "./blocks";
import { readRichText } from "./richblocks";

const mrkdwn = (text: string) => ({ type: "mrkdwn", text });
const words = (text: string) => ({ type: "plain_text", text });

describe("blocks", () => {
  it("reads a section with fields and a picture beside it", () => {
    const [section] = readBlocks([
      {
        type: "section",
        text: mrkdwn("*hi*"),
        fields: [words("*a*"), mrkdwn("b")],
        accessory: { type: "image", image_url: "https://a.b/c.png", alt_text: "c" },
      },
    ]);
    expect(section).toMatchObject({
      kind: "section",
      text: [{ kind: "paragraph", children: [{ kind: "bold" }] }],
      fields: [[{ kind: "paragraph", children: [{ kind: "text", text: "*a*" }] }], [{ kind: "paragraph" }]],
      accessory: { kind: "picture", src: "https://a.b/c.png", alt: "c" },
    });
  });

  it("reads header, divider, context, image and actions", () => {
    const bare = { kind: "control", href: null, place: null, options: null, question: null };
    const place = (actionId: string) => ({ blockId: "b1", actionId });
    const one = { text: words("One"), value: "1" };
    const options = [one];
    const sure = { title: words("Sure?"), text: words("It is loud"), confirm: words("Do it"), deny: words("No") };
    const question = { title: "Sure?", text: "It is loud", action: "Do it", denial: "No", isDangerous: false };
    const kinds = readBlocks([
      { type: "header", text: words("Hi :tada:") },
      { type: "divider" },
      { type: "context", elements: [mrkdwn("a"), { type: "image", image_url: "https://a.b/c.png", alt_text: "" }] },
      { type: "image", image_url: "https://a.b/c.png", alt_text: "c", title: words("t") },
      {
        type: "actions",
        elements: [
          { type: "button", text: words("Go"), style: "primary", url: "https://a.b" },
          { type: "button", text: words("Run"), action_id: "run", url: "javascript:alert(1)", confirm: sure },
          { type: "static_select", placeholder: words("Choose"), action_id: "pick", options },
          { type: "users_select", placeholder: words("Whom"), action_id: "whom" },
        ],
        block_id: "b1",
      },
    ]);
    expect(kinds.map(({ kind }) => kind)).toEqual(["header", "divider", "context", "image", "actions"]);
    expect(kinds[0]).toMatchObject({ text: [{ text: "Hi " }, { kind: "emoji", name: "tada" }] });
    expect(kinds[4]).toEqual({
      kind: "actions",
      controls: [
        { ...bare, label: "Go", look: "primary", href: "https://a.b/" },
        { ...bare, label: "Run", look: "plain", place: place("run"), question },
        { ...bare, label: "Choose", look: "select", place: place("pick"), options: [{ label: "One", value: one }] },
        { ...bare, label: "Whom", look: "select", place: place("whom") },
      ],
    });
  });

  it("leaves out what it does not know, and what has no address of a picture", () => {
    expect(
      readBlocks([
        { type: "weather" },
        null,
        7,
        "x",
        [],
        { type: "image", image_url: "javascript:alert(1)" },
        { type: "section" },
      ]),
    ).toEqual([]);
    expect(readBlocks(Array.from({ length: 500 }, () => ({ type: "divider" })))).toHaveLength(50);
  });

  it("reads plain text without marks", () => {
    expect(plain("a *b*\n&lt;:tada:")).toEqual([
      { kind: "text", text: "a *b*", isMarked: false },
      { kind: "break" },
      { kind: "text", text: "<", isMarked: false },
      { kind: "emoji", name: "tada", tone: 0, isMarked: false },
    ]);
  });
});

describe("rich text", () => {
  const section = (...elements: unknown[]) => ({ type: "rich_text_section", elements });
  const text = (said: string, style = {}) => ({ type: "text", text: said, style });

  it("reads styles, people, channels, emoji, dates and links", () => {
    const [paragraph] = readRichText([
      section(
        text("a", { bold: true, italic: true }),
        text("b", { code: true }),
        text("c\nd"),
        { type: "user", user_id: "U012" },
        { type: "channel", channel_id: "C012" },
        { type: "usergroup", usergroup_id: "S012" },
        { type: "broadcast", range: "here" },
        { type: "emoji", name: "wave", skin_tone: 3 },
        { type: "date", timestamp: 1, format: "{date}", fallback: "f" },
        { type: "link", url: "https://a.b", text: "t" },
        { type: "link", url: "javascript:alert(1)", text: "t" },
        { type: "color", value: "#fff" },
        { type: "unknown" },
      ),
    ]);
    const kinds = paragraph?.kind === "paragraph" ? paragraph.children.map((node) => node.kind) : [];
    expect(kinds).toEqual(
      "bold code text break text user channel usergroup broadcast emoji date link text text".split(" "),
    );
  });

  it("reads quotes, code, and lists within lists", () => {
    const list = (style: string, indent: number, ...items: string[]) => ({
      type: "rich_text_list",
      style,
      indent,
      elements: items.map((item) => section(text(item))),
    });
    const blocks = readRichText([
      { type: "rich_text_quote", elements: [text("q")] },
      { type: "rich_text_preformatted", elements: [text("c")] },
      list("bullet", 0, "a"),
      list("ordered", 1, "b", "c"),
      list("bullet", 0, "d"),
    ]);
    expect(blocks.map(({ kind }) => kind)).toEqual(["quote", "pre", "list"]);
    expect(blocks[2]).toMatchObject({
      isOrdered: false,
      items: [{ lists: [{ isOrdered: true, start: 1, items: [{}, {}] }] }, { lists: [] }],
    });
  });
});

describe("attachments", () => {
  it("reads what stands in one", () => {
    const [one] = readAttachments([
      {
        color: "#36a64f",
        pretext: "p",
        author_name: "An",
        author_link: "https://a.b",
        title: "T",
        title_link: "javascript:alert(1)",
        text: "*x*",
        fields: [{ title: "a", value: "b", short: true }],
        image_url: "https://a.b/i.png",
        footer: "f",
        ts: 12,
      },
    ]);
    expect(one).toMatchObject({
      colour: "#36a64f",
      before: "p",
      author: { name: "An", href: "https://a.b/" },
      titleHref: null,
      fields: [{ title: "a", value: "b", isShort: true }],
      image: "https://a.b/i.png",
      at: 12,
    });
  });

  it("shows of what a link leads to the words, and no stranger's pictures", () => {
    const preview = {
      from_url: "https://a.b/x",
      original_url: "https://a.b/x",
      service_name: "Tea &amp; Co",
      service_icon: "https://a.b/i.ico",
      title: "T &lt;x&gt;",
      title_link: "https://a.b/x",
      text: "&lt;!channel&gt;",
      image_url: "https://a.b/i.png",
      thumb_url: "https://a.b/t.png",
    };
    const foreign = { image: "https://a.b/i.png", thumbnail: "https://a.b/t.png" };
    expect(readAttachments([preview, { ...preview, is_app_unfurl: true }])).toMatchObject([
      { author: { name: "Tea & Co", icon: null }, image: null, thumbnail: null, titleHref: "https://a.b/x" },
      foreign,
    ]);
    expect(readAttachments([{ ...preview, image_url: "/files/i.png" }])).toMatchObject([{ image: "/files/i.png" }]);
  });

  it("shows the fallback of one that holds nothing else, and nothing of one that has none", () => {
    expect(readAttachments([{ fallback: "f" }, {}, null])).toMatchObject([{ text: "f" }]);
  });

  it("takes colours, and nothing that is more than one", () => {
    expect([
      colourOf("good"),
      colourOf("abc"),
      colourOf("#AABBCC"),
      colourOf("red;background:url(x)"),
      colourOf(7),
    ]).toEqual(["var(--success)", "#abc", "#AABBCC", null, null]);
  });
});
