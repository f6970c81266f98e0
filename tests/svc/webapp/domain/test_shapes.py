"""Objects have Slack's fields with Slack's types."""

from __future__ import annotations

from svc.webapp.domain import shapes
from svc.webapp.store.rows import Bot, Conversation, ConversationKind, Message, Thread, User

TEAM = "T0000000001"
ADA = User(
    "U0000000001", TEAM, "ada", real_name="Ada Lovelace", email="ada@example.org", tz="Europe/London", updated_s=7
)
NOW_S = 1_720_000_000.0
TEXTS = ("id", "name", "name_normalized", "creator", "context_team_id")
FLAGS = ("is_channel", "is_group", "is_im", "is_mpim", "is_private", "is_archived", "is_general", "is_member")


def conversation(kind: ConversationKind, letter: str = "C") -> Conversation:
    return Conversation(f"{letter}0000000001", TEAM, kind, "x", ADA.id, 1_700_000_000, updated_ms=1_700_000_000_500)


def test_a_public_channel_has_every_field_with_its_type() -> None:
    """slack-go decodes strictly: an integer for a string is a failed call."""
    shape = shapes.conversation(conversation(ConversationKind.PUBLIC), is_member=True)
    assert all(isinstance(shape[name], str) for name in TEXTS)
    assert all(isinstance(shape[name], bool) for name in FLAGS)
    assert (shape["created"], shape["updated"], shape["unlinked"]) == (1_700_000_000, 1_700_000_000_500, 0)
    assert shape["topic"] == {"value": "", "creator": "", "last_set": 0} == shape["purpose"]
    assert (shape["previous_names"], shape["shared_team_ids"]) == ([], [TEAM])
    assert shape["is_channel"]
    assert not any(shape[name] for name in ("is_private", "is_shared", "is_ext_shared", "is_org_shared"))


def test_kinds_differ_by_their_flags() -> None:
    """Private channels are channels; group messages are groups; an IM has a user and no name."""
    private = shapes.conversation(conversation(ConversationKind.PRIVATE), is_member=True)
    assert (private["is_channel"], private["is_private"], private["is_mpim"]) == (True, True, False)
    group = shapes.conversation(conversation(ConversationKind.MPIM, "G"), is_member=True)
    assert (group["is_mpim"], group["is_group"], group["is_channel"]) == (True, True, False)
    im = shapes.conversation(conversation(ConversationKind.IM, "D"), is_member=True, peer_user_id=ADA.id)
    assert (im["is_im"], im["user"], im["is_user_deleted"], im["priority"]) == (True, ADA.id, False, 0)
    assert "name" not in im


def test_a_user_has_every_field_with_its_type() -> None:
    """The time zone's offset is that of the season."""
    shape = shapes.user(ADA, now_s=NOW_S)
    assert (shape["tz_offset"], shape["tz_label"]) in ((3600, "BST"), (0, "UTC"))  # without zone data: UTC
    assert shape["profile"]["first_name"] == "Ada"
    assert shape["profile"]["email"] == "ada@example.org"
    assert all(isinstance(shape["profile"][f"image_{size}"], str) for size in (24, 32, 48, 72, 192, 512))
    assert isinstance(shape["color"], str)
    assert shape["updated"] == 7
    assert "bot_id" not in shape["profile"]
    assert shapes.user(User("U1", TEAM, "x", tz="No/Where"), now_s=NOW_S)["tz_offset"] == 0


def test_a_message_in_history_has_no_channel_and_a_parent_says_what_its_replies_are() -> None:
    """Extra fields come back as they were stored."""
    extra = shapes.encode_extra({"blocks": [{"type": "divider"}]})
    row = Message("C1", 1_700_000_000_000_100, 3, ADA.id, "", "", "hi", 0, False, "uuid", extra)
    shape = shapes.message(row, TEAM)
    assert shape == {
        "type": "message",
        "user": ADA.id,
        "text": "hi",
        "team": TEAM,
        "client_msg_id": "uuid",
        "blocks": [{"type": "divider"}],
        "ts": "1700000000.000100",
    }
    parent = shapes.message(row, TEAM, Thread("C1", row.ts_us, 2, row.ts_us + 5))
    assert (parent["thread_ts"], parent["reply_count"], parent["latest_reply"]) == (
        parent["ts"],
        2,
        "1700000000.000105",
    )


def test_a_message_under_another_name_is_the_bots_alone() -> None:
    """bot_message has a bot_id and no user; a bot's own message has both."""
    assert "user" not in shapes.message_fields(TEAM, user_id="U1", bot_id="B1", subtype="bot_message", text="x")
    own = shapes.message_fields(TEAM, user_id="U1", bot_id="B1", text="x")
    assert (own["user"], own["bot_id"]) == ("U1", "B1")
    assert "subtype" not in own
    profile = shapes.bot_profile(Bot("B1", TEAM, "U1", "A1", "ci"))
    assert (profile["id"], profile["app_id"], profile["icons"]) == ("B1", "A1", {})
