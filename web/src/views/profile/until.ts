/** Until when a status holds: the choices, and the second each of them ends at. Pure. */
export type Until = "never" | "30m" | "1h" | "4h" | "today" | "week";

export const UNTIL: readonly { readonly value: Until; readonly label: string }[] = [
  { value: "never", label: "I clear it myself" },
  { value: "30m", label: "30 minutes" },
  { value: "1h", label: "1 hour" },
  { value: "4h", label: "4 hours" },
  { value: "today", label: "The end of today" },
  { value: "week", label: "The end of this week" },
];

/** In seconds since 1970; 0 for no end. A week ends with Sunday. */
export function endOf(until: Until, now: number): number {
  const minutes = { "30m": 30, "1h": 60, "4h": 240 } as const;
  if (until === "never") return 0;
  if (until === "today" || until === "week") {
    const end = new Date(now);
    if (until === "week") end.setDate(end.getDate() + ((7 - end.getDay()) % 7));
    return Math.floor(end.setHours(23, 59, 59, 0) / 1000);
  }
  return Math.floor(now / 1000) + minutes[until] * 60;
}
