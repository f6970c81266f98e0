"""Pure: names as they are compared: without case, accents, widths and needless spaces.

Compatibility decomposition and full case folding as Unicode says (caseless matching, D146), then marks that only
modify a letter go, and letters that do not decompose but are typed without their stroke become plain. Kept are marks
that make another letter (vowels of Indic scripts, tones of Thai). Hangul stays decomposed, so that the first strokes of
a syllable find it; the sound marks of kana too, so か finds が. Katakana is read as hiragana.
"""

from __future__ import annotations

import re
from unicodedata import category, combining, normalize

_PLAIN = str.maketrans(
    {
        "ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "ı": "i", "ĸ": "k", "ŋ": "n", "æ": "ae", "œ": "oe",
        "þ": "th",
        **{chr(code): chr(code - 0x60) for code in range(0x30A1, 0x30F7)},
    }
)  # fmt: skip
_CONTROLS = re.compile(r"[\x00-\x20\x7f]+")
_ASCII_WORD = re.compile(r"[a-z0-9]+")


def fold(text: str) -> str:
    """Return a name as it is compared. Never holds a control character; spaces are single and inside.

    0.5 us for ASCII, 10 us otherwise. Folding twice changes nothing more.
    """
    if not text.isascii():
        text = normalize("NFKD", normalize("NFKD", normalize("NFD", text).casefold()).casefold())
        text = "".join(letter for letter in text if not _modifies(letter)).translate(_PLAIN)
    return " ".join(_CONTROLS.sub(" ", text.lower()).split())


def word_starts(folded: str) -> list[int]:
    """Return where the words of a folded name begin: letters, digits and their marks after anything else."""
    if folded.isascii():
        return [word.start() for word in _ASCII_WORD.finditer(folded)]
    starts, inside = [], False
    for place, letter in enumerate(folded):
        was_inside, inside = inside, category(letter)[0] in "LNM"
        if inside and not was_inside:
            starts.append(place)
    return starts


def _modifies(letter: str) -> bool:
    """Tell accents (combining classes from 200), strokes (1) and vowel points of Hebrew and Arabic (10 to 36)."""
    mark = combining(letter)
    return mark >= 200 or mark == 1 or 10 <= mark <= 36
