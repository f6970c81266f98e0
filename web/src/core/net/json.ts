/** Reading JSON that came from outside: what is not of the kind that was wanted is as if it were not there. Pure. */

export type Json = { readonly [name: string]: unknown };

const NOTHING: Json = {};

export const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const object = (value: unknown): Json => (isObject(value) ? value : NOTHING);
export const objects = (value: unknown): readonly Json[] => (Array.isArray(value) ? value.filter(isObject) : []);
export const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
export const text = (value: unknown): string => (typeof value === "string" ? value : "");
export const texts = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((each): each is string => typeof each === "string") : [];
export const number = (value: unknown): number =>
  typeof value === "number" && Number.isFinite(value) ? value : Number(typeof value === "string" ? value : 0) || 0;

/** Parse; undefined for what is no object. */
export function parsed(source: unknown): Json | undefined {
  if (typeof source !== "string") return undefined;
  try {
    const value: unknown = JSON.parse(source);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A time as Slack writes it; "" for all the ways to say never. */
export function time(value: unknown): string {
  const said = text(value);
  return /[1-9]/.test(said) ? said : "";
}
