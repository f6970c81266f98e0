import { describe, expect, it } from "vitest";
import { createFixtureClient } from "../../fixtures/client";
import { MODIFIERS, suggestions } from "./suggestions";

const design = createFixtureClient().conversation("C0DESIGN").value;
const queries = (text: string, recent: string[] = [], here = design) =>
  suggestions(text, recent, here).map((offer) => offer.query);

describe("the search field offers", () => {
  it("earlier searches and all modifiers while it is empty", () => {
    expect(queries("", ["roadmap"])).toEqual(["roadmap", ...MODIFIERS.map(([modifier]) => modifier)]);
  });

  it("the search in this channel", () => {
    expect(queries("corner")).toEqual(["in:#design corner"]);
    expect(queries("in:#random corner")).toEqual([]);
  });

  it("the modifier that is being typed, after what stands", () => {
    expect(queries("corner be", [])).toContain("corner before:");
    expect(queries("corner from:", [])).not.toContain("corner from:");
  });
});
