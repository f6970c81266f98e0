"""What the load believes about a post, whatever it is answered."""

from __future__ import annotations

from random import Random
from typing import Any, cast

import aiohttp
import pytest

from ops.chaos.load import RTM_EVERY, TWICE_EVERY, Load
from ops.chaos.readers import Reader
from ops.chaos.record import Kind, Outcome, Post
from ops.chaos.stage import Api, Json, Person, Stage
from ops.chaos.streams import NotConnected, StreamLog

ADA = Person("ada", "UADA", "xoxp-ada")
STAGE = Stage((ADA,), ADA, {"C1": (ADA,)})

OK: Json = {"ok": True, "channel": "C1", "ts": "1.5", "position": "C1:7"}
BUSY: Json = {"ok": False, "error": "service_unavailable"}
REFUSED: Json = {"ok": False, "error": "is_archived"}
NOT_POSTED = TimeoutError("no answer")

Said = Json | Exception


class Script:
    """A webapp, and a reader's socket, that give the answers they were told to, in order, the last one for ever."""

    person = ADA

    def __init__(self, *answers: Said) -> None:
        self._answers = list(answers)
        self.keys: list[str] = []
        self.turns: list[int] = []
        self.log = StreamLog("reader", ADA.user_id, Kind.PLAIN)

    def turn(self) -> int:
        """Begin at the first webapp."""
        return 0

    async def call(self, _person: Person, _method: str, _timeout_s: float, turn: int, **arguments: Any) -> Json:
        """Answer a call."""
        self.turns.append(turn)
        return self._answer(arguments["client_msg_id"])

    async def post(self, _channel: str, _text: str, client_msg_id: str, _timeout_s: float) -> Json:
        """Answer a post over the socket."""
        return self._answer(client_msg_id)

    def _answer(self, key: str) -> Json:
        self.keys.append(key)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


async def posts(script: Script, count: int, *, over_sockets: bool = False) -> list[Post]:
    """Return what became of some posts, by number."""
    writers = [cast("Reader", script)] if over_sockets else []
    load = Load(cast("Api", script), STAGE, writers, Random(1))
    left = iter(range(count))
    await load.run(1_000.0, lambda: next(left, None) is None)
    return sorted(load.posts, key=lambda post: post.key)


@pytest.mark.parametrize(
    ("answers", "outcome", "tries"),
    [
        ((OK,), Outcome.ACKED, 1),
        ((BUSY, OK), Outcome.ACKED, 2),
        ((NOT_POSTED, aiohttp.ClientConnectionError(), OK), Outcome.ACKED, 3),
        ((REFUSED,), Outcome.REFUSED, 1),
        ((NOT_POSTED, REFUSED), Outcome.UNKNOWN, 2),
        ((BUSY, REFUSED), Outcome.UNKNOWN, 2),
    ],
    ids=["ok", "busy first", "silent first", "refused", "silent, then refused", "busy, then refused"],
)
async def test_a_post_is_tried_with_the_same_key_until_an_answer_is_final(
    answers: tuple[Said, ...], outcome: Outcome, tries: int
) -> None:
    """Each try goes to the next webapp. A refusal after a silence proves nothing: the silent try may be stored."""
    filler = (OK, OK)  # the first post of a run is one of those that are sent twice
    script = Script(*filler, *answers)
    made = (await posts(script, 2))[1]
    assert made.outcome is outcome
    assert script.keys[2:] == [made.key] * tries
    assert script.turns[2:] == list(range(tries))
    if outcome is Outcome.ACKED:
        assert (made.ts, made.offset, made.writer) == ("1.5", 7, "")


@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [(OK, OK, Outcome.ACKED), (NOT_POSTED, OK, Outcome.ACKED), (REFUSED, OK, Outcome.ACKED)],
    ids=["both", "one silent", "one refused"],
)
async def test_one_post_in_some_is_sent_to_two_webapps_at_once(first: Said, second: Said, outcome: Outcome) -> None:
    """With one key: it is one message, acknowledged if either says so."""
    assert TWICE_EVERY > 1
    script = Script(first, second)
    (made,) = await posts(script, 1)
    assert made.outcome is outcome
    assert script.keys == [made.key] * 2
    assert script.turns == [0, 1]


async def test_one_post_in_some_goes_over_the_socket_of_its_author() -> None:
    """It names the stream, which is not owed the event; a broken connection is tried again like a silent webapp."""
    made = await posts(Script(OK), RTM_EVERY, over_sockets=True)
    assert [post.writer for post in made] == [""] * (RTM_EVERY - 1) + ["reader"]
    script = Script(*[OK] * (RTM_EVERY), NotConnected("gone"), OK)
    last = (await posts(script, RTM_EVERY, over_sockets=True))[-1]
    assert (last.outcome, last.writer) == (Outcome.ACKED, "reader")
