/** How tall the rows of a list are, by their keys: as they were measured, or as they are guessed until then. Pure. */
import type { Row } from "../../core/contract";

/** Rows from `start` up to `end`, which is not one of them. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

export const NOTHING: Range = { start: 0, end: 0 };

export class Heights {
  private rows: readonly Row[] = [];
  private readonly measured = new Map<string, number>();
  private places: ReadonlyMap<string, number> = new Map();
  /** Where each row begins, and after them where the last one ends. */
  private tops = new Float64Array(1);
  /** The tops up to this row are right. */
  private sound = 0;

  constructor(private guess: (row: Row) => number) {}

  /** Take other rows. What is known of those that stay is kept. */
  take(rows: readonly Row[]): void {
    if (rows === this.rows) return;
    this.rows = rows;
    this.places = new Map(rows.map((row, index) => [row.key, index]));
    this.tops = new Float64Array(rows.length + 1);
    this.sound = 0;
    if (this.measured.size < 2 * rows.length + 100) return;
    for (const key of this.measured.keys()) if (!this.places.has(key)) this.measured.delete(key);
  }

  /** Forget what was measured: the rows have another width. */
  begin(guess: (row: Row) => number): void {
    this.guess = guess;
    this.measured.clear();
    this.sound = 0;
  }

  /** Say how tall a row turned out; whether that is news. */
  measure(index: number, px: number): boolean {
    const row = this.rows[index];
    if (row === undefined || px <= 0 || this.measured.get(row.key) === px) return false;
    this.measured.set(row.key, px);
    this.sound = Math.min(this.sound, index);
    return true;
  }

  get count(): number {
    return this.rows.length;
  }

  get total(): number {
    return this.top(this.rows.length);
  }

  /** The place of a row; -1 where there is none of that key. */
  place(key: string): number {
    return this.places.get(key) ?? -1;
  }

  top(index: number): number {
    for (; this.sound < index; this.sound++)
      this.tops[this.sound + 1] = (this.tops[this.sound] ?? 0) + this.height(this.sound);
    return this.tops[index] ?? 0;
  }

  height(index: number): number {
    const row = this.rows[index];
    return row === undefined ? 0 : (this.measured.get(row.key) ?? this.guess(row));
  }

  /** The row that is at `px`; the nearest one where that is above or below all. */
  at(px: number): number {
    this.top(this.rows.length);
    let low = 0;
    let high = this.rows.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.tops[middle] ?? 0) <= px) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** The rows from `from` to `to`, in pixels. */
  between(from: number, to: number): Range {
    return this.rows.length === 0 ? NOTHING : { start: this.at(from), end: this.at(to) + 1 };
  }

  /** Whether all that there is from `from` to `to` is among the rows of a range. */
  isWithin({ start, end }: Range, from: number, to: number): boolean {
    return (start <= 0 || this.top(start) <= from) && (end >= this.rows.length || this.top(end) >= to);
  }
}
