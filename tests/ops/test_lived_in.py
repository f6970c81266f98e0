"""A lived-in workspace has the shape that it says, hangs together, and is the same for the same seed."""

from __future__ import annotations

from collections import Counter
from random import Random
from statistics import median

from ops import invention
from ops.lived_in import LivedIn
from parley.event.v1 import event_pb2
from svc.kit.clock import ManualClock
from svc.kit.ids import IdMint
from svc.webapp.store.rows import Conversation, ConversationKind, Membership, User

TEAM = "T0000000001"
NOW_US = 1_700_000_000_000_000


def lived_in(people: int, channels: int, seed: int = 1) -> LivedIn:
    rng = Random(seed)
    mint = IdMint(ManualClock(), rng)
    users = [User(mint.mint("U"), TEAM, handle, name) for handle, name in invention.people(people, rng)]
    users.sort(key=lambda user: user.id)
    general = Conversation(
        mint.mint("C"), TEAM, ConversationKind.PUBLIC, "general", users[0].id, NOW_US // 1_000_000, is_general=True
    )
    return LivedIn(users, general, channels, rng, mint, NOW_US)


def test_it_has_the_shape_that_it_says() -> None:
    """Medians, and what share of conversations is of which kind."""
    lived = lived_in(1_500, 500)
    list(lived.messages())
    sides = list(lived.memberships())
    assert len(sides) == lived.memberships_count == len(list(lived.members()))
    kinds = Counter(row.kind for row in lived.conversations)
    assert (kinds[ConversationKind.PUBLIC], kinds[ConversationKind.PRIVATE]) == (500, 50)
    assert kinds[ConversationKind.MPIM] == 250
    channels = Counter(
        side.user_id for side in sides if side.kind in (ConversationKind.PUBLIC, ConversationKind.PRIVATE)
    )
    assert 24 <= median(channels.values()) <= 26
    direct = Counter(side.user_id for side in sides if side.kind is ConversationKind.IM)
    assert 3 <= median(direct.values()) <= 5
    assert len(list(lived.emoji())) == 200
    assert 600 < len(list(lived.prefs())) < 900


def test_what_it_says_hangs_together() -> None:
    """Members on both sides are the same; marks are at messages; mentions are above them; offsets are dense."""
    lived = lived_in(60, 20)
    said: dict[str, list[int]] = {}
    for planned in lived.messages():
        ((channel_id, offset, _, blob),) = planned.log
        event = event_pb2.Event.FromString(blob)
        said.setdefault(channel_id, []).append(event.message_ts_us)
        assert (event.channel_id, offset, len(said[channel_id])) == (channel_id, event.offset, event.offset)
        assert planned.heads[channel_id].message_us == event.message_ts_us < NOW_US
    sides = list(lived.memberships())
    assert sorted((side.channel_id, side.user_id) for side in sides) == sorted(
        (channel_id, user_id) for channel_id, user_id, _ in lived.members()
    )
    assert said.keys() == {row.id for row in lived.conversations}
    assert all(side.last_read_us in (0, *said[side.channel_id]) for side in sides)
    named = Counter((user_id, channel_id) for user_id, channel_id, _ in lived.mentions)
    marks = {(side.user_id, side.channel_id): side for side in sides}
    assert all(ts_us > marks[user_id, channel_id].last_read_us for user_id, channel_id, ts_us in lived.mentions)
    assert all(side.peer_user_id not in ("", side.user_id) for side in sides if side.kind is ConversationKind.IM)
    assert named.keys() <= marks.keys()


def test_the_same_seed_makes_the_same_and_small_ones_are_possible() -> None:
    """Ids apart, which hold the time."""

    def shape(seed: int, people: int = 30) -> list[int]:
        lived = lived_in(people, 10, seed)
        list(lived.messages())
        return [side.last_read_us for side in lived.memberships()]

    assert shape(3) == shape(3) != shape(4)
    assert len(shape(1, people=1)) >= 1
    alone = lived_in(1, 1)
    list(alone.messages())
    assert [type(side) for side in alone.memberships()] == [Membership]
