"""What a running mesh leaves in its folder: a lock, a secret that outlives it, and `mesh.json` for other commands."""

from __future__ import annotations

import dataclasses
import fcntl
import hashlib
import json
import os
import secrets
import time
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path

from ops.database.node import Credentials
from ops.local.errors import AlreadyRunningError

STATE = "mesh.json"
SECRET_BYTES = 32

# Looking at the lock takes microseconds.
LOCK_RETRY_S = 0.05


@dataclass(frozen=True, slots=True)
class MeshState:
    """A running mesh as other commands see it. `pid` is its owner; `children` maps names to process ids.

    `started` is in Unix seconds. Maps of URLs are by instance name.
    """

    pid: int
    started: float
    consul_addr: str
    web_urls: dict[str, str]
    ws_urls: dict[str, str]
    memcached_addrs: list[str]
    dsns: dict[str, str]
    children: dict[str, int]

    @property
    def web_url(self) -> str:
        """The first webapp's URL; "" when there is none."""
        return next(iter(self.web_urls.values()), "")

    @property
    def consul_ui_url(self) -> str:
        """The Consul UI, for people."""
        return f"http://{self.consul_addr}/ui/"


def save(var: Path, state: MeshState) -> None:
    """Write `mesh.json` in one step, readable by its owner alone: it holds the database's password."""
    half = var / f"{STATE}.half"
    half.touch(mode=0o600)
    half.write_text(json.dumps(dataclasses.asdict(state), indent=2) + "\n")
    half.rename(var / STATE)


def load(var: Path) -> MeshState | None:
    """Return the state of the mesh that runs on `var`; None when none does (a killed one's file does not count)."""
    try:
        state = MeshState(**json.loads((var / STATE).read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return state if is_locked(var) else None


def forget(var: Path) -> None:
    """Remove `mesh.json`."""
    (var / STATE).unlink(missing_ok=True)


def lock(var: Path) -> TextIOWrapper:
    """Claim the folder until the returned handle is closed, or the process is gone. Raises AlreadyRunningError."""
    var.mkdir(parents=True, exist_ok=True)
    handle = (var / "mesh.lock").open("a+")
    if not _flock(handle):
        handle.seek(0)
        pid = handle.read().strip()
        handle.close()
        raise AlreadyRunningError(int(pid) if pid.isdigit() else 0, var)
    handle.truncate(0)
    handle.write(str(os.getpid()))
    handle.flush()
    return handle


def _flock(handle: TextIOWrapper) -> bool:
    """Take the lock; look twice, because `is_locked` holds it for a moment when it looks."""
    for wait_s in (LOCK_RETRY_S, LOCK_RETRY_S, 0.0):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(wait_s)
        else:
            return True
    return False


def is_locked(var: Path) -> bool:
    """Say whether a live process has claimed the folder."""
    try:
        with (var / "mesh.lock").open("r") as handle:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def installation_secret(var: Path) -> str:
    """Return the secret of this installation, made the first time; only its owner can read the file.

    Losing it makes every token's signature and every open ticket worthless, and nothing else.
    """
    file = var / "secret"
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        found = file.read_text().strip()
        if found:
            return found
        descriptor = os.open(file, os.O_WRONLY | os.O_TRUNC, 0o600)  # a first run that died between two lines
    with os.fdopen(descriptor, "w") as handle:
        made = secrets.token_hex(SECRET_BYTES)
        handle.write(made + "\n")
    return made


def known_secret(var: Path) -> str:
    """Return the secret of an installation; "" where there is none. Makes nothing."""
    try:
        return (var / "secret").read_text().strip()
    except OSError:
        return ""


def ops_credentials(secret: str) -> Credentials:
    """Return how the operator's commands, and replicas, log in to an installation's databases."""
    return Credentials(derive_password(secret, "mariadb-ops"), derive_password(secret, "mariadb-repl"))


def derive_password(secret: str, purpose: str) -> str:
    """Return a password that follows from the secret, so that there is one thing to keep and nothing to remember."""
    return hashlib.blake2b(secret.encode(), digest_size=16, person=purpose.encode()[:16]).hexdigest()
