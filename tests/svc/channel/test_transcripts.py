"""Transcripts of a channel server: what is done to it, and, indented, what it did then. Read them as its manual."""

from __future__ import annotations

from pathlib import Path

import pytest

from parley.channel.v1 import channel_service_pb2 as channel_pb2
from svc.channel.config import FanoutLimits, TailLimits
from svc.kit.errors import ParleyError
from tests.svc.channel.world import World, event

TRANSCRIPTS = sorted((Path(__file__).parent / "transcripts").glob("*.txt"))


class Player:
    """Plays a transcript's commands on a world and writes down everything that happens."""

    def __init__(self) -> None:
        self.world = World(
            tail=TailLimits(tail_events_max=4, held_events_max=3), fanout=FanoutLimits(mailbox_events_max=8)
        )
        self._answered: set[int] = set()
        self._ended: set[str] = set()

    def play(self, line: str) -> list[str]:
        """Do one command; return what happened."""
        verb, *words = line.split()
        try:
            getattr(self, verb)(*words)
        except ParleyError as error:
            return [f"  {type(error).__name__}: {error.message}"]
        return [f"  {said}" for said in self._happened()]

    def attach(self, name: str) -> None:
        """A subscriber attaches."""
        self.world.attach(name)
        self._ended.discard(name)

    def subscribe(self, name: str, *positions: str) -> None:
        """It follows channels from the positions given: C1=7 means that it has all up to 7."""
        self.world.subscribe(name, *((each.split("=")[0], int(each.split("=")[1])) for each in positions))

    def moves_on(self, name: str) -> None:
        """It says that it goes by another ring, and asks for nothing."""
        self.world.subscribe(name, fingerprint=1)

    def catches_up(self, name: str) -> None:
        """It says that it goes by this server's ring."""
        self.world.subscribe(name)

    def unsubscribe(self, name: str, *channels: str) -> None:
        """It follows channels no longer."""
        self.world.unsubscribe(name, *channels)

    def detach(self, name: str) -> None:
        """Its line breaks."""
        self.world.table.audience.detach(self.world.subscribers[name])

    def ack(self, name: str, number: str) -> None:
        """It acknowledges up to a batch."""
        self.world.ack(name, int(number))

    def publish(self, *events: str) -> None:
        """Admin publishes a batch; C1/7 is the event 7 of channel C1."""
        self.world.publish(*(event(each.split("/")[0], int(each.split("/")[1])) for each in events))

    def old_publish(self, *events: str) -> None:
        """As publish, of events committed before this server adopted the channel."""
        self.world.publish(*(event(each.split("/")[0], int(each.split("/")[1]), commit_unix_us=1) for each in events))

    def stale_publish(self, *events: str) -> None:
        """As publish, by an admin that holds another ring."""
        self.world.publish(*(event(each.split("/")[0], int(each.split("/")[1])) for each in events), fingerprint=1)

    def typing(self, channel: str) -> None:
        """A gateway's client types."""
        self.world.table.transient([event(channel, 0)])

    def ring(self, *members: str) -> None:
        """The ring changes."""
        self.world.move(*members)

    def silence(self) -> None:
        """Consul is silent for longer than the fence time."""
        self.world.fence.shut = True

    def word(self) -> None:
        """Consul is heard again."""
        self.world.fence.shut = False

    def wait(self, milliseconds: str) -> None:
        """Time passes."""
        self.world.pass_time(int(milliseconds) / 1000)

    def stop(self, milliseconds: str) -> None:
        """The process is stopped for a while, and goes on."""
        self.world.now += int(milliseconds) / 1000

    def drain(self) -> None:
        """The server is told to leave."""
        self.world.table.drain()

    def _happened(self) -> list[str]:
        said = []
        for name, attachment in self.world.subscribers.items():
            said += [f"{name} gets {_shown(frame)}" for frame in self.world.frames(name)]
            if not attachment.is_open and name not in self._ended:
                self._ended.add(name)
                said.append(f"{name} ends: {attachment.ending.message if attachment.ending else 'in peace'}")
        for number, answer in self.world.answers.items():
            if answer.refusals is not None and number not in self._answered:
                self._answered.add(number)
                said.append(f"publish {number} is answered: {_refusals(answer.refusals)}")
        return said


def _shown(frame: channel_pb2.AttachResponse) -> str:
    kind = frame.WhichOneof("frame")
    if kind == "batch":
        return f"batch {frame.batch.batch_number}: " + " ".join(
            f"{each.channel_id}/{each.offset}" for each in frame.batch.events
        )
    if kind == "subscribed":
        unproven = [f"{each.channel_id}@{each.head_offset}" for each in frame.subscribed.unproven]
        refused = list(frame.subscribed.refused_channel_ids)
        parts = [*(["unproven", *unproven] if unproven else []), *(["refused", *refused] if refused else [])]
        return "subscribed: " + (" ".join(parts) or "proven")
    return str(kind)


def _refusals(refusals: dict[int, str]) -> str:
    return ", ".join(f"{index} {reason}" for index, reason in sorted(refusals.items())) or "ok"


def replay(text: str) -> str:
    """Return the transcript as it comes out now."""
    player = Player()
    lines: list[str] = []
    for line in text.splitlines():
        if not line or line.startswith("#"):
            lines.append(line)
        elif not line.startswith("  "):
            lines += [line, *player.play(line)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_a_channel_server_does_what_its_transcripts_say(path: Path) -> None:
    """Every command of a transcript has exactly the effects written under it."""
    text = path.read_text()
    assert replay(text) == text
