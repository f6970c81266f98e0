"""Which button was pressed, what an app is told of it, and what an app's own answer says."""

from __future__ import annotations

from typing import Any

import pytest

from svc.webapp.domain.apps.elements import STATE_BYTES_MAX, checked_state, used
from svc.webapp.domain.apps.speech import said
from svc.webapp.domain.refusal import Refused

BUTTON = {"type": "button", "action_id": "go", "value": "42"}
FIELD = {"type": "plain_text_input", "action_id": "words"}
MENU = {"type": "static_select", "action_id": "pick"}
BLOCKS: list[object] = [
    {"type": "actions", "block_id": "a", "elements": [BUTTON, MENU]},
    {"type": "section", "block_id": "b", "accessory": {**BUTTON, "value": "43"}},
    {"type": "input", "block_id": "c", "element": FIELD},
    {"type": "divider"},
    "nonsense",
    {"type": "actions", "block_id": "d", "elements": "nonsense"},
]


@pytest.mark.parametrize(
    ("action", "told"),
    [
        ({"block_id": "a", "action_id": "go", "value": "x"}, {"type": "button", "value": "42"}),
        ({"block_id": "b", "action_id": "go"}, {"type": "button", "value": "43"}),
        ({"block_id": "c", "action_id": "words", "value": "hi"}, {"type": "plain_text_input", "value": "hi"}),
        (
            {"block_id": "a", "action_id": "pick", "selected_option": {"value": "1"}, "admin": True},
            {"type": "static_select", "selected_option": {"value": "1"}},
        ),
    ],
)
def test_an_action_is_told_in_the_elements_words(action: dict[str, Any], told: dict[str, Any]) -> None:
    """What was chosen or typed is the person's; fields that nobody knows are dropped."""
    ids = {"block_id": action["block_id"], "action_id": action["action_id"], "action_ts": "1.000000"}
    assert used(BLOCKS, [action], "1.000000") == [{**ids, **told}]


@pytest.mark.parametrize(
    ("actions", "code"),
    [
        ([], "invalid_arguments"),
        ([{"block_id": "a", "action_id": "go"}] * 11, "invalid_arguments"),
        (["go"], "invalid_arguments"),
        ([{"block_id": "a", "action_id": "go", "x": "y" * STATE_BYTES_MAX}], "invalid_arguments"),
        ([{"block_id": "c", "action_id": "go"}], "invalid_action"),
        ([{"block_id": "d", "action_id": "go"}], "invalid_action"),
        ([{"action_id": "go"}], "invalid_action"),
        ([{"block_id": "a", "action_id": None}], "invalid_action"),
        ([{"block_id": ["a"], "action_id": ["go"]}], "invalid_action"),
        ([{}], "invalid_action"),
    ],
)
def test_what_is_not_there_is_not_pressed(actions: list[object], code: str) -> None:
    """Whatever a client sends."""
    with pytest.raises(Refused, match=code):
        used(BLOCKS, actions, "1.000000")


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ({}, ""),
        ({"values": {"b": {"a": {}}}}, ""),
        ({"values": []}, "invalid_arguments"),
        ({"values": {"b": 1}}, "invalid_arguments"),
        ({"values": {"b": {"a": "x" * STATE_BYTES_MAX}}}, "too_long"),
    ],
)
def test_what_was_filled_in_is_bounded(state: dict[str, Any], code: str) -> None:
    """Blocks, actions, values; at most what a view may have."""
    if not code:
        assert checked_state(state) == {"values": state.get("values", {})}
        return
    with pytest.raises(Refused, match=code):
        checked_state(state)


def test_an_answer_is_read_leniently() -> None:
    """Numbers as text, booleans as words; and it is for the person alone unless it says otherwise."""
    answer = said({"text": 42, "response_type": "in_channel", "replace_original": "true", "thread_ts": "1.000002"})
    assert (answer.post.text, answer.is_in_channel, answer.replaces, answer.deletes) == ("42", True, True, False)
    assert answer.post.thread_ts_us == 1_000_002
    assert said({}).is_empty
    assert said({"text": " ", "blocks": None}).is_empty
    assert not said({"attachments": [{"text": "x"}]}).is_empty
    assert said({"text": "x"}).is_in_channel is False
    assert said({"text": "x", "delete_original": True}).deletes
    assert said({"text": "x"}, "Alarm").post.username == "Alarm"
    assert said({"text": "x", "username": "Other"}, "Alarm").post.username == "Other"


@pytest.mark.parametrize("field", ["text", "blocks", "attachments", "thread_ts", "username", "response_type"])
def test_an_answer_of_impossible_types_is_none(field: str) -> None:
    """An app's mistake is its own, and never a fault of ours."""
    with pytest.raises(Refused, match="invalid_payload"):
        said({field: {"a": 1}})
