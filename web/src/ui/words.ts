/** What to tell a person: of what went wrong, and of how many there are. Pure. */
import { Refusal } from "../core/contract";

export const wordsOf = (error: unknown): string =>
  error instanceof Refusal ? error.message : "Something went wrong here. Please try again.";

export const membersOf = (count: number): string =>
  `${count.toLocaleString("en")} ${count === 1 ? "member" : "members"}`;
