/** A reader keeps their place, whatever comes or goes around it: over a scroller that is laid out by arithmetic. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Message, Row } from "../../core/contract";
import { blank } from "../../fixtures/world";
import { Standing } from "./standing";

const VIEW = 100;
/** As it turns out when it is drawn: nothing of the kind that was guessed. */
const tall = (key: string): number => 10 + (Number(key) % 3) * 7;

const row = (number: number): Row => {
  const message: Message = { ...blank("C0", `${number}.000100`, "U0ANN", "words"), key: String(number) };
  return { kind: "message", key: message.key, message, isContinued: true };
};
const rows = (from: number, to: number): Row[] => Array.from({ length: to - from }, (_, at) => row(from + at));

/** What a browser does: lays out what is drawn, and scrolls no further than there is anything. */
class Page {
  readonly scroller = document.createElement("div");
  readonly drawn = document.createElement("div");
  readonly standing: Standing;
  isOpen = false;
  private top = 0;
  private before = 0;
  private height = 0;
  private seen = -1;

  constructor(private list: Row[]) {
    document.body.append(this.scroller);
    const at = (get: () => number) => ({ configurable: true, get });
    Object.defineProperties(this.scroller, {
      clientHeight: at(() => VIEW),
      clientWidth: at(() => 500),
      scrollHeight: at(() => this.height),
      scrollTop: at(() => this.top),
      scrollBy: { value: ({ top }: { top: number }) => this.moveTo(this.top + top) },
    });
    this.standing = new Standing(
      () => this.isOpen,
      () => false,
      { width: 500, height: VIEW },
    );
  }

  moveTo(top: number): void {
    this.top = Math.max(0, Math.min(Math.round(top), this.height - VIEW));
  }

  /** Somebody scrolls. */
  scroll(by: number): void {
    this.moveTo(this.top + by);
    this.standing.scrolled();
    this.draw();
  }

  draw(list = this.list): void {
    this.list = list;
    let tries = 0;
    do {
      this.seen = this.standing.version.peek();
      const { range, before, after } = this.standing.draw(list);
      const shown = list.slice(range.start, range.end);
      this.before = before;
      this.height = before + after + shown.reduce((sum, each) => sum + tall(each.key), 0);
      this.moveTo(this.top);
      this.drawn.replaceChildren(...shown.map((each) => this.element(each.key)));
      this.standing.settle(this.scroller, this.drawn);
      tries += 1;
    } while (this.standing.version.peek() !== this.seen && tries < 20);
    expect(tries).toBeLessThan(20);
  }

  /** Where the rows in sight are, by their keys. */
  get inSight(): Record<string, number> {
    let top = this.before - this.top;
    const found: Record<string, number> = {};
    for (const element of this.drawn.children) {
      const key = (element as HTMLElement).title;
      if (top + tall(key) > 0 && top < VIEW) found[key] = top;
      top += tall(key);
    }
    return found;
  }

  private element(key: string): HTMLElement {
    const element = document.createElement("div");
    element.title = key;
    element.getBoundingClientRect = () => ({ height: tall(key) }) as DOMRect;
    return element;
  }
}

let page: Page;
beforeEach(() => {
  page = new Page(rows(500, 560));
  page.draw();
  page.standing.complete();
  page.draw();
});
afterEach(() => page.scroller.remove());

const isCovered = () => {
  const places = Object.entries(page.inSight);
  expect(places[0]?.[1]).toBeLessThanOrEqual(0);
  const [key = "", top = 0] = places.at(-1) ?? [];
  expect(top + tall(key)).toBeGreaterThanOrEqual(VIEW - 1);
};
const kept = (before: Record<string, number>) => {
  const after = page.inSight;
  for (const key of Object.keys(before).filter((each) => each in after))
    expect(Math.abs((before[key] ?? 0) - (after[key] ?? 0))).toBeLessThan(2);
  expect(Object.keys(before).filter((each) => each in after).length).toBeGreaterThan(0);
};

describe("somebody at the end", () => {
  it("stays there as messages come, and as older ones do", () => {
    expect(page.inSight).toHaveProperty("559");
    page.draw(rows(500, 565));
    expect(page.inSight).toHaveProperty("564");
    page.draw(rows(400, 565));
    expect(page.inSight).toHaveProperty("564");
    expect(page.standing.isAtEnd.value).toBe(true);
  });

  it("leaves it by scrolling, and comes back so", () => {
    page.scroll(-300);
    expect(page.standing.isAtEnd.value).toBe(false);
    page.draw(rows(500, 570));
    expect(page.inSight).not.toHaveProperty("569");
    page.scroll(5_000);
    expect(page.standing.isAtEnd.value).toBe(true);
  });

  it("is not at the end where there is more to come", () => {
    page.isOpen = true;
    page.scroll(-100);
    page.scroll(100);
    expect(page.standing.isAtEnd.value).toBe(false);
    const before = page.inSight;
    page.draw(rows(500, 660));
    kept(before);
  });
});

describe("somebody above it keeps the place", () => {
  it.each<[string, Row[]]>([
    ["older ones come", rows(400, 560)],
    ["newer ones come", rows(500, 600)],
    ["as many older ones come as newer ones go", rows(480, 540)],
  ])("when %s", (_, list) => {
    page.scroll(-350);
    const before = page.inSight;
    page.draw(list);
    kept(before);
    isCovered();
  });

  it("when the message at the upper edge is removed", () => {
    page.scroll(-350);
    // The edge may cut one in two: the first that begins in sight is what is kept, or the one that does next.
    const [edge = "", ...others] = Object.keys(page.inSight);
    const before = page.inSight;
    const list = rows(500, 560).filter((each) => each.key !== edge);
    page.draw(list);
    expect(page.inSight).not.toHaveProperty(edge);
    expect(Math.abs((page.inSight[others[0] ?? ""] ?? 99) - (before[others[0] ?? ""] ?? 0))).toBeLessThan(2);
    isCovered();
  });

  it("through page after page, without a gap", () => {
    page = new Page(rows(5_000, 5_060));
    page.draw();
    let first = 5_000;
    let last = 5_059;
    for (let turn = 0; turn < 200; turn++) {
      page.scroll(-60);
      isCovered();
      const now = Object.keys(page.inSight).map(Number);
      expect(Math.max(...now)).toBeLessThanOrEqual(last);
      expect(Math.max(...now)).toBeGreaterThanOrEqual(last - 8);
      last = Math.max(...now);
      if (page.standing.above < 200) {
        first -= 50;
        const before = page.inSight;
        page.draw(rows(first, 5_060));
        kept(before);
      }
    }
    expect(last).toBeLessThan(5_060 - (200 * 60) / 24 + 40);
  });

  it("when a scroll was not told of yet", () => {
    page.scroll(-350);
    page.moveTo(page.standing.above - 40);
    const before = page.inSight;
    page.draw(rows(400, 560));
    kept(before);
  });
});

describe("going to a row", () => {
  it("shows it where it is wanted, drawn or not, known or about to come", () => {
    page.standing.toRow("510", "top", 20);
    page.draw();
    expect(page.inSight["510"]).toBeCloseTo(20, -1);
    page.standing.toRow("530", "center", 0);
    page.draw();
    expect(page.inSight["530"]).toBeGreaterThan(30);
    page.standing.toRow("450", "center", 0);
    page.draw(rows(400, 500));
    expect(page.inSight["450"]).toBeGreaterThan(30);
    isCovered();
  });

  it("goes no further than it has to", () => {
    page.scroll(-350);
    const before = page.inSight;
    const [middle = ""] = Object.entries(before).find(([, top]) => top > 40 && top < 60) ?? [];
    page.standing.intoSight(middle, 10);
    page.draw();
    expect(page.inSight).toEqual(before);
    page.standing.intoSight("559", 10);
    page.draw();
    expect(page.inSight).toHaveProperty("559");
  });

  it("begins where one left off", () => {
    const other = new Page(rows(1, 60));
    other.standing.begin("20", 30);
    other.draw();
    expect(other.inSight["20"]).toBeCloseTo(30, -1);
    expect(other.standing.isAtEnd.value).toBe(false);
    other.scroller.remove();
  });
});
