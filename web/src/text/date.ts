/** Slack's dates in text, `<!date^1392734382^{date_short} at {time}|…>`, as the reader's own clock has them. Pure. */
import { ago, type Clock, daysBetween, timeOfDay } from "../ui/time";

const TOKEN =
  /\{(date|date_num|date_slash|date_short|date_long|date_pretty|date_short_pretty|date_long_pretty|time|time_secs|ago)\}/g;

type Style = Intl.DateTimeFormatOptions;
const LONG: Style = { weekday: "long", day: "numeric", month: "long", year: "numeric" };
const MIDDLE: Style = { day: "numeric", month: "long", year: "numeric" };
const SHORT: Style = { day: "numeric", month: "short", year: "numeric" };

/** `at` in seconds, `now` in milliseconds. What is no date at all is shown as the writer's own words for it. */
export function formatDate(at: number, format: string, fallback: string, now: number, clock: Clock): string {
  const ms = at * 1000;
  if (!Number.isFinite(new Date(ms).getTime())) return fallback || format;
  const said = format.replace(TOKEN, (_, token: string) => one(token, ms, now, clock));
  return said || fallback;
}

function one(token: string, ms: number, now: number, clock: Clock): string {
  switch (token) {
    case "date_num":
      return isoDay(ms);
    case "date_slash":
      return isoDay(ms).replace(/-/g, "/");
    case "time":
      return timeOfDay(ms, clock);
    case "time_secs":
      return withSeconds(timeOfDay(ms, clock), new Date(ms).getSeconds());
    case "ago":
      return ago(ms, now);
    default:
      return day(token, ms, now);
  }
}

function day(token: string, ms: number, now: number): string {
  const style = token.startsWith("date_long") ? LONG : token.startsWith("date_short") ? SHORT : MIDDLE;
  const near = token.endsWith("_pretty") ? NEAR[daysBetween(ms, now)] : undefined;
  return near ?? new Date(ms).toLocaleDateString("en-GB", style);
}

const NEAR: Record<number, string> = { 0: "today", 1: "yesterday", [-1]: "tomorrow" };

function isoDay(ms: number): string {
  const date = new Date(ms);
  const two = (part: number) => String(part).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

const withSeconds = (time: string, seconds: number): string =>
  time.replace(/^(\d+:\d+)/, `$1:${String(seconds).padStart(2, "0")}`);
