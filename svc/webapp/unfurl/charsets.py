"""How the bytes of a page are read: by what its server says, its first bytes, or its own markup. Pure.

Only encodings of the web: Python knows others that are none of characters, or take time that grows with a square.
Source: the WHATWG encoding standard, of whose labels these are the ones in use.
"""

from __future__ import annotations

import codecs
import re

__all__ = ["decoded"]

_WEB = frozenset(
    """
    utf-8 utf-16 utf-16-le utf-16-be ascii iso8859-1 iso8859-2 iso8859-3 iso8859-4 iso8859-5 iso8859-6 iso8859-7
    iso8859-8 iso8859-9 iso8859-10 iso8859-13 iso8859-14 iso8859-15 iso8859-16 cp866 cp874 cp1250 cp1251 cp1252 cp1253
    cp1254 cp1255 cp1256 cp1257 cp1258 koi8-r koi8-u mac-roman gb2312 gbk gb18030 big5 big5hkscs euc_jp shift_jis
    iso2022_jp euc_kr tis-620
    """.split()  # noqa: SIM905 - a paragraph of names is read as one
)
_LATIN = frozenset({"ascii", "iso8859-1"})
"""What says so is the superset that Windows writes, as browsers read it."""
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_HEAD_BYTES = 4_096
"""In which a page has to say how it is written; the standard wants it in the first 1,024."""
_DECLARED = re.compile(rb"<meta[^>]{0,300}?charset\s*=\s*[\"']?\s*([\w.:-]{2,40})", re.IGNORECASE)


def decoded(body: bytes, charset: str = "") -> str:
    """Return a page's text; `charset` as its server names it, "" for nothing. What is no character becomes U+FFFD."""
    for mark, name in _MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(name, "replace")
    name = _known(charset)
    if not name:
        found = _DECLARED.search(body[:_HEAD_BYTES])
        name = _known(found[1].decode("ascii", "replace")) if found else ""
        # Whoever writes this in letters of one byte does not write UTF-16.
        name = "utf-8" if name.startswith("utf-16") else name
    if name:
        return body.decode(name, "replace")
    text = body.decode("utf-8", "replace")
    # A page that was cut within a character ends in such a letter; one in another encoding has them in its midst.
    return text if "\ufffd" not in text[:-1] else body.decode("cp1252", "replace")


def _known(label: str) -> str:
    try:
        name = codecs.lookup(label.strip().strip("\"'")).name if label.isascii() and label.strip() else ""
    except (LookupError, ValueError):
        return ""
    if name in _LATIN:
        return "cp1252"
    return name if name in _WEB else ""
