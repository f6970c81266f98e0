"""The chaos runs' app behind a URL: what it takes, turns away, and notes."""

from __future__ import annotations

from random import Random
from typing import Any, cast

import aiohttp

from ops.chaos.endpoint import AppEndpoint
from ops.chaos.noting import Notes
from ops.chaos.stage import AppSeat, Person
from ops.local.mesh import Mesh

CHANNEL = "C1"
SEAT = AppSeat("app-url", "A1", Person("app-url", "U1", ""), (CHANNEL,))
TRIES = 200


def callback(number: int) -> dict[str, Any]:
    """Return what a webapp posts of a message."""
    event = {"type": "message", "channel": CHANNEL, "ts": f"{number}.000001", "text": "hello"}
    return {"type": "event_callback", "event_id": f"Ev{number}", "event": event}


async def test_it_answers_the_challenge_and_turns_some_away_the_first_time_only() -> None:
    """What is turned away is not noted; tried again it is."""
    notes = Notes(SEAT, cast(Mesh, None))
    async with AppEndpoint(Random(1)).running() as endpoint, aiohttp.ClientSession() as http:
        asked = {"type": "url_verification", "challenge": "xyz"}
        async with http.post(endpoint.url, json=asked) as answer:
            assert (await answer.json())["challenge"] == "xyz"
        async with http.post(endpoint.url, json=callback(0)) as answer:
            assert answer.status == 503, "nobody listens yet"
        endpoint.notes = notes
        refused = []
        for number in range(1, TRIES):
            async with http.post(endpoint.url, json=callback(number)) as answer:
                if answer.status != 200:
                    refused.append(number)
        assert 0 < len(refused) < TRIES / 4
        assert {heard.event_id for heard in notes.said} == {f"Ev{n}" for n in range(1, TRIES) if n not in refused}
        async with http.post(endpoint.url, json=callback(refused[0]), headers={"X-Slack-Retry-Num": "1"}) as answer:
            assert answer.status == 200
    assert not notes.misses(CHANNEL, f"message {refused[0]}.000001")
    assert notes.is_warm()
    assert len({heard.session for heard in notes.said}) == len(notes.said), "no order is judged"
