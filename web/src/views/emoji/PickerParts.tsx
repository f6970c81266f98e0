/** Around the grid: the categories above, the skin tones below. */
import {
  Clock,
  Flag,
  Hash,
  Leaf,
  Lightbulb,
  type LucideIcon,
  Pizza,
  Plane,
  Smile,
  Sparkles,
  Trophy,
  Users,
} from "lucide-preact";
import type { RefObject } from "preact";
import { TONES, toneName, withTone } from "../../text/emoji/tone";
import { classes } from "../../ui/classes";
import { ROW_PX } from "./EmojiGrid";
import css from "./EmojiPicker.module.css";
import type { GridRow, Section } from "./grid";
import { setSkinTone, skinTone } from "./useFrequent";

const ICONS: Readonly<Record<string, LucideIcon>> = {
  recent: Clock,
  "smileys-emotion": Smile,
  "people-body": Users,
  "animals-nature": Leaf,
  "food-drink": Pizza,
  "travel-places": Plane,
  activities: Trophy,
  objects: Lightbulb,
  symbols: Hash,
  flags: Flag,
  custom: Sparkles,
};

interface TabsProps {
  readonly sections: readonly Section[];
  readonly rows: readonly GridRow[];
  readonly grid: RefObject<HTMLDivElement>;
  readonly isHidden: boolean;
}

export function Tabs({ sections, rows, grid, isHidden }: TabsProps) {
  const go = (section: Section) => {
    const at = rows.findIndex((row) => row.kind === "title" && row.section === section);
    grid.current?.scrollTo({ top: at * ROW_PX });
  };
  return (
    <div class={css.tabs} aria-hidden={isHidden}>
      {sections.map((section) => {
        const Icon = ICONS[section.key] ?? Smile;
        return (
          <button
            key={section.key}
            type="button"
            tabIndex={-1}
            class={css.tab}
            aria-label={section.title}
            data-tooltip={section.title}
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => go(section)}
          >
            <Icon size={17} aria-hidden="true" />
          </button>
        );
      })}
    </div>
  );
}

export function Tones() {
  const chosen = skinTone();
  return (
    <div role="radiogroup" aria-label="Skin tone" class={css.tones}>
      {TONES.map((tone) => (
        // biome-ignore lint/a11y/useSemanticElements: a picture to press, not a dot
        <button
          key={tone}
          type="button"
          role="radio"
          aria-checked={tone === chosen}
          aria-label={toneName(tone)}
          data-tooltip={`Skin tone: ${toneName(tone)}`}
          class={classes(css.tone, tone === chosen && css.chosen)}
          onClick={() => setSkinTone(tone)}
        >
          {withTone("✋", tone)}
        </button>
      ))}
    </div>
  );
}
