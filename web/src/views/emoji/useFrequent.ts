/** The emoji one uses most, and the skin tone one chose: of this browser, the same for all that is shown on the page. */
import { signal } from "@preact/signals";
import { frequent, isUsed, type Used, withUse } from "../../text/emoji/recent";
import { splitTone, TONES, type Tone } from "../../text/emoji/tone";
import { readStored, writeStored } from "../../ui/stored";

const used = signal<readonly Used[] | null>(null);
const tone = signal<Tone | null>(null);

const usedNow = (): readonly Used[] => {
  if (used.value === null) used.value = readStored<Used[]>("emoji", [], isUsed);
  return used.value ?? [];
};

export function noteEmojiUse(name: string): void {
  used.value = withUse(usedNow(), splitTone(name).name, Date.now());
  writeStored("emoji", used.value);
}

export const frequentEmoji = (most: number): string[] => frequent(usedNow(), most);

export const useFrequentEmoji = (most: number) => ({ names: frequentEmoji(most), use: noteEmojiUse });

const isTone = (value: unknown): value is Tone => TONES.includes(value as Tone);

export function skinTone(): Tone {
  if (tone.value === null) tone.value = readStored<Tone>("tone", 0, isTone);
  return tone.value ?? 0;
}

export function setSkinTone(next: Tone): void {
  tone.value = next;
  writeStored("tone", next);
}
