"""slack_sdk's RTM client as a reader, in a process of its own: its threads and its parser are not ours to slow down.

    python -m ops.chaos.sdk --base-url http://127.0.0.1:8080/api/ --out notes.jsonl      (token in $PARLEY_TOKEN)

Notes each frame as it comes out of its parser, one JSON line each: its own dispatch to listeners uses a pool of threads
and keeps no order.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from slack_sdk.rtm_v2 import RTMClient

from ops.chaos.record import Arrival, Kind, Session, Stream
from ops.chaos.stage import Person
from ops.chaos.streams import place_of
from ops.local.process import Command, spawn
from ops.setup.binaries import ROOT

PING_S = 2
"""It takes a connection for dead after four of these; by default after 20 s."""

RETRY_S = 0.5


class SdkReader:
    """The child process; `stream()` is what it noted so far."""

    def __init__(self, person: Person, base_url: str, folder: Path) -> None:
        self._person = person
        self._out = folder / "sdk.jsonl"
        argv = (sys.executable, "-m", "ops.chaos.sdk", "--base-url", f"{base_url}/api/", "--out", str(self._out))
        self._command = Command("sdk", argv, ROOT, folder / "sdk.log", {"PARLEY_TOKEN": person.token})

    @asynccontextmanager
    async def running(self) -> AsyncIterator[SdkReader]:
        """Run it for the block."""
        process = await spawn(self._command)
        try:
            yield self
        finally:
            await process.kill()

    def stream(self) -> Stream:
        """Return its notes."""
        sessions: list[Session] = []
        arrivals: list[Arrival] = []
        for line in self._out.read_text().splitlines() if self._out.exists() else ():
            note = json.loads(line)
            if "hello" in note:
                sessions.append(Session(note["hello"]))
            else:
                channel, offset, ts, key = note["event"]
                arrivals.append(Arrival(channel, offset, ts, key, note["at"], max(0, len(sessions) - 1)))
        return Stream("sdk", self._person.user_id, Kind.SDK, tuple(sessions), tuple(arrivals))


def main() -> None:
    """Connect and take notes until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--out", required=True, type=Path)
    options = parser.parse_args()
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    with options.out.open("a", buffering=1) as out:
        client = RTMClient(
            token=os.environ["PARLEY_TOKEN"],
            base_url=options.base_url,
            ping_interval=PING_S,
            on_message_listeners=[lambda frame: _note(frame, out.write)],
        )
        while True:
            try:
                client.connect()  # type: ignore[no-untyped-call]
                break
            except Exception as error:  # its errors have no common ancestor; the first connection is ours to retry
                logging.getLogger(__name__).warning("not connected yet: %r", error)
                time.sleep(RETRY_S)
        threading.Event().wait()


def _note(frame: str, write: Callable[[str], object]) -> None:
    at = time.monotonic()
    if not frame.startswith("{"):
        return
    event = json.loads(frame)
    place = place_of(event)
    if event.get("type") == "hello":
        note: dict[str, object] = {"hello": at}
    elif place is not None:
        note = {"event": [place.channel_id, place.offset, place.ts, place.key], "at": at}
    else:
        return
    write(json.dumps(note) + "\n")


if __name__ == "__main__":
    main()
