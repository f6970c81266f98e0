"""Which blocks clients can draw."""

from __future__ import annotations

from typing import Any

import pytest

from svc.webapp.domain.messages.blocks import BLOCKS_MAX, checked_blocks
from svc.webapp.domain.refusal import Refused

PLAIN = {"type": "plain_text", "text": "x"}
BUTTON = {"type": "button", "text": PLAIN, "action_id": "a"}
Block = dict[str, Any]


@pytest.mark.parametrize(
    "block",
    [
        {"type": "divider"},
        {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3_000}},
        {"type": "section", "fields": [PLAIN] * 10, "accessory": BUTTON},
        {"type": "header", "text": PLAIN},
        {"type": "context", "elements": [PLAIN] * 10},
        {"type": "actions", "elements": [BUTTON] * 25},
        {"type": "image", "image_url": "https://x.example/a.png", "alt_text": "a"},
        {"type": "image", "slack_file": {"id": "F1"}, "alt_text": "a"},
        {"type": "input", "label": PLAIN, "element": {"type": "plain_text_input"}},
        {"type": "markdown", "text": "# x"},
        {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": []}]},
        {"type": "video", "title": PLAIN, "video_url": "u", "thumbnail_url": "t", "alt_text": "a"},
        {"type": "table", "rows": []},
    ],
)
def test_blocks_as_clients_make_them_pass(block: Block) -> None:
    """Each type at its limits, and the block as it was."""
    assert checked_blocks([block]) == [block]


@pytest.mark.parametrize(
    ("block", "fault"),
    [
        ({}, "unsupported type: None"),
        ({"type": "marquee"}, "unsupported type: marquee"),
        ({"type": ["section"]}, "unsupported type"),
        ({"type": "section"}, "must have text or fields"),
        ({"type": "section", "text": "x"}, "text must be a text object"),
        ({"type": "section", "text": {"type": "html", "text": "x"}}, "type must be mrkdwn or plain_text"),
        ({"type": "section", "text": {"type": "mrkdwn", "text": ""}}, "must have a text"),
        ({"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3_001}}, "at most 3000 characters"),
        ({"type": "section", "fields": [PLAIN] * 11}, "no more than 10 fields"),
        ({"type": "section", "fields": "x"}, "fields must be a list"),
        ({"type": "section", "text": PLAIN, "accessory": 1}, "accessory must be an object"),
        ({"type": "header", "text": {"type": "mrkdwn", "text": "x"}}, "type must be plain_text"),
        ({"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}, "at most 150"),
        ({"type": "context", "elements": []}, "elements must be a list"),
        ({"type": "context", "elements": [PLAIN] * 11}, "no more than 10 elements"),
        ({"type": "actions", "elements": [BUTTON] * 26}, "no more than 25 elements"),
        ({"type": "image", "alt_text": "a"}, "image_url or slack_file"),
        ({"type": "image", "image_url": "u"}, "alt_text"),
        ({"type": "input", "label": PLAIN}, "element is missing"),
        ({"type": "markdown", "text": "x" * 12_001}, "too long"),
        ({"type": "rich_text", "elements": ["x"]}, "list of objects"),
        ({"type": "video", "title": PLAIN, "thumbnail_url": "t", "alt_text": "a"}, "video_url is missing"),
        ({"type": "divider", "block_id": "x" * 256}, "block_id must be"),
    ],
)
def test_what_no_client_can_draw_is_refused_with_what_is_wrong(block: Block, fault: str) -> None:
    """The place of the block is told as well."""
    with pytest.raises(Refused) as caught:
        checked_blocks([{"type": "divider"}, block])
    assert caught.value.code == "invalid_blocks"
    told = caught.value.extra["errors"]
    assert isinstance(told, list)
    assert len(told) == 1
    assert fault in told[0]
    assert told[0].endswith("[json-pointer:/blocks/1]")


def test_blocks_together_have_limits() -> None:
    """Fifty; an id once; objects, all of them."""
    with pytest.raises(Refused, match="invalid_blocks"):
        checked_blocks([{"type": "divider"}] * (BLOCKS_MAX + 1))
    with pytest.raises(Refused, match="invalid_blocks"):
        checked_blocks([{"type": "divider", "block_id": "a"}] * 2)
    with pytest.raises(Refused, match="invalid_blocks_format"):
        checked_blocks([{"type": "divider"}, "divider"])
