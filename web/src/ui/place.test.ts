import { describe, expect, it } from "vitest";
import { place } from "./place";

const VIEW = { width: 1000, height: 600 };
const PANEL = { width: 200, height: 100 };

describe("the place of what floats", () => {
  it("is below, at the start of what it belongs to", () => {
    expect(place({ left: 100, top: 50, width: 80, height: 30 }, PANEL, VIEW)).toEqual({ left: 100, top: 84 });
  });

  it("turns over where there is no room below", () => {
    expect(place({ left: 100, top: 550, width: 80, height: 30 }, PANEL, VIEW)).toEqual({ left: 100, top: 446 });
  });

  it("turns over where there is no room above", () => {
    expect(place({ left: 100, top: 50, width: 80, height: 30 }, PANEL, VIEW, "above").top).toBe(84);
  });

  it("never leaves the window at the side", () => {
    expect(place({ left: 950, top: 50, width: 40, height: 30 }, PANEL, VIEW).left).toBe(792);
    expect(place({ left: 0, top: 50, width: 40, height: 30 }, PANEL, VIEW, "below", "end").left).toBe(8);
  });

  it("keeps its wish where neither side has room", () => {
    const tall = { width: 200, height: 590 };
    expect(place({ left: 100, top: 300, width: 80, height: 30 }, tall, VIEW).top).toBe(8);
  });

  it("stands centred beside", () => {
    expect(place({ left: 100, top: 200, width: 50, height: 20 }, PANEL, VIEW, "right", "center")).toEqual({
      left: 154,
      top: 160,
    });
  });
});
