"""Interests: presence servers are told the union, only of their own users, and only what changed."""

from hypothesis import given, settings
from hypothesis import strategies as st

from discovery.ring import Member, Ring
from svc.gateway.presence.attendance import Sessions
from svc.gateway.presence.interests import Interests, Report
from svc.kit.ids import id_from_number

A, B = "presence-a", "presence-b"
RINGS = {ids: Ring([Member(each) for each in ids]) for ids in [(A,), (B,), (A, B)]}
USERS = [id_from_number("U", number * 104_729) for number in range(12)]
ANN, BOB = "connection ann", "connection bob"


def told(interests: Interests[str], server_id: str) -> tuple[dict[str, int], set[str], set[str]]:
    counts: dict[str, int] = {}
    added: set[str] = set()
    removed: set[str] = set()
    for report in interests.flush(server_id):
        counts.update((user.user_id, user.count) for user in report.users)
        added.update(report.added)
        removed.update(report.removed)
    return counts, added, removed


def connect(interests: Interests[str], user_id: str) -> None:
    """A session that is opened at once."""
    interests.connected(user_id, 0.0)
    interests.heard(user_id, False, 0)


def standing() -> Interests[str]:
    interests: Interests[str] = Interests()
    interests.ring_changed(RINGS[(A,)])
    interests.server_up(A)
    return interests


def test_a_user_s_sessions_are_counted_and_flapping_is_not_told() -> None:
    """Only the state at the time of sending matters."""
    interests = standing()
    connect(interests, USERS[0])
    connect(interests, USERS[0])
    connect(interests, USERS[1])
    interests.disconnected(USERS[1])
    assert told(interests, A) == ({USERS[0]: 2}, set(), set())
    interests.disconnected(USERS[0])
    interests.disconnected(USERS[0])
    assert told(interests, A) == ({USERS[0]: 0}, set(), set())
    assert interests.servers_with_news() == []


def test_interests_are_the_union_of_what_clients_look_at() -> None:
    """A second looker costs the presence server nothing, and gets the known state at once."""
    interests = standing()
    assert interests.look(ANN, USERS[:2]) == []
    assert told(interests, A) == ({}, set(USERS[:2]), set())
    assert interests.changed(A, [(USERS[0], True, ""), (USERS[5], True, "")]) == {ANN: [(USERS[0], True)]}
    assert interests.look(BOB, USERS[:1]) == [(USERS[0], True)]
    assert interests.servers_with_news() == []
    assert interests.changed(A, [(USERS[0], True, "")]) == {}, "known already"
    interests.look(ANN, USERS[2:3])
    assert told(interests, A) == ({}, {USERS[2]}, {USERS[1]})
    interests.look(BOB, ())
    assert told(interests, A) == ({}, set(), {USERS[0]})


def test_who_is_of_another_workspace_is_away_and_never_seen_to_come_or_go() -> None:
    """Also for who begins to look while it is active, and when it comes back under another name of its workspace."""
    interests = standing()
    user_id = USERS[0]
    interests.look(ANN, [user_id], "T1")
    interests.look(BOB, [user_id], "T2")
    assert interests.changed(A, [(user_id, True, "T1")]) == {ANN: [(user_id, True)], BOB: [(user_id, False)]}
    assert interests.look("connection eve", [user_id], "T2") == [(user_id, False)]
    assert interests.look("connection old", [user_id]) == [(user_id, False)]
    for _ in range(2):
        assert interests.changed(A, [(user_id, False, "")]) == {ANN: [(user_id, False)]}
        assert interests.changed(A, [(user_id, False, "T1")]) == {}
        assert interests.changed(A, [(user_id, True, "T1")]) == {ANN: [(user_id, True)]}
        assert interests.changed(A, [(user_id, True, "T1")]) == {}


def test_whose_workspace_presence_does_not_say_is_away() -> None:
    """As when a server of an earlier version answers: rather that than telling everybody."""
    interests = standing()
    interests.look(ANN, [USERS[0]], "T1")
    assert interests.changed(A, [(USERS[0], True, "")]) == {ANN: [(USERS[0], False)]}


def test_a_moved_user_is_told_to_the_new_owner_and_taken_back_from_the_old() -> None:
    """So that an old owner that becomes the owner again has no stale counts."""
    interests = standing()
    for user_id in USERS:
        connect(interests, user_id)
    interests.look(ANN, USERS)
    told(interests, A)
    interests.ring_changed(RINGS[A, B])
    interests.server_up(B)
    moved = {user_id for user_id in USERS if RINGS[A, B].owner(user_id) == B}
    assert told(interests, B) == (dict.fromkeys(moved, 1), moved, set())
    assert told(interests, A) == (dict.fromkeys(moved, 0), set(), moved)
    assert interests.changed(A, [(user_id, False, "") for user_id in moved]) == {}, "not its users any more"


class FakeServer:
    """What a presence server holds of us."""

    def __init__(self) -> None:
        self.users: dict[str, Sessions] = {}
        self.watches: set[str] = set()

    def take(self, report: Report) -> None:
        self.users.update((user.user_id, user) for user in report.users)
        self.watches |= set(report.added)
        self.watches -= set(report.removed)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["connected", "disconnected", "rested", "stirred", "spoke"]), st.integers(0, 11)),
        st.tuples(st.just("look"), st.sampled_from([ANN, BOB]), st.lists(st.integers(0, 11), max_size=5, unique=True)),
        st.tuples(st.just("ring"), st.sampled_from(sorted(RINGS))),
        st.tuples(st.sampled_from(["up", "down", "flush"]), st.sampled_from([A, B])),
    ),
    max_size=50,
)


class World:
    """Interests, its servers, and what is really so."""

    def __init__(self) -> None:
        self.interests: Interests[str] = Interests()
        self.servers: dict[str, FakeServer] = {}
        self.counts: dict[str, int] = {}
        self.idle: dict[str, int] = {}
        self.words: dict[str, tuple[bool, int]] = {}
        self.looks: dict[str, list[str]] = {}

    def connected(self, number: int) -> None:
        self.counts[USERS[number]] = self.counts.get(USERS[number], 0) + 1
        connect(self.interests, USERS[number])

    def disconnected(self, number: int) -> None:
        user_id = USERS[number]
        if self.counts.get(user_id):
            was_idle = self.idle.get(user_id, 0) == self.counts[user_id]
            self.counts[user_id] -= 1
            self.idle[user_id] = self.idle.get(user_id, 0) - was_idle
            if not self.counts[user_id]:
                self.words.pop(user_id, None)
            self.interests.disconnected(user_id, was_idle)

    def rested(self, number: int) -> None:
        self._idled(USERS[number], 1)

    def stirred(self, number: int) -> None:
        self._idled(USERS[number], -1)

    def _idled(self, user_id: str, change: int) -> None:
        if 0 <= self.idle.get(user_id, 0) + change <= self.counts.get(user_id, 0):
            self.idle[user_id] = self.idle.get(user_id, 0) + change
            self.interests.idled(user_id, change)

    def spoke(self, number: int) -> None:
        is_away, offset = self.words.get(USERS[number], (False, 0))
        if self.counts.get(USERS[number]):
            self.words[USERS[number]] = (not is_away, offset + 1)
        self.interests.heard(USERS[number], not is_away, offset + 1)

    def sessions(self, user_id: str) -> Sessions:
        return Sessions(user_id, self.counts[user_id], self.idle.get(user_id, 0), *self.words.get(user_id, (False, 0)))

    def look(self, looker: str, numbers: list[int]) -> None:
        self.looks[looker] = [USERS[number] for number in numbers]
        self.interests.look(looker, self.looks[looker])

    def ring(self, ids: tuple[str, ...]) -> None:
        self.interests.ring_changed(RINGS[ids])

    def up(self, server_id: str) -> None:
        self.servers[server_id] = FakeServer()
        self.interests.server_up(server_id)

    def down(self, server_id: str) -> None:
        self.servers.pop(server_id, None)
        self.interests.server_down(server_id)

    def flush(self, server_id: str) -> None:
        if server_id in self.servers:
            for report in self.interests.flush(server_id):
                self.servers[server_id].take(report)


@settings(deadline=None)
@given(STEPS)
def test_whatever_happens_the_servers_end_with_exactly_what_is_so(steps: list[tuple[str, object]]) -> None:
    """Kills, ring moves and changing interests in any order converge."""
    world = World()
    for verb, *what in steps:
        getattr(world, verb)(*what)
    world.ring((A, B))
    for server_id in (A, B):
        if server_id not in world.servers:
            world.up(server_id)
        world.flush(server_id)
    for server_id in (A, B):
        mine = {user_id for user_id in USERS if RINGS[A, B].owner(user_id) == server_id}
        held = {user_id: user for user_id, user in world.servers[server_id].users.items() if user.count}
        assert held == {user_id: world.sessions(user_id) for user_id in mine if world.counts.get(user_id)}
        assert world.servers[server_id].watches == mine & {each for looks in world.looks.values() for each in looks}
