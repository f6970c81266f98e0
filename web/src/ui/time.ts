/** Times as people say them. Pure: all take `now`, in milliseconds, and the clock one prefers. */
import type { Ts } from "../core/contract";

export type Clock = "12" | "24";
const DAY_MS = 86_400_000;

export const msOf = (ts: Ts): number => Number.parseFloat(ts) * 1000;

/** "14:05", or "2:05 PM". */
export function timeOfDay(at: number, clock: Clock): string {
  const hours = new Date(at).getHours();
  const minutes = String(new Date(at).getMinutes()).padStart(2, "0");
  if (clock === "24") return `${String(hours).padStart(2, "0")}:${minutes}`;
  return `${hours % 12 || 12}:${minutes} ${hours < 12 ? "AM" : "PM"}`;
}

const midnight = (at: number): number => new Date(at).setHours(0, 0, 0, 0);
/** Whole days between two times, by the calendar here. */
export const daysBetween = (earlier: number, later: number): number =>
  Math.round((midnight(later) - midnight(earlier)) / DAY_MS);

/** "Today", "Yesterday", "Monday, 3 March", with the year if it is another. */
export function dayName(at: number, now: number): string {
  const days = daysBetween(at, now);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  const isThisYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  const year = isThisYear ? {} : ({ year: "numeric" } as const);
  return new Date(at).toLocaleDateString("en-GB", { weekday: "long", day: "numeric", month: "long", ...year });
}

/** For lists: the time today, else the day. */
export function shortTime(at: number, now: number, clock: Clock): string {
  const days = daysBetween(at, now);
  if (days === 0) return timeOfDay(at, clock);
  if (days === 1) return "Yesterday";
  if (days > 1 && days < 7) return new Date(at).toLocaleDateString("en-GB", { weekday: "long" });
  const isThisYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  const year = isThisYear ? {} : ({ year: "numeric" } as const);
  return new Date(at).toLocaleDateString("en-GB", { day: "numeric", month: "short", ...year });
}

let formatter: Intl.DateTimeFormat | undefined;
/** Made once: making one costs a hundred times what using it does, and each message on the page asks. */
const fullDay = (): Intl.DateTimeFormat => {
  formatter ??= new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long", year: "numeric" });
  return formatter;
};

/** All of it, for tooltips: "Monday, 3 March 2025 at 14:05:09". */
export function fullTime(at: number, clock: Clock): string {
  const day = fullDay().format(at);
  const seconds = String(new Date(at).getSeconds()).padStart(2, "0");
  const [time, half] = timeOfDay(at, clock).split(" ");
  return `${day} at ${time}:${seconds}${half ? ` ${half}` : ""}`;
}

/** "just now", "5 minutes ago", "3 hours ago", "2 days ago", then the day. */
export function ago(at: number, now: number): string {
  const minutes = Math.floor((now - at) / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return counted(minutes, "minute");
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return counted(hours, "hour");
  const days = daysBetween(at, now);
  if (days < 14) return counted(days, "day");
  return `on ${new Date(at).toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" })}`;
}

const counted = (count: number, unit: string): string => `${count} ${unit}${count === 1 ? "" : "s"} ago`;
