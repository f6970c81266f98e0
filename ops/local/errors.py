"""What can go wrong with processes on this machine.

LocalError            something a person can put right; the message says how
├─ PortTakenError     a wanted port belongs to somebody else
├─ ProcessFailedError a child ended, or was not ready in time; carries the end of its log
└─ AlreadyRunningError  another mesh owns this folder
"""

from __future__ import annotations

import json
from pathlib import Path


class LocalError(Exception):
    """Something a person can put right; `hint` says how, in one line."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class PortTakenError(LocalError):
    """A wanted port is in use; `owner` is "pid 12 (command)" where the system tells."""

    def __init__(self, port: int, purpose: str, owner: str, hint: str) -> None:
        super().__init__(f"Port {port} ({purpose}) is taken by {owner}.", hint)
        self.port = port
        self.owner = owner


class ProcessFailedError(LocalError):
    """A child ended, or was not ready in time; the message ends with the tail of its log."""

    def __init__(self, name: str, what: str, log: Path, tail: str) -> None:
        lines = [part for line in tail.splitlines() for part in readable(line)]
        quoted = "\n".join(f"    {line}" for line in lines) or "    (its log is empty)"
        super().__init__(f"{name} {what}. The end of {log}:\n{quoted}")
        self.name = name
        self.log = log


class AlreadyRunningError(LocalError):
    """Another mesh owns this folder; `pid` is its process."""

    def __init__(self, pid: int, var: Path) -> None:
        super().__init__(
            f"A mesh is already running on {var} (pid {pid}).",
            "`parley status` shows it, `parley down` stops it, `--var FOLDER` starts another beside it.",
        )
        self.pid = pid


def readable(line: str) -> list[str]:
    """Return a line of a log as a person reads it: our own are JSON, with a stack trace folded into one string."""
    try:
        entry = json.loads(line)
        text = [f"{entry['level']}: {entry['message']}"]
    except (ValueError, KeyError, TypeError):
        return [line]
    return text + str(entry.get("exception", "")).splitlines()
