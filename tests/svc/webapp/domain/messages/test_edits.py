"""Who may change a message, and what it becomes."""

from __future__ import annotations

import itertools
from typing import Any

import orjson
import pytest

from svc.webapp.domain.messages.editing import Edit, may_delete, may_update, unfurled
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.rows import Message, TokenKind

TEAM, ADA, GRACE, HELPER = "T0000000001", "U0000000001", "U0000000002", "U0000000003"
BOT, OTHER_BOT = "B0000000001", "B0000000002"
CALLERS = {
    "ada": Caller(TEAM, ADA),
    "grace": Caller(TEAM, GRACE),
    "bot": Caller(TEAM, HELPER, TokenKind.BOT, BOT, "A1"),
    "other bot": Caller(TEAM, ADA, TokenKind.BOT, OTHER_BOT, "A2"),
}
SUBTYPES = (
    "",
    "me_message",
    "thread_broadcast",
    "file_share",
    "bot_message",
    "channel_join",
    "group_leave",
    "tombstone",
)
BLOCK = {"type": "divider", "block_id": "b"}


def message(user_id: str, bot_id: str = "", subtype: str = "", text: str = "x", **extra: Any) -> Message:
    """Return a stored message."""
    stored = orjson.dumps(extra) if extra else b""
    return Message("C0000000001", 1, 1, user_id, bot_id, subtype, text, 0, False, "", stored, 1)


MESSAGES = {"ada": (ADA, ""), "grace": (GRACE, ""), "bot": (HELPER, BOT), "other bot": (ADA, OTHER_BOT)}


@pytest.mark.parametrize(("who", "author", "subtype"), list(itertools.product(CALLERS, MESSAGES, SUBTYPES)))
def test_of_every_pair_only_the_author_may_change_it(who: str, author: str, subtype: str) -> None:
    """Also not the bot that acts as the same user, nor that user what its bot said; never notices and tombstones."""
    row = message(*MESSAGES[author], subtype=subtype)
    caller = CALLERS[who]
    is_own = who == author
    words_of_the_server = subtype in ("channel_join", "group_leave", "tombstone")
    assert may_update(caller, row) is (is_own and not words_of_the_server)
    assert may_delete(caller, row, is_admin=False) is (is_own and not words_of_the_server)
    assert may_delete(caller, row, is_admin=True) is (subtype != "tombstone")


@pytest.mark.parametrize(
    ("edit", "text", "extra"),
    [
        (Edit(text="new"), "new", {"attachments": [{"id": 1}]}),
        (Edit(text="new", blocks=[BLOCK]), "new", {"blocks": [BLOCK], "attachments": [{"id": 1}]}),
        (Edit(blocks=[BLOCK]), "", {"blocks": [BLOCK], "attachments": [{"id": 1}]}),
        (Edit(blocks=[]), "", {"attachments": [{"id": 1}]}),
        (Edit(text="new", attachments=[]), "new", {}),
        (
            Edit(attachments=[{"text": "a"}]),
            "old",
            {"blocks": [1], "attachments": [{"text": "a", "id": 1, "fallback": "a"}]},
        ),
        (Edit(markdown_text="**x**"), "**x**", {"attachments": [{"id": 1}]}),
        (Edit(metadata={}), "old", {"blocks": [1], "attachments": [{"id": 1}]}),
    ],
)
def test_what_is_not_given_stays_but_for_blocks_under_a_new_text(edit: Edit, text: str, extra: dict[str, Any]) -> None:
    """A text by itself is the whole of it; empty lists take away."""
    before = {"blocks": [1], "attachments": [{"id": 1}]}
    assert edit.applied("old", before) == (text, extra)
    assert before == {"blocks": [1], "attachments": [{"id": 1}]}


def test_an_edit_that_leaves_nothing_is_none() -> None:
    """Text, blocks, attachments or files: something has to be left."""
    with pytest.raises(Refused, match="no_text"):
        Edit(text="").applied("old", {})
    with pytest.raises(Refused, match="no_text"):
        Edit(attachments=[]).applied("", {"attachments": [{}]})
    assert Edit(text="").applied("old", {"files": [{"id": "F1"}]}) == ("", {"files": [{"id": "F1"}]})
    assert Edit().is_empty
    assert not Edit(text="").is_empty


def test_unfurls_are_merged_by_address() -> None:
    """A second time replaces the first; other attachments stay; only addresses of the message count."""
    row = message(
        ADA, text="see <https://x.example/?a=1&amp;b=2> and <https://y.example|y>", attachments=[{"text": "own"}]
    )
    bot = CALLERS["bot"]
    once = unfurled(bot, row, {"https://y.example": {"text": "first"}})
    twice = unfurled(bot, once, {"https://y.example": {"text": "second"}, "https://x.example/?a=1&b=2": {"title": "X"}})
    attachments = orjson.loads(twice.extra)["attachments"]
    assert [each.get("text") or each["title"] for each in attachments] == ["own", "second", "X"]
    assert (attachments[1]["from_url"], attachments[1]["bot_id"], attachments[1]["id"]) == ("https://y.example", BOT, 2)
    assert twice.text == row.text
    with pytest.raises(Refused, match="cannot_unfurl_url"):
        unfurled(bot, row, {"https://z.example": {"text": "?"}})
    with pytest.raises(Refused, match="invalid_unfurls_format"):
        unfurled(bot, row, {"https://y.example": "text"})
