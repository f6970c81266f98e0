"""When a client counts as gone: told by a table of what was sent and heard when."""

from __future__ import annotations

from svc.gateway.apps.silence import Silence, Standing


def test_who_is_sent_nothing_may_be_silent() -> None:
    """The pings of all connections find those."""
    assert Silence(8).look(1_000, 0) is Standing.THERE


def test_who_says_nothing_is_pinged_once_and_then_gone() -> None:
    """From the first envelope on, whatever was sent since."""
    silence = Silence(8)
    silence.sent(10, 5)
    silence.sent(13, 5)
    looks = [silence.look(now, 5) for now in (11, 14, 15, 17.9, 18, 30)]
    assert looks == [
        Standing.THERE,
        Standing.DOUBTED,
        Standing.THERE,
        Standing.THERE,
        Standing.SILENT,
        Standing.SILENT,
    ]


def test_any_word_begins_it_anew() -> None:
    """An acknowledgement, a pong, anything; and what is sent after it counts from there."""
    silence = Silence(8)
    silence.sent(10, 5)
    assert silence.look(19, 5) is Standing.SILENT
    assert silence.look(19, 18.5) is Standing.THERE
    assert silence.look(100, 18.5) is Standing.THERE
    silence.sent(100, 18.5)
    assert silence.look(103, 18.5) is Standing.THERE
    assert silence.look(104, 18.5) is Standing.DOUBTED
    assert silence.look(108, 18.5) is Standing.SILENT
