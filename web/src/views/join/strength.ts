/** How hard a password is to guess, roughly: a hint while typing, never a rule (the server has those). Pure. */
export interface Strength {
  /** 0 to 4. */
  readonly score: number;
  readonly words: string;
}

export const PASSWORD_LETTERS_MIN = 10;

const WORDS = ["Too short", "Weak", "Fair", "Good", "Strong"];

export function strengthOf(password: string, own: readonly string[] = []): Strength {
  const lower = password.toLowerCase();
  if (password.length < PASSWORD_LETTERS_MIN) return { score: 0, words: `At least ${PASSWORD_LETTERS_MIN} characters` };
  if (own.some((word) => word.length > 2 && lower.includes(word.toLowerCase()))) {
    return { score: 1, words: "Weak: it has your name in it" };
  }
  if (isRegular(lower)) return { score: 1, words: "Weak: it repeats itself" };
  const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z0-9]/].filter((kind) => kind.test(password)).length;
  const bits = password.length * Math.log2([1, 26, 40, 62, 80][kinds] ?? 26);
  const score = bits < 55 ? 1 : bits < 70 ? 2 : bits < 90 ? 3 : 4;
  return { score, words: WORDS[score] ?? "" };
}

/** Few different letters, or a run as on the keyboard or in the alphabet. */
function isRegular(lower: string): boolean {
  if (new Set(lower).size <= Math.min(5, lower.length / 3)) return true;
  const runs = ["abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "password"];
  return runs.some((run) => {
    for (let from = 0; from + 6 <= run.length; from += 1) {
      if (lower.includes(run.slice(from, from + 6)) && lower.length < 14) return true;
    }
    return false;
  });
}
