/** Times to send at that one may want, seen from now. Pure; local time. */
import { type Clock, dayName, daysBetween, timeOfDay } from "../../ui/time";

export interface Choice {
  readonly label: string;
  readonly hint: string;
  /** Unix seconds. */
  readonly atS: number;
}

const at = (from: number, days: number, hour: number): number => {
  const date = new Date(from);
  date.setDate(date.getDate() + days);
  return date.setHours(hour, 0, 0, 0);
};

export function choices(now: number, clock: Clock): Choice[] {
  const day = new Date(now).getDay();
  const monday = ((8 - day) % 7 || 7) as number;
  const times: [string, number][] = [
    ["In an hour", Math.ceil((now + 3_600_000) / 60_000) * 60_000],
    ...(new Date(now).getHours() < 16 ? ([["This evening", at(now, 0, 18)]] as [string, number][]) : []),
    ["Tomorrow morning", at(now, 1, 9)],
    ...(monday > 1 ? ([["Monday morning", at(now, monday, 9)]] as [string, number][]) : []),
  ];
  return times.map(([label, ms]) => ({ label, hint: whenWords(ms, now, clock), atS: Math.floor(ms / 1000) }));
}

/** "18:00" of today, "Thursday 09:00" of this week, with the day of the month beyond. */
export function whenWords(ms: number, now: number, clock: Clock): string {
  const days = daysBetween(now, ms);
  const time = timeOfDay(ms, clock);
  if (days === 0) return time;
  if (days > 0 && days < 7) return `${new Date(ms).toLocaleDateString("en-GB", { weekday: "long" })} ${time}`;
  return `${dayName(ms, now)} ${time}`;
}

/** As far ahead as Slack's API takes. */
const AHEAD_MAX_MS = 120 * 86_400_000;

/** Why not then, for a person; "" if it may be. */
export function problemWith(ms: number, now: number): string {
  if (!Number.isFinite(ms)) return "Choose a day and a time.";
  if (ms < now + 60_000) return "That is not in the future.";
  return ms > now + AHEAD_MAX_MS ? "At most 120 days ahead." : "";
}

/** For <input type="datetime-local">. */
export function localInput(ms: number): string {
  const date = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
  return date.toISOString().slice(0, 16);
}
