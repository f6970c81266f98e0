/** Skin tones, numbered as Slack numbers them: 2 is light, 6 is dark, 0 is none. Pure. */

export type Tone = 0 | 2 | 3 | 4 | 5 | 6;
export const TONES: readonly Tone[] = [0, 2, 3, 4, 5, 6];

const MODIFIERS: Record<number, string> = { 2: "🏻", 3: "🏼", 4: "🏽", 5: "🏾", 6: "🏿" };
const PERSON = /\p{Emoji_Modifier_Base}\uFE0F?/gu;
/** The emoji with that tone, for each person in it; as it is for none, or for one that takes none. */
export function withTone(emoji: string, tone: number): string {
  const modifier = MODIFIERS[tone];
  if (!modifier) return emoji;
  return emoji.replace(PERSON, (person) => person.replace("\uFE0F", "") + modifier);
}

const TONE_NAMES: Record<Tone, string> = {
  0: "no skin tone",
  2: "light",
  3: "medium-light",
  4: "medium",
  5: "medium-dark",
  6: "dark",
};
export const toneName = (tone: Tone): string => TONE_NAMES[tone];

/** "wave" or "wave::skin-tone-3", as reactions are named. */
export const toned = (name: string, tone: number): string => (tone ? `${name}::skin-tone-${tone}` : name);

export function splitTone(name: string): { name: string; tone: number } {
  const found = /^(.+)::skin-tone-([2-6])$/.exec(name);
  return found?.[1] ? { name: found[1], tone: Number(found[2]) } : { name, tone: 0 };
}
