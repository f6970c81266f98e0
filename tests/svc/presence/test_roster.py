"""The roster's arithmetic, its bounds, and a machine of random gateways that checks what everyone ends up believing."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from svc.kit.errors import FailedPreconditionError, ResourceExhaustedError
from svc.presence.board import Board
from svc.presence.config import RosterLimits
from svc.presence.roster import Owns, Roster, away_grace_s
from svc.presence.standing import Reported

LIMITS = RosterLimits(lease_s=10, away_grace_s=2, away_grace_max_s=8, flap_window_s=60, settle_s=3, stray_s=5)
USERS = ["UA", "UB", "UC"]
GATEWAYS = ["g1", "g2"]


def everyone(_: str) -> bool:
    """The ring of a lone server."""
    return True


@pytest.mark.parametrize(
    ("grace_s", "max_s", "flips", "expected_s"),
    [(2, 30, 0, 2), (2, 30, 1, 4), (2, 30, 3, 16), (2, 30, 4, 30), (2, 30, 1000, 30), (0, 30, 9, 0), (5, 1, 0, 5)],
)
def test_the_grace_doubles_with_each_flip_up_to_its_maximum(
    grace_s: float, max_s: float, flips: int, expected_s: float
) -> None:
    """The formula in rows; a maximum below the grace does not shorten it."""
    assert away_grace_s(RosterLimits(away_grace_s=grace_s, away_grace_max_s=max_s), flips) == expected_s


def test_more_gateways_than_allowed_are_refused_with_the_numbers() -> None:
    """A limit says what it is; gateways already known may say hello again."""
    roster = Roster(RosterLimits(gateways_max=1), everyone, 0)
    roster.hello("g1", 0)
    with pytest.raises(ResourceExhaustedError) as refused:
        roster.hello("g2", 0)
    assert (refused.value.subject, refused.value.limit, refused.value.actual) == ("gateways_max", 1, 2)
    roster.hello("g1", 1)


def test_users_beyond_the_limit_stay_away_and_are_counted() -> None:
    """A full roster goes on serving those whom it holds."""
    roster = Roster(RosterLimits(users_max=1), everyone, 0)
    roster.hello("g1", 0)
    changes = roster.report("g1", [Reported("UA", 1), Reported("UB", 1), Reported("UA", 2)], 0)
    assert [state.user_id for state in changes] == ["UA"]
    assert (roster.state("UA").connections, roster.state("UB").active, roster.refused) == (2, False, 1)


def test_the_earliest_departed_are_forgotten_first() -> None:
    """Memory of those who left is bounded."""
    roster = Roster(RosterLimits(departed_max=2, away_grace_s=0), everyone, 0)
    roster.hello("g1", 0)
    for at, user_id in enumerate(["UA", "UB", "UC"], start=1):
        roster.report("g1", [Reported(user_id, 1)], at)
        roster.report("g1", [Reported(user_id, 0)], at)
        roster.due(at)
    assert [roster.state(user_id).active_at for user_id in ["UA", "UB", "UC"]] == [None, 2, 3]


def test_a_report_without_a_hello_is_refused() -> None:
    """Nothing is believed of a gateway that has no lease."""
    with pytest.raises(FailedPreconditionError):
        Roster(LIMITS, everyone, 0).report("g1", [Reported("UA", 1)], 0)


def test_zero_for_an_unknown_user_costs_nothing() -> None:
    """A late goodbye leaves no trace."""
    roster = Roster(LIMITS, everyone, 0)
    roster.hello("g1", 0)
    assert roster.report("g1", [Reported("UA", 0)], 0) == []
    assert roster.user_count == 0


def test_coming_and_going_without_end_holds_no_memory() -> None:
    """Appointments of departed users do not pile up."""
    roster = Roster(LIMITS, everyone, 0)
    roster.hello("g1", 0)
    now = 0.0
    for _ in range(500):
        for user_id in USERS:
            roster.report("g1", [Reported(user_id, count) for count in (1, 0, 1, 0)], now)
        now += 0.5
        roster.due(now)
    assert len(roster._looks) <= 50


class Gateways(RuleBasedStateMachine):
    """Gateways that report truthfully, die, come back and re-report when the ring moves, against one board.

    What must hold: once time has passed, a user of ours is active exactly while a live gateway has sessions of it that
    are not idle and it has not set itself away, and every live gateway that looks at it has been told so.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.owned = frozenset(USERS)
        self.board = Board(LIMITS, 100, self._owns(), lambda _: None, self.now)
        self.counts: dict[str, dict[str, int]] = {}
        self.idle: dict[str, int] = {}
        self.words: dict[str, tuple[int, bool]] = dict.fromkeys(USERS, (0, False))
        self.heard: dict[tuple[str, str], tuple[int, bool]] = {}
        self.told: dict[str, dict[str, bool]] = {}
        self.settled = False
        for gateway in GATEWAYS:
            self.come_back(gateway)
        self.pass_time(3)

    @rule(gateway=st.sampled_from(GATEWAYS))
    def come_back(self, gateway: str) -> None:
        """A line opens (again): everything is said anew."""
        self.board.hello(gateway, self.now)
        self.told[gateway] = {}
        self._report_all(gateway)
        self.board.watch(gateway, USERS, [], self.now)

    @rule(gateway=st.sampled_from(GATEWAYS), user=st.sampled_from(USERS), count=st.integers(0, 2))
    def clients_come_and_go(self, gateway: str, user: str, count: int) -> None:
        """A gateway's count of one user changes."""
        if gateway in self.told:
            self.settled = False
            if not self._count(gateway, user):
                self.heard[gateway, user] = self.words[user]  # as read when the session was opened
            self.counts.setdefault(gateway, {})[user] = count
            self.board.report(gateway, [self._said(gateway, user)], self.now)

    @rule(user=st.sampled_from(USERS), idle=st.integers(0, 2))
    def rest(self, user: str, idle: int) -> None:
        """At most so many of a user's sessions at each gateway are idle from now on."""
        self.idle[user] = idle
        self._report_everywhere()

    @rule(user=st.sampled_from(USERS), is_away=st.booleans(), hears=st.frozensets(st.sampled_from(GATEWAYS)))
    def set_away(self, user: str, is_away: bool, hears: frozenset[str]) -> None:
        """A user sets itself away, or stops; some gateways hear of it later."""
        self.words[user] = (self.words[user][0] + 1, is_away)
        self.heard |= {(gateway, user): self.words[user] for gateway in hears}
        self._report_everywhere()

    @rule(gateway=st.sampled_from(GATEWAYS), user=st.sampled_from(USERS))
    def blink(self, gateway: str, user: str) -> None:
        """The line breaks and stands again; meanwhile all clients of one user have gone."""
        self.break_line(gateway)
        self.counts.setdefault(gateway, {})[user] = 0
        self.come_back(gateway)

    @rule(user=st.sampled_from(USERS), gateway=st.sampled_from(GATEWAYS))
    def ring_blinks(self, user: str, gateway: str) -> None:
        """A user goes to another server and comes back; it left one gateway while it was not ours to be told."""
        owned = self.owned
        self.move_ring(owned - {user}, early=False)
        self.counts.setdefault(gateway, {})[user] = 0
        self.move_ring(owned, early=False)

    @rule(user=st.sampled_from(USERS), gateway=st.sampled_from(GATEWAYS), seconds=st.sampled_from([1, 8]))
    def win(self, user: str, gateway: str, seconds: float) -> None:
        """A user who connected while another server had it comes to us; the gateways know before we do."""
        owned = self.owned
        self.move_ring(owned - {user}, early=False)
        self.pass_time(seconds)
        if gateway in self.told:
            self.counts.setdefault(gateway, {})[user] = 1
        self.move_ring(owned | {user}, early=True)

    @rule(gateway=st.sampled_from(GATEWAYS))
    def break_line(self, gateway: str) -> None:
        """The line breaks; clients of the gateway may come and go unseen."""
        if self.told.pop(gateway, None) is not None:
            self.settled = False
            self.board.line_ended(gateway)

    @rule(gateway=st.sampled_from(GATEWAYS))
    def die(self, gateway: str) -> None:
        """The gateway is killed."""
        self.break_line(gateway)
        self.counts.pop(gateway, None)

    @rule(owned=st.frozensets(st.sampled_from(USERS)), early=st.booleans())
    def move_ring(self, owned: frozenset[str], early: bool) -> None:
        """The ring moves; gateways see it before or after the server does, and report again."""
        self.settled = False
        self.owned = owned
        if early:
            self._report_everywhere()
        self.board.ring_changed(self._owns(), self.now)
        if not early:
            self._report_everywhere()

    @rule(seconds=st.sampled_from([0.1, 1.0, 4.0]))
    def wait(self, seconds: float) -> None:
        """Some time passes."""
        self.pass_time(seconds)

    @rule()
    def settle(self) -> None:
        """Longer than any lease, grace and settling together; by then everybody has heard of every word."""
        self.heard |= {(gateway, user): self.words[user] for gateway in self.told for user in USERS}
        self._report_everywhere()
        self.pass_time(40)
        self.settled = True

    def pass_time(self, seconds: float) -> None:
        """Attached gateways send heartbeats meanwhile."""
        for _ in range(round(seconds * 2)):
            self.now += 0.5
            for gateway in self.told:
                self.board.heartbeat(gateway, self.now)
            self.board.tick(self.now)

    @invariant()
    def everyone_believes_the_truth_in_the_end(self) -> None:
        """After 40 quiet seconds (lease, grace and settling are over)."""
        for gateway, told in self.told.items():
            for state in self.board.take(gateway, 100):
                assert state.user_id in self.owned
                told[state.user_id] = state.active
        if not self.settled:
            return
        for user in self.owned:
            said = [self._said(gateway, user) for gateway in self.told]
            truth = any(each.count > each.idle_count for each in said) and not self.words[user][1]
            assert self.board.state(user).active == truth, user
            for gateway, told in self.told.items():
                assert told[user] == truth, (gateway, user)

    def _report_all(self, gateway: str) -> None:
        self.settled = False
        users = [user for user in USERS if self._count(gateway, user) and user in self.owned]
        self.board.report(gateway, [self._said(gateway, user) for user in users], self.now)

    def _count(self, gateway: str, user: str) -> int:
        return self.counts.get(gateway, {}).get(user, 0)

    def _said(self, gateway: str, user: str) -> Reported:
        count = self._count(gateway, user)
        offset, is_away = self.heard.get((gateway, user), (0, False))
        return Reported(user, count, min(count, self.idle.get(user, 0)), is_away, offset)

    def _report_everywhere(self) -> None:
        for gateway in self.told:
            self._report_all(gateway)

    def _owns(self) -> Owns:
        owned = self.owned
        return lambda user_id: user_id in owned


Gateways.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
TestGateways = Gateways.TestCase
