/** Looking into what others sent: anything may stand anywhere, and nothing of it throws. Pure. */

export type Loose = Readonly<Record<string, unknown>>;

const LIST_MAX = 200;

export const record = (value: unknown): Loose =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Loose) : {};
export const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value.slice(0, LIST_MAX) : []);
export const said = (value: unknown): string =>
  typeof value === "string" ? value : typeof value === "number" ? String(value) : "";
