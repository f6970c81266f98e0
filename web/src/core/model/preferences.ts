/** What a person has chosen, as the server keeps it among the preferences of all clients. Pure. */
import type { Id, Preferences, Ts } from "../contract";
import { type Json, object, parsed, text } from "../net/json";

export const DEFAULTS: Preferences = {
  theme: "system",
  density: "comfortable",
  notifications: "mentions",
  sound: true,
  sendWithEnter: true,
  clock: "24",
  mutedIds: [],
  starredIds: [],
};

const MUTED = "muted_channels";
const STARRED = "parley.starred";
const CLOSED = "parley.closed";
/** Closed direct conversations that are remembered. */
const CLOSED_MAX = 200;

const ids = (value: unknown): readonly Id[] => text(value).split(",").filter(Boolean);
const oneOf = <T extends string>(value: unknown, allowed: readonly T[], otherwise: T): T =>
  allowed.find((each) => each === value) ?? otherwise;
const flag = (value: unknown, otherwise: boolean): boolean => (typeof value === "boolean" ? value : otherwise);

export function preferencesOf(prefs: Json): Preferences {
  return {
    theme: oneOf(prefs["parley.theme"], ["system", "light", "dark"], DEFAULTS.theme),
    density: oneOf(prefs["parley.density"], ["comfortable", "compact"], DEFAULTS.density),
    notifications: oneOf(prefs["parley.notifications"], ["all", "mentions", "none"], DEFAULTS.notifications),
    sound: flag(prefs["parley.sound"], DEFAULTS.sound),
    sendWithEnter: flag(prefs["parley.sendWithEnter"], DEFAULTS.sendWithEnter),
    clock: oneOf(prefs["parley.clock"], ["12", "24"], DEFAULTS.clock),
    mutedIds: ids(prefs[MUTED]),
    starredIds: ids(prefs[STARRED]),
  };
}

/** The same change in the server's names. */
export function prefsOf(change: Partial<Preferences>): Json {
  const prefs: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(change)) {
    if (name === "mutedIds") prefs[MUTED] = (value as readonly Id[]).join();
    else if (name === "starredIds") prefs[STARRED] = (value as readonly Id[]).join();
    else prefs[`parley.${name}`] = value;
  }
  return prefs;
}

/** Direct conversations put out of sight, each until something newer than this is in it. */
export function closedOf(prefs: Json): ReadonlyMap<Id, Ts> {
  const kept = object(parsed(prefs[CLOSED]));
  return new Map(Object.entries(kept).map(([id, until]) => [id, text(until)]));
}

export function closedPrefs(closed: ReadonlyMap<Id, Ts>): Json {
  return { [CLOSED]: JSON.stringify(Object.fromEntries([...closed].slice(-CLOSED_MAX))) };
}

/** Words beside one's name that count as a mention, as Slack's clients keep them. */
export function keywordsOf(prefs: Json): readonly string[] {
  const all = object(parsed(prefs.all_notifications_prefs));
  const words = text(object(all.global).global_keywords).split(",");
  return words.map((each) => each.trim().toLowerCase()).filter(Boolean);
}
