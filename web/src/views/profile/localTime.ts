/** What the clock of somebody elsewhere says, and whether it is another day there. Pure. */
import { type Clock, timeOfDay } from "../../ui/time";

export function localTime(
  offsetS: number,
  now: number,
  clock: Clock,
  hereOffsetS = -60 * new Date(now).getTimezoneOffset(),
): string {
  const there = now + (offsetS - hereOffsetS) * 1000;
  const days = new Date(there).getDate() - new Date(now).getDate();
  const later = there > now;
  return timeOfDay(there, clock) + (days === 0 ? "" : later ? " tomorrow" : " yesterday");
}
