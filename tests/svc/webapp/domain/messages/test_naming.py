"""Names in a text."""

from __future__ import annotations

import pytest

from svc.webapp.domain.messages.naming import NAMES_MAX, linked, names_in, urls_linked

KNOWN = {"@ada": "<@U1>", "#general": "<#C1|general>", "@here": "<!here>"}


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("hi @ada, see #general.", "hi <@U1>, see <#C1|general>."),
        ("@Ada @here", "<@U1> <!here>"),
        ("@ada. Really", "<@U1>. Really"),
        ("mail ada@ada.example or @nobody", "mail ada@ada.example or @nobody"),
        ("`@ada` ```\n@ada\n``` <https://x/@ada|@ada>", "`@ada` ```\n@ada\n``` <https://x/@ada|@ada>"),
        ("&amp; &lt;@ada&gt;", "&amp; &lt;<@U1>&gt;"),
        ("@adaline", "@adaline"),
    ],
)
def test_names_that_are_known_become_what_they_name(text: str, becomes: str) -> None:
    """Not in code, in links, or inside words; nothing is escaped."""
    assert linked(text, KNOWN) == becomes


def test_names_are_looked_up_once_and_not_too_many() -> None:
    """In lower case, as they are stored."""
    assert names_in("@Ada @ada #General x@y") == ("@ada", "#general")
    assert len(names_in(" ".join(f"@n{n}" for n in range(100)))) == NAMES_MAX


def test_addresses_become_links() -> None:
    """Without the punctuation behind them; what is a link stays one."""
    assert urls_linked("see https://x.example/a?b=1, <https://y|y>!") == "see <https://x.example/a?b=1>, <https://y|y>!"
