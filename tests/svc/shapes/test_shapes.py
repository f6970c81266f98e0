"""An object is the same whoever makes it, and has Slack's types."""

from __future__ import annotations

from parley.boot.v1 import boot_pb2 as boot
from svc import shapes
from svc.webapp.domain import shapes as of_rows
from svc.webapp.models import channel_model, team_model, user_model
from svc.webapp.store.rows import Conversation, ConversationKind, Team, User

TEAM = "T0000000001"
NOW_S = 1_720_000_000.0
ADA = User(
    "U0000000001",
    TEAM,
    "ada",
    real_name="Ada Lovelace",
    display_name="ada l.",
    email="ada@example.org",
    title="Analyst",
    status_text="away",
    status_emoji=":palm_tree:",
    tz="Europe/London",
    avatar_hash="0123456789abcdef0123456789abcdef",
    is_admin=True,
    is_owner=True,
    updated_s=7,
    version=3,
)
CI = User("U0000000002", TEAM, "ci", is_bot=True, bot_id="B0000000001", app_id="A0000000001", deleted=True)


def test_a_user_survives_the_way_through_the_edge() -> None:
    """What is lazily loaded from a serialized model is what users.info makes of the row, field by field."""
    for row in (ADA, CI):
        held = boot.User.FromString(user_model(row).SerializeToString())
        shape = shapes.user(held, now_s=NOW_S)
        assert shape == of_rows.user(row, now_s=NOW_S)
        assert shape["profile"]["email"] == row.email
    assert shape["profile"]["bot_id"] == "B0000000001"


def test_a_conversation_survives_the_way_through_the_edge() -> None:
    """Who set the topic and when is part of it."""
    for kind in ConversationKind:
        row = Conversation(
            "C0000000001",
            TEAM,
            kind,
            "general",
            ADA.id,
            created_s=5,
            topic="t",
            topic_by=ADA.id,
            topic_set_s=6,
            purpose="p",
            purpose_by=CI.id,
            purpose_set_s=7,
            is_archived=True,
            is_general=True,
            version=9,
            updated_ms=8_000,
        )
        held = boot.Channel.FromString(channel_model(row).SerializeToString())
        shape = shapes.channel(held, is_member=True, peer_user_id=CI.id)
        assert shape == of_rows.conversation(row, is_member=True, peer_user_id=CI.id)
        if kind is not ConversationKind.IM:
            assert shape["topic"] == {"value": "t", "creator": ADA.id, "last_set": 6}
            assert shape["purpose"] == {"value": "p", "creator": CI.id, "last_set": 7}


def test_a_workspace_survives_the_way_through_the_edge() -> None:
    """team.info and a boot say the same of a workspace."""
    row = Team(TEAM, "Parley", "parley", 5)
    assert shapes.team(team_model(row)) == of_rows.team(row)


def test_a_picture_has_an_address_where_there_is_one() -> None:
    """Without an avatar the addresses are empty texts, never absent."""
    assert shapes.user(user_model(CI), now_s=NOW_S)["profile"]["image_72"] == ""
    profile = shapes.user(user_model(ADA), now_s=NOW_S)["profile"]
    assert profile["image_72"].startswith("https://")
    assert ADA.avatar_hash in profile["image_72"]
    assert profile["image_72"] != profile["image_24"]


def test_emoji_are_pictures_or_other_names() -> None:
    """As emoji.list has them."""
    found = [boot.Emoji(name="party", value="https://e/p.png"), boot.Emoji(name="yay", value="alias:party")]
    assert shapes.emoji(found) == {"party": "https://e/p.png", "yay": "alias:party"}
