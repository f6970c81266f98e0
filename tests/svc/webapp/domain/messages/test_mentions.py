"""Who is named in a message."""

from __future__ import annotations

from typing import Any

import pytest

from svc.webapp.domain.messages.mentions import NOBODY, Broadcast, Named, named

A, B, S = "U0000000001", "U0000000002", "S0000000001"
ALL, HERE = Broadcast.ALL, Broadcast.HERE
RICH = {
    "type": "rich_text",
    "elements": [
        {
            "type": "rich_text_section",
            "elements": [
                {"type": "user", "user_id": A},
                {"type": "usergroup", "usergroup_id": S},
                {"type": "broadcast", "range": "here"},
                {"type": "text", "text": f"<@{B}>"},
            ],
        }
    ],
}


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("hi", NOBODY),
        (f"<@{B}> <@{A}|ada> <@{B}>", Named((B, A))),
        ("<!here> and <!here|here>", Named(broadcast=HERE)),
        ("<!channel>", Named(broadcast=ALL)),
        ("<!here> <!everyone>", Named(broadcast=ALL)),
        (f"<!subteam^{S}> <!subteam^{S}|@ops>", Named(groups=(S,))),
        ("&lt;!here&gt; @here @ada <#C0000000001|x> <https://x|<@y>>", NOBODY),
    ],
)
def test_in_a_text(text: str, who: Named) -> None:
    """Each once, in order; only what is marked counts."""
    assert named(text, {}) == who


@pytest.mark.parametrize(
    ("extra", "who"),
    [
        ({"blocks": [RICH]}, Named((A,), (S,), HERE)),
        (
            {"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": f"<@{A}> <!channel>"}}]},
            Named((A,), (), ALL),
        ),
        ({"blocks": [{"type": "section", "text": {"type": "plain_text", "text": f"<@{A}>"}}]}, NOBODY),
        ({"blocks": [{"type": "context", "elements": [{"type": "mrkdwn", "text": f"<@{A}>"}]}]}, Named((A,))),
        ({"blocks": [{"type": "markdown", "text": f"<@{A}>"}]}, Named((A,))),
        ({"attachments": [{"text": f"<@{A}>", "pretext": f"<@{B}>"}]}, Named((A, B))),
        ({"attachments": [{"fields": [{"title": "t", "value": f"<@{A}>"}, "x"]}, 7]}, Named((A,))),
        ({"attachments": [{"blocks": [RICH], "fallback": f"<@{B}>"}]}, Named((A,), (S,), HERE)),
        ({"attachments": "x", "blocks": {"type": "user"}}, NOBODY),
    ],
)
def test_in_blocks_and_attachments(extra: dict[str, Any], who: Named) -> None:
    """What is shown as mrkdwn, and elements of rich text; plain text is plain."""
    assert named("", extra) == who


def test_however_deep_it_is_nested() -> None:
    """JSON may be deeper than a stack."""
    block: dict[str, Any] = {"type": "user", "user_id": A}
    for _ in range(5_000):
        block = {"elements": [block]}
    assert named("", {"blocks": [block]}) == Named((A,))
