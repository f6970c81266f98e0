/**
 * All emoji by category, found by words, in the tone one chose; the workspace's own among them. The focus stays in the
 * field: arrows move over the grid (ARIA combobox with a listbox), Enter picks.
 */
import { Search } from "lucide-preact";
import { useEffect, useId, useMemo, useRef, useState } from "preact/hooks";
import { type EmojiWords, readWords } from "../../text/emoji/search";
import { emojiTable, loadEmojiTable } from "../../text/emoji/table";
import { toned, withTone } from "../../text/emoji/tone";
import { useClient } from "../../ui/context";
import { EmojiGrid } from "./EmojiGrid";
import css from "./EmojiPicker.module.css";
import { type Cell, cellsOf, layout, move, sectionsFor } from "./grid";
import { Tabs, Tones } from "./PickerParts";
import { frequentEmoji, noteEmojiUse, skinTone } from "./useFrequent";

interface EmojiPickerProps {
  /** `unicode` is "" for the workspace's own. */
  readonly onPick: (name: string, unicode: string) => void;
}

export function EmojiPicker({ onPick }: EmojiPickerProps) {
  const client = useClient();
  const id = useId();
  const grid = useRef<HTMLDivElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState("");
  const [active, setActive] = useState(0);
  const words = useWords();
  const table = emojiTable.value;
  const custom = client.emoji.value;
  // The code may come after what opens around it has looked for a field.
  useEffect(() => field.current?.focus({ preventScroll: true }), []);
  useEffect(() => void client.loadEmoji().catch(() => undefined), [client]); // without them, the others are there
  // biome-ignore lint/correctness/useExhaustiveDependencies: a signal's value, read above so that its coming is noticed
  const sections = useMemo(
    () => (table ? sectionsFor(table, words, custom, frequentEmoji(18), typed) : []),
    [table, words, custom, typed],
  );
  const rows = useMemo(() => layout(sections), [sections]);
  const cells = useMemo(() => cellsOf(rows), [rows]);
  const tone = skinTone();
  const current = cells[Math.min(active, cells.length - 1)];

  const pick = (cell: Cell | undefined) => {
    if (!cell) return;
    const name = toned(cell.name, cell.hasTones ? tone : 0);
    noteEmojiUse(cell.name);
    onPick(name, cell.hasTones ? withTone(cell.unicode, tone) : cell.unicode);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    if (event.key === "Enter") {
      event.preventDefault();
      return pick(current);
    }
    const next = move(event.key, active, cells, typed !== "");
    if (next === null) return;
    event.preventDefault();
    setActive(next);
  };
  return (
    <div class={css.picker}>
      <Tabs sections={sections} grid={grid} rows={rows} isHidden={typed !== ""} />
      <div class={css.search}>
        <Search size={16} aria-hidden="true" />
        <input
          ref={field}
          data-autofocus
          role="combobox"
          aria-label="Find an emoji"
          aria-expanded="true"
          aria-controls={id}
          aria-activedescendant={current ? `${id}-${current.index}` : undefined}
          placeholder="Find an emoji"
          value={typed}
          autocomplete="off"
          spellcheck={false}
          onInput={(event) => {
            setTyped(event.currentTarget.value);
            setActive(0);
          }}
          onKeyDown={onKeyDown}
        />
      </div>
      <EmojiGrid
        id={id}
        rows={rows}
        elementRef={grid}
        active={current?.index ?? -1}
        tone={tone}
        isWaiting={table === null}
        onActive={setActive}
        onPick={pick}
      />
      <div class={css.foot}>
        <span class={css.current}>{current && `:${current.name}:`}</span>
        <Tones />
      </div>
    </div>
  );
}

/** What they are found by; the picker alone needs it. */
function useWords(): readonly EmojiWords[] | null {
  const [words, setWords] = useState<readonly EmojiWords[] | null>(null);
  useEffect(() => {
    let isShown = true;
    void loadEmojiTable().catch(() => undefined);
    import("virtual:emoji-words").then(
      (module) => isShown && setWords(readWords(module.default)),
      () => undefined, // then they are found by their names
    );
    return () => {
      isShown = false;
    };
  }, []);
  return words;
}
