"""What may be in a message's text, and who is named in it: pure rules.

Text is stored as it was sent. Clients escape `&`, `<` and `>` before they send, and what they left as `<@U…>`,
`<#C…|name>`, `<!here>` or `<https://…|label>` is meant; a server that escaped once more would change what people
wrote.
"""

from __future__ import annotations

import re

TEXT_CHARS_MAX = 40_000
"""Longer text is cut, as Slack does."""

RTM_TEXT_CHARS_MAX = 4_000
"""Longer text over a socket is refused with `msg_too_long`."""

MENTIONS_MAX = 100
"""Users named by one event; the rest are mentioned in the text all the same."""

_MENTION = re.compile(r"<@([UW][A-Z0-9]{1,20})(?:\|[^<>]*)?>")
_ENTITY_CHARS_MAX = 4


def stored_text(text: str) -> str:
    """Return `text` as it is stored: at most TEXT_CHARS_MAX characters, not cut through an entity such as `&amp;`."""
    if len(text) <= TEXT_CHARS_MAX:
        return text
    cut = text[:TEXT_CHARS_MAX]
    start = cut.rfind("&", TEXT_CHARS_MAX - _ENTITY_CHARS_MAX)
    return cut[:start] if start >= 0 and ";" not in cut[start:] else cut


def mentions(text: str) -> tuple[str, ...]:
    """Return the users named as `<@U…>` in `text`, in order, each once, at most MENTIONS_MAX."""
    return tuple(dict.fromkeys(_MENTION.findall(text)))[:MENTIONS_MAX]
