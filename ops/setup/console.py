"""What a person sees while a machine is set up: one line a step, and the reason when one fails."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

# Enough to show a compiler's or apt's complaint whole, and little enough to stay on one screen.
TAIL_LINES = 15


class SetupError(Exception):
    """A step cannot be done; the message says why, `commands` what would do it by hand."""

    def __init__(self, message: str, commands: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.commands = tuple(commands)


class CommandFailed(Exception):
    """A command of a step ended with an error; `tail` holds its last lines."""

    def __init__(self, argv: Sequence[str], code: int, tail: Sequence[str]) -> None:
        super().__init__(f"{argv[0]} ended with code {code}")
        self.tail = tuple(tail)

    @property
    def output(self) -> str:
        """The last lines as one text."""
        return "\n".join(self.tail)


class Console:
    """Prints steps to stderr (stdout belongs to the command that follows) and keeps every command's output in a log."""

    def __init__(self, log: Path, lock: int | None = None) -> None:
        """Take the log, and the descriptor of the set-up's lock: commands hold it too, so that the next run waits
        for one that outlives a killed set-up instead of writing beside it.
        """
        self._log = log
        self._held = () if lock is None else (lock,)
        self._live = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._step = ""
        self._started = 0.0

    def begin(self, step: str) -> None:
        """Announce a step before its work starts, so that a wait always has a name."""
        self._step, self._started = step, time.monotonic()
        if self._live:
            self._redraw("")
        else:
            self._print(f"  .. {step}")

    def done(self, detail: str) -> None:
        """Close the step with what came of it and how long it took."""
        spent_s = time.monotonic() - self._started
        self._print(f"  ok {self._step}: {detail} ({spent_s:.1f} s)")

    def note(self, text: str) -> None:
        """Print a line of its own."""
        self._print(f"     {text}")

    def run(self, argv: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> list[str]:
        """Run a command, showing its newest line; return its last lines. Raises CommandFailed."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        tail: deque[str] = deque(maxlen=TAIL_LINES)
        with self._log.open("a", encoding="utf-8") as log:
            print(f"$ {' '.join(argv)}", file=log, flush=True)
            process = subprocess.Popen(
                argv,
                cwd=cwd,
                env={**os.environ, **(env or {})},
                stdin=None if sys.stdin is not None and sys.stdin.isatty() else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                pass_fds=self._held,
            )
            with process:
                for line in process.stdout or ():
                    log.write(line)
                    if line.strip():
                        tail.append(line.rstrip())
                        self._redraw(line.strip())
        if process.returncode:
            raise CommandFailed(argv, process.returncode, tail)
        return list(tail)

    def _redraw(self, activity: str) -> None:
        if self._live:
            spent_s = time.monotonic() - self._started
            width = min(os.get_terminal_size(sys.stderr.fileno()).columns, 120) - 1
            print(f"\r\x1b[K{f'  .. {self._step} ({spent_s:.0f} s) {activity}'[:width]}", end="", file=sys.stderr)
            sys.stderr.flush()

    def _print(self, line: str) -> None:
        print(f"\r\x1b[K{line}" if self._live else line, file=sys.stderr, flush=True)


def explain(error: SetupError) -> str:
    """Return the message for a person: what is wrong, what to type, and that typing it again is safe."""
    lines = ["", f"parley: {error}"]
    if error.commands:
        lines += ["", "What would do it by hand:", *(f"    {command}" for command in error.commands)]
    lines += ["", "Then run the same command again; finished steps are not repeated."]
    return "\n".join(lines)
