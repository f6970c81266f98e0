/** Where something that floats goes: beside what it belongs to, turned over where the window ends. Pure. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export type Side = "below" | "above" | "right" | "left";
export type Align = "start" | "center" | "end";

const MARGIN = 8;

/** The top left corner of a box of `size`, wholly within `view` as far as it fits. */
export function place(
  anchor: Box,
  size: { width: number; height: number },
  view: { width: number; height: number },
  side: Side = "below",
  align: Align = "start",
  gap = 4,
): { left: number; top: number } {
  const upright = side === "below" || side === "above";
  const [from, extent, length, room] = upright
    ? [anchor.top, anchor.height, size.height, view.height]
    : [anchor.left, anchor.width, size.width, view.width];
  const after = from + extent + gap;
  const before = from - gap - length;
  const wantsAfter = side === "below" || side === "right";
  const fits = wantsAfter ? after + length <= room - MARGIN : before >= MARGIN;
  const fitsOther = wantsAfter ? before >= MARGIN : after + length <= room - MARGIN;
  const main = (fits || !fitsOther) === wantsAfter ? after : before;
  const [crossFrom, crossExtent, crossLength] = upright
    ? [anchor.left, anchor.width, size.width]
    : [anchor.top, anchor.height, size.height];
  const slack = crossExtent - crossLength;
  const cross = crossFrom + (align === "start" ? 0 : align === "end" ? slack : slack / 2);
  const left = upright ? cross : main;
  const top = upright ? main : cross;
  return { left: within(left, view.width - size.width), top: within(top, view.height - size.height) };
}

const within = (at: number, most: number): number => Math.round(Math.max(MARGIN, Math.min(at, most - MARGIN)));
