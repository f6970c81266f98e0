"""Which keys a write makes wrong, asked in both ways: right after its commit, and of what it left in the outbox."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from parley.event.v1 import event_pb2
from svc.webapp.cache import keys
from svc.webapp.cache.policy import CLASSES, policy_of
from svc.webapp.commit.changes import Known, Standing
from svc.webapp.commit.consequences import decode_effect
from svc.webapp.commit.log import (
    Annotation,
    AnnotationKind,
    Committed,
    Follow,
    Item,
    ItemKind,
    Mention,
    MessageChange,
    MessageRemoval,
    PutApp,
    PutDirectory,
    PutPassword,
    PutTeamIcon,
    PutUser,
    PutUserGroup,
    Revoke,
    Unfollow,
    Unmention,
    Write,
)
from svc.webapp.commit.plan import State, plan
from svc.webapp.store.rows import Conversation, ConversationKind, User, UserGroup
from tests.svc.webapp.writes import ALICE, BOB, CHANNEL, TEAM, message, note

PUBLIC = ConversationKind.PUBLIC
ROOM = Conversation(CHANNEL, TEAM, PUBLIC, "room", ALICE)
FOLLOW = tuple(Follow(user_id, TEAM, PUBLIC) for user_id in (ALICE, BOB))

WRITES = {
    "post": Write(CHANNEL, (message("hello"),)),
    "reply": Write(CHANNEL, (message("hello", thread_ts_us=5),)),
    "create": Write(CHANNEL, (note(),), members_added=(ALICE,), create=ROOM, effects=(PutDirectory(TEAM), FOLLOW[0])),
    "rename": Write(CHANNEL, (note(),), change={"name": "other"}, effects=(PutDirectory(TEAM),)),
    "topic": Write(CHANNEL, (note(),), change={"topic": "other"}),
    "open": Write(CHANNEL, members_added=(ALICE, BOB), create=ROOM, effects=FOLLOW),
    "join": Write(CHANNEL, (note(), note()), members_added=(ALICE,), effects=FOLLOW[:1]),
    "leave": Write(CHANNEL, (note(), note()), members_removed=(BOB,), effects=(Unfollow(BOB),)),
    "user": Write(TEAM, effects=(PutUser(asdict(User(ALICE, TEAM, "alice"))),)),
    "group": Write(TEAM, effects=(PutUserGroup(asdict(UserGroup("S0000000001", TEAM, "Ops", "ops")), 0),)),
    "revoke": Write(ALICE, effects=(Revoke(ALICE, ("00ff",)),)),
    "app": Write(TEAM, effects=(PutApp({"team_id": TEAM, "id": "A0000000001"}),)),
    "icon": Write(TEAM, effects=(PutTeamIcon("https://x/p.png"),)),
    "password": Write(ALICE, effects=(PutPassword(TEAM, ALICE, "$argon2id$", 1), Revoke(ALICE, ("00ff",)))),
    "mention": Write(CHANNEL, (message("m"),), effects=(Mention((BOB,)),)),
    "own": Write(ALICE, (note(),)),
    "edit": Write(CHANNEL, (note(),), changed=(MessageChange(5, 1, text="other"),)),
    "remove": Write(CHANNEL, (note(),), removed=(MessageRemoval(5, 1),), effects=(Unmention(5, (BOB,)),)),
    "react": Write(CHANNEL, (note(),), annotated=(Annotation(5, AnnotationKind.REACTION, "+1", ALICE, ALICE),)),
    "bookmark": Write(CHANNEL, (note(),), items=(Item(ItemKind.BOOKMARK, "Bk1", b"{}"),)),
}


@pytest.mark.parametrize("name", WRITES)
def test_what_a_commit_changes_is_known_from_what_it_leaves_in_the_outbox(name: str) -> None:
    """A webapp that dies after the commit leaves events and effects, and nothing else to go by."""
    there = Known({(CHANNEL, 5): Standing(1, 0)})
    planned = plan(State(known=there), [WRITES[name]], 1)
    assert all(isinstance(result, Committed) and not result.refused for result in planned.results)
    events = [event_pb2.Event.FromString(row[-1]) for row in planned.log]
    effects = [(row[0], decode_effect(row[-1])) for row in planned.effects]
    left = {key for event in events for key in keys.behind_event(event)}
    left |= {key for channel_id, effect in effects for key in keys.behind_effect(channel_id, effect)}
    assert set(keys.changed_by(WRITES[name])) <= left


def test_what_writes_change() -> None:
    """The page of history by every event of a conversation; of users' and workspaces' own channels nothing is kept."""
    assert list(keys.changed_by(WRITES["post"])) == [keys.newest_key(CHANNEL)]
    assert list(keys.changed_by(WRITES["reply"])) == [keys.newest_key(CHANNEL)]
    assert list(keys.changed_by(WRITES["own"])) == []
    for name in ("edit", "remove", "react"):
        assert list(keys.changed_by(WRITES[name])) == [keys.newest_key(CHANNEL)]
    assert set(keys.changed_by(WRITES["leave"])) == {
        keys.newest_key(CHANNEL),
        keys.member_key(CHANNEL, BOB),
        keys.members_key(CHANNEL),
        keys.count_key(CHANNEL),
    }
    assert keys.conversation_key(CHANNEL) in set(keys.changed_by(WRITES["rename"]))


def test_every_class_has_keys_and_every_key_a_class() -> None:
    """Nothing is kept under a name that nobody forgets."""
    made = [
        keys.token_key(b"\x00\xff"),
        keys.member_key(CHANNEL, ALICE),
        keys.side_key(ALICE, CHANNEL),
        keys.sides_key(ALICE),
        keys.members_key(CHANNEL),
        keys.count_key(CHANNEL),
        keys.conversation_key(CHANNEL),
        keys.user_key(TEAM, ALICE),
        keys.team_key(TEAM),
        keys.prefs_key(ALICE),
        keys.newest_key(CHANNEL),
        keys.app_key(TEAM, "A1"),
        keys.group_key(TEAM, "S1"),
        keys.commands_key(TEAM),
    ]
    assert {policy_of(key) for key in made} == set(CLASSES)
