"""Write svc/webapp/domain/standard_emoji.txt, the names of Unicode's emoji: `python -m ops.dev.emoji_names`.

Made of the package from which the Web client takes its emoji (npm's emojibase-data, MIT licence; `npm ci` in web/
brings it), so that what a client offers is what the server knows. Names are Slack's, and the ones of CLDR for emoji
that are younger than these. Run it after that package was updated.
"""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["names_by_category", "page"]

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "web" / "node_modules" / "emojibase-data" / "en"
PAGE = ROOT / "svc" / "webapp" / "domain" / "standard_emoji.txt"

CATEGORIES: Mapping[int, str] = {
    0: "Smileys & People",
    1: "Smileys & People",
    2: "Symbols",  # tones of skin, which Slack shows with none
    3: "Animals & Nature",
    4: "Food & Drink",
    5: "Travel & Places",
    6: "Activities",
    7: "Objects",
    8: "Symbols",
    9: "Flags",
}
"""Slack's categories, by Unicode's group."""


def names_by_category(
    emoji: list[dict[str, Any]], names: Mapping[str, Any], younger: Mapping[str, Any]
) -> Mapping[str, list[str]]:
    """Return the names of each category, in Unicode's order; parts of emoji without a name are left out."""
    found: dict[str, list[str]] = {each: [] for each in dict.fromkeys(CATEGORIES.values())}
    for each in sorted(emoji, key=lambda each: each.get("order", 0)):
        group = each.get("group")
        its = names.get(each["hexcode"]) or (younger.get(each["hexcode"]) if group != 2 else None)
        if its and group is not None:
            found[CATEGORIES[group]] += [its] if isinstance(its, str) else its
    return {category: list(dict.fromkeys(those)) for category, those in found.items()}


def page(categories: Mapping[str, list[str]]) -> str:
    """Return the file: a line for each category, and its names in the lines below."""
    parts = [
        f"# {category}\n{textwrap.fill(' '.join(names), 118, break_on_hyphens=False, break_long_words=False)}\n"
        for category, names in categories.items()
    ]
    return "".join(parts)


def main() -> int:
    """Write the file; return the exit code."""
    if not DATA.exists():
        print(f"{DATA} is not there: run `npm ci` in web/ first", file=sys.stderr)
        return 1
    emoji, names, younger = (
        json.loads((DATA / each).read_text(encoding="utf-8"))
        for each in ("compact.json", "shortcodes/iamcal.json", "shortcodes/cldr.json")
    )
    PAGE.write_text(page(names_by_category(emoji, names, younger)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
