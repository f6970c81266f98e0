/** Which emoji one uses: those most often and lately come first. Pure; kept by the browser (`ui/stored`). */

export interface Used {
  readonly name: string;
  readonly count: number;
  /** When last, by Date.now(). */
  readonly at: number;
}

const MOST = 40;
/** A use counts half after a week, so that habits may change. */
const HALF_LIFE_MS = 7 * 86_400_000;
const AT_FIRST = ["+1", "white_check_mark", "eyes", "raised_hands", "tada", "heart", "joy", "pray", "rocket"];

const weight = ({ count, at }: Used, now: number): number => count * 0.5 ** ((now - at) / HALF_LIFE_MS);

export function withUse(used: readonly Used[], name: string, now: number): Used[] {
  const before = used.find((one) => one.name === name);
  const count = 1 + (before ? weight(before, now) : 0);
  const rest = used.filter((one) => one.name !== name);
  return [{ name, count, at: now }, ...rest].sort((one, other) => weight(other, now) - weight(one, now)).slice(0, MOST);
}

/** The first `most` to offer; what everybody uses fills what one has not used yet. */
export function frequent(used: readonly Used[], most: number): string[] {
  const names = [...used.map(({ name }) => name), ...AT_FIRST];
  return [...new Set(names)].slice(0, most);
}

export const isUsed = (value: unknown): value is Used[] =>
  Array.isArray(value) &&
  value.length <= 200 &&
  value.every((one) => typeof one?.name === "string" && Number.isFinite(one.count) && Number.isFinite(one.at));
