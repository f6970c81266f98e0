"""What may be posted, and what it is stored as."""

from __future__ import annotations

from typing import Any

import pytest

from svc.webapp.domain.messages.blocks import BLOCKS_MAX
from svc.webapp.domain.messages.posts import Post
from svc.webapp.domain.messages.text import TEXT_CHARS_MAX, mentions, stored_text
from svc.webapp.domain.refusal import Refused

DIVIDER = {"type": "divider"}
SECTION = {"type": "section", "block_id": "mine", "text": {"type": "mrkdwn", "text": "x"}}


@pytest.mark.parametrize(
    ("post", "code"),
    [
        (Post(), "no_text"),
        (Post(text=" \n"), "no_text"),
        (Post(text="a", markdown_text="b"), "markdown_text_conflict"),
        (Post(markdown_text="b", blocks=[DIVIDER]), "markdown_text_conflict"),
        (Post(markdown_text="x" * 12_001), "msg_too_long"),
    ],
)
def test_a_post_needs_one_kind_of_text(post: Post, code: str) -> None:
    """Blocks or attachments do instead of text; markdown stands alone."""
    with pytest.raises(Refused) as caught:
        post.body()
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("post", "code"),
    [
        (Post(blocks=["divider"]), "invalid_blocks_format"),
        (Post(blocks=[{}]), "invalid_blocks"),
        (Post(blocks=[DIVIDER] * (BLOCKS_MAX + 1)), "invalid_blocks"),
        (Post(attachments=[{"text": "a"}] * 101), "too_many_attachments"),
        (Post(attachments=["a"]), "invalid_attachments"),
        (Post(metadata={"event_type": "x"}), "invalid_metadata_format"),
        (Post(metadata={"event_type": "x", "event_payload": {"a": "x" * 9000}}), "metadata_too_large"),
        (Post(attachments=[{"text": "x" * 300_000}]), "msg_too_long"),
    ],
)
def test_what_comes_beside_the_text_is_checked(post: Post, code: str) -> None:
    """Each limit has Slack's code."""
    with pytest.raises(Refused) as caught:
        post.extra()
    assert caught.value.code == code


def test_blocks_and_attachments_get_what_clients_refer_to_them_by() -> None:
    """A block_id that was given stays; others are made, the same each time."""
    first: dict[str, Any] = Post(blocks=[DIVIDER, SECTION]).extra()
    assert first["blocks"][1]["block_id"] == "mine"
    assert first["blocks"][0]["block_id"]
    assert Post(blocks=[DIVIDER, SECTION]).extra() == first
    assert Post(attachments=[{"text": "t"}]).extra()["attachments"] == [{"text": "t", "id": 1, "fallback": "t"}]


def test_long_text_is_cut_and_never_through_an_entity() -> None:
    """40,000 characters are kept; a lone "&am" would mean something else."""
    assert len(stored_text("x" * 50_000)) == TEXT_CHARS_MAX
    cut = stored_text("x" * (TEXT_CHARS_MAX - 2) + "&amp;" + "y" * 10)
    assert cut == "x" * (TEXT_CHARS_MAX - 2)
    assert stored_text("a &amp; b <@U1|x> & c") == "a &amp; b <@U1|x> & c"


def test_mentions_are_the_users_named_in_the_text() -> None:
    """Once each, in order, with or without a label; channels and broadcasts are not users."""
    text = "<@U0000000002> <@U0000000001|ada> <#C0000000001|x> <!here> <@U0000000002> <@u1> @U3"
    assert mentions(text) == ("U0000000002", "U0000000001")
    assert len(mentions("".join(f"<@U{n:010d}>" for n in range(500)))) == 100


def test_an_idempotency_key_belongs_to_its_user() -> None:
    """Nobody can claim another's key, and none is longer than the column."""
    post = Post(text="x", client_msg_id="k" * 64)
    assert post.request_id("U0000000001") != post.request_id("U0000000002")
    assert len(post.request_id("U0000000001")) < 100
    assert Post(text="x").request_id("U0000000001") == ""
