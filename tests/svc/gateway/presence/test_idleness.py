"""Whose time of doing nothing is over: exactly those, found without looking at the others."""

from hypothesis import given
from hypothesis import strategies as st

from svc.gateway.presence.idleness import BUCKETS, Idleness

IDLE_S = 1_800.0
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["enter", "leave", "act"]), st.integers(0, 4)),
        st.tuples(st.just("wait"), st.sampled_from([0.25, 1.0, 600.0, 1_799.0, 1_802.0, 90_000.0])),
    ),
    max_size=40,
)


@given(STEPS)
def test_one_is_idle_soon_after_doing_nothing_for_long_enough_and_not_before(steps: list[tuple[str, float]]) -> None:
    """Against a scan over everybody; late by one bucket at most."""
    now, active_at, watched = 1_000.0, dict.fromkeys(range(5), 1_000.0), set[int]()
    idleness = Idleness(IDLE_S, active_at.__getitem__, now)
    for verb, what in steps:
        who = int(what)
        if verb == "enter" and who not in watched:
            active_at[who] = now
            idleness.enter(who)
            watched.add(who)
        elif verb == "leave":
            idleness.leave(who)
            watched.discard(who)
        elif verb == "act":
            active_at[who] = now
        elif verb == "wait":
            now += what
        idle = set(idleness.due(now))
        assert idle <= {each for each in watched if now - active_at[each] >= IDLE_S}
        watched -= idle
        assert not {each for each in watched if now - active_at[each] > IDLE_S + IDLE_S / BUCKETS}
        assert len(idleness) == len(watched)


def test_those_who_are_not_due_are_not_looked_at() -> None:
    """A second of a gateway with many connections costs what is due in it."""
    looks: list[int] = []

    def active_at(sitter: int) -> float:
        looks.append(sitter)
        return float(sitter)

    idleness = Idleness(IDLE_S, active_at, 0.0)
    for sitter in range(1_000):
        idleness.enter(sitter)
    looks.clear()
    assert idleness.due(1_700.0) == []
    assert looks == []
    assert idleness.due(1_810.5) == list(range(10))
    assert looks == list(range(10))
