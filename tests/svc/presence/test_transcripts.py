"""The board played through transcripts: a command, then (after `>`) what each gateway is told because of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from svc.kit.errors import ParleyError
from svc.presence.board import Board
from svc.presence.config import RosterLimits
from svc.presence.roster import Owns, UserState
from svc.presence.standing import Reported

TRANSCRIPTS = sorted((Path(__file__).parent / "transcripts").glob("*.txt"))
LIMITS = RosterLimits(lease_s=10, away_grace_s=2, away_grace_max_s=8, flap_window_s=60, settle_s=3, stray_s=5)


def shown(state: UserState) -> str:
    """A state as transcripts write it: user, what it is, sessions."""
    return f"{state.user_id} {'active' if state.active else 'away'}/{state.connections}"


def reported(text: str) -> Reported:
    """Read `UA=2/1:away@7` (2 sessions, 1 idle, away by hand as of offset 7) or parts of it."""
    sessions, _, word = text.partition(":")
    user_id, _, counts = sessions.partition("=")
    count, _, idle = counts.partition("/")
    says, _, offset = word.partition("@")
    return Reported(user_id, int(count), int(idle or 0), says == "away", int(offset or 0))


@dataclass
class Player:
    """Understands the commands of a transcript; time stands still but for `wait SECONDS`."""

    now: float = 0.0
    foreign: frozenset[str] = frozenset()
    gateways: list[str] = field(default_factory=list)
    board: Board = field(init=False)

    def __post_init__(self) -> None:
        self.board = Board(LIMITS, 100, self._owns(), lambda _: None, self.now)

    def play(self, command: str) -> list[str]:
        """Run one command line and return what was answered, one line a gateway that was told something."""
        verb, *arguments = command.split()
        answers: list[str] = []
        try:
            answers = getattr(self, f"do_{verb}")(*arguments) or []
        except ParleyError as error:
            answers.append(f"! {error.code.name} {error.message}")
        for gateway_id in self.gateways:
            states = self.board.take(gateway_id, 100)
            if states:
                told = (
                    f"{state.user_id} {'active' if state.active else 'away'}/{state.connections}" for state in states
                )
                answers.append(f"{gateway_id}: {', '.join(sorted(told))}")
        return answers

    def do_hello(self, gateway_id: str) -> None:
        """A gateway opens its line."""
        if gateway_id not in self.gateways:
            self.gateways.append(gateway_id)
        self.board.hello(gateway_id, self.now)

    def do_report(self, gateway_id: str, *users: str) -> None:
        """`report g1 UA=2/1 UB=1:away@7`: open sessions by user, of these the idle ones; its own word, and how old."""
        self.board.report(gateway_id, [reported(user) for user in users], self.now)

    def do_heartbeat(self, gateway_id: str) -> None:
        """A gateway has nothing new."""
        self.board.heartbeat(gateway_id, self.now)

    def do_watch(self, gateway_id: str, *users: str) -> None:
        """`watch g1 UA -UB`: begin to watch UA, stop watching UB."""
        added = [user for user in users if not user.startswith("-")]
        self.board.watch(gateway_id, added, [user[1:] for user in users if user.startswith("-")], self.now)

    def do_break(self, gateway_id: str) -> None:
        """A gateway's line breaks."""
        self.board.line_ended(gateway_id)

    def do_foreign(self, *users: str) -> None:
        """The ring changes: the users named belong to another server from now on, everyone else to this one."""
        self.foreign = frozenset(users)
        self.board.ring_changed(self._owns(), self.now)

    def do_state(self, *users: str) -> list[str]:
        """Ask for users' states."""
        return [shown(self.board.state(user)) for user in users]

    def do_wait(self, seconds: str) -> list[str]:
        """Let time pass, in steps of 100 ms."""
        silent: list[str] = []
        for _ in range(round(float(seconds) * 10)):
            self.now = round(self.now + 0.1, 3)
            silent += self.board.tick(self.now)
        return [f"silent: {gateway_id}" for gateway_id in silent]

    def _owns(self) -> Owns:
        foreign = self.foreign
        return lambda user_id: user_id not in foreign


def test_there_are_transcripts() -> None:
    """An empty folder must not pass for a tested board."""
    assert len(TRANSCRIPTS) >= 6


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_the_board_does_what_the_transcript_says(path: Path) -> None:
    """Each transcript is documentation that is checked line by line."""
    player = Player()
    played: list[str] = []
    for line in path.read_text().splitlines():
        if line.startswith((">", "!")):
            continue
        played.append(line)
        if line and not line.startswith("#"):
            played += [f"> {answer}" for answer in player.play(line)]
    assert "\n".join(played) == path.read_text().rstrip("\n")
