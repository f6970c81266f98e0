/** What to tell a person of what went wrong. Pure. */
import { Refusal } from "../core/contract";

export const wordsOf = (error: unknown): string =>
  error instanceof Refusal ? error.message : "Something went wrong here. Please try again.";
