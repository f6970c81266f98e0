"""Sessions by user: counts, idle ones, and the user's own word, which comes a moment after the session."""

from svc.gateway.presence.attendance import HELD_S, Attendance, Sessions

ANN = "U0000000001"


def test_a_session_is_held_back_until_the_user_s_word_is_known() -> None:
    """The reload of somebody who is away by hand must not be seen as coming back."""
    here = Attendance()
    here.connected(ANN, 0.0)
    assert here.sessions(ANN) is None
    assert here.heard(ANN, True, 7)
    assert here.sessions(ANN) == Sessions(ANN, 1, 0, is_away_by_hand=True, away_offset=7)
    here.connected(ANN, 1.0)
    assert here.sessions(ANN) == Sessions(ANN, 2, 0, is_away_by_hand=True, away_offset=7), "known already"


def test_but_not_for_long() -> None:
    """Webapp may be away; a session is presence all the same, and the word is taken when it comes."""
    here = Attendance()
    here.connected(ANN, 0.0)
    assert here.due(HELD_S - 0.1) == []
    assert here.due(HELD_S) == [ANN]
    assert here.sessions(ANN) == Sessions(ANN, 1)
    assert here.due(2 * HELD_S) == []
    assert here.heard(ANN, True, 0)
    assert here.sessions(ANN) == Sessions(ANN, 1, is_away_by_hand=True)


def test_the_hold_of_an_earlier_session_says_nothing_of_a_later_one() -> None:
    """A client that came and went at once is back: it is held back for as long as anybody."""
    here = Attendance()
    here.connected(ANN, 0.0)
    here.disconnected(ANN, was_idle=False)
    here.connected(ANN, 0.5)
    assert here.due(HELD_S) == []
    assert here.due(0.5 + HELD_S) == [ANN]


def test_old_words_and_words_of_strangers_are_dropped() -> None:
    """A session that resumes is told again what its user said long ago."""
    here = Attendance()
    assert not here.heard(ANN, True, 3)
    here.connected(ANN, 0.0)
    assert here.heard(ANN, False, 6)
    for is_away, offset in [(True, 5), (False, 6)]:
        assert not here.heard(ANN, is_away, offset)
    assert here.heard(ANN, True, 6), "of two of the same age, the one that says away"
    assert here.heard(ANN, False, 7)
    here.disconnected(ANN, was_idle=False)
    assert not here.user_ids
    here.connected(ANN, 1.0)
    assert here.heard(ANN, True, 2), "nothing is remembered of who was gone"


def test_idle_sessions_are_counted_and_leave_as_what_they_were() -> None:
    """Whichever session goes, the rest is right."""
    here = Attendance()
    here.connected(ANN, 0.0)
    here.connected(ANN, 0.0)
    here.heard(ANN, False, 0)
    here.idled(ANN, 1)
    assert here.sessions(ANN) == Sessions(ANN, 2, 1)
    here.disconnected(ANN, was_idle=True)
    assert here.sessions(ANN) == Sessions(ANN, 1, 0)
    here.idled(ANN, 1)
    here.idled(ANN, -1)
    here.disconnected(ANN, was_idle=False)
    assert here.sessions(ANN) is None
