"""An embedded MariaDB (or MySQL): one server with a data folder, ready 0.2 s after its start, 1.5 s the first time."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from ops.local.accounts import owner, unprivileged
from ops.local.errors import LocalError
from ops.local.ports import HOST
from ops.local.process import Command, run_once
from ops.local.replication import Pairing, Role, options, statements
from ops.setup.binaries import INSTALL_DB, MYSQLD, find_program, is_oracle_mysql

KEYSPACES = ("workspace", "channel", "user")

# Small enough for a laptop beside everything else. Commits are on disk before they are answered: that is the
# guarantee behind every acknowledged message.
SETTINGS = {
    "bind-address": HOST,
    "character-set-server": "utf8mb4",
    "collation-server": "utf8mb4_bin",
    "innodb-flush-log-at-trx-commit": "1",
    "innodb-buffer-pool-size": "128M",
    "max-connections": "500",
    "max-allowed-packet": "64M",
    "performance-schema": "OFF",
    "skip-name-resolve": "ON",
    # Relative to the data folder, which may lie deeper than the 107 bytes that a socket's path may have.
    "socket": "mariadb.sock",
    "pid-file": "mariadb.pid",
}

# The greeting's fifth byte: the protocol version. An error packet has 255 there. Source: MySQL client protocol.
PROTOCOL_VERSION = 10
PROBE_TIMEOUT_S = 1.0
INSTALL_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class Dsns:
    """Where the three keyspaces are: `mysql://user:password@host:port/database` each."""

    workspace: str
    channel: str
    user: str

    def environ(self) -> dict[str, str]:
        """Return them as the tiers' settings."""
        return {f"PARLEY_MYSQL_{name.upper()}_DSN": getattr(self, name) for name in KEYSPACES}


class Mariadb:
    """A MariaDB server on loopback with the keyspaces' databases and the user `parley`, who may do all in them.

    A crash loses nothing that was committed; a restart recovers in 0.2 s. A first start that was cut short leaves
    nothing behind: the data folder appears whole or not at all. With a `pairing` it is one of two, starts read-only,
    and asks `choose_role` before each start.
    """

    ready_timeout_s = 60.0  # a crash recovery after heavy writing may replay the whole redo log

    def __init__(
        self, data: Path, log: Path, port: int, password: str, *, name: str = "mariadb", pairing: Pairing | None = None
    ) -> None:
        mysqld = find_program(MYSQLD)
        if mysqld is None:
            raise LocalError("MariaDB is not on this machine.", "./parley bootstrap installs what is missing.")
        if pairing is not None and is_oracle_mysql(mysqld):
            raise LocalError("An embedded replica needs MariaDB; this machine has MySQL.", "Start without --replica.")
        self.name = name
        self.choose_role: Callable[[], Awaitable[Role]] | None = None
        self._role = Role.PRIMARY
        self._pairing = pairing
        self._mysqld = mysqld
        self._data = data
        self._log = log
        self._port = port
        self._password = password
        # Whoever made the data goes on owning it, whichever accounts have come or gone since.
        made_by = owner(data) if os.geteuid() == 0 else ""
        self._account = unprivileged(("mysql", "nobody"), (mysqld, data)) if made_by is None else made_by

    @property
    def address(self) -> str:
        """`host:port`."""
        return f"{HOST}:{self._port}"

    @property
    def dsns(self) -> Dsns:
        """Where each keyspace is."""
        base = f"mysql://parley:{self._password}@{self.address}/parley_"
        return Dsns(*(base + name for name in KEYSPACES))

    async def prepare(self) -> None:
        """Make the data folder the first time, and the statements that every start runs."""
        if self.choose_role is not None:
            self._role = await self.choose_role()
        self._make_scratch()
        if not self._data.exists():
            await self._install()
        self._write_init_file()

    def command(self) -> Command:
        """Return how to run it."""
        places = {"datadir": self._data, "tmpdir": self._scratch, "init-file": self._init_file}
        settings = {**SETTINGS, "port": str(self._port), **{name: str(place) for name, place in places.items()}}
        if self._pairing is not None:
            settings |= options(self._pairing, self._role)
        if is_oracle_mysql(self._mysqld):
            settings |= {"mysqlx": "OFF", "pid-file": str(self._data / "mariadb.pid")}
        argv = (str(self._mysqld), "--no-defaults", *(f"--{name}={value}" for name, value in settings.items()))
        return Command(
            self.name,
            (*argv, *self._user_option()),
            self._data,
            self._log,
            run_as=self._account,
            stop_timeout_s=30.0,  # it writes its dirty pages before it goes
        )

    async def is_ready(self) -> bool:
        """Say whether it greets clients; it does so only after the start's statements have run."""
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                reader, writer = await asyncio.open_connection(HOST, self._port)
                try:
                    greeting = await reader.readexactly(5)
                finally:
                    writer.close()
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            return False
        return greeting[4] == PROTOCOL_VERSION

    def set_aside(self) -> Path:
        """Move the data out of the way, for the next start to make it anew; return where it is. Only while stopped."""
        aside = self._data.with_name(f"{self._data.name}.aside-{time.strftime('%Y%m%d-%H%M%S')}")
        self._data.rename(aside)
        return aside

    @property
    def _init_file(self) -> Path:
        return self._data.with_name(f"{self._data.name}-init.sql")

    @property
    def _scratch(self) -> Path:
        return self._data.with_name(f"{self._data.name}-tmp")

    def _make_scratch(self) -> None:
        """Make a folder for temporary tables: in a shared one, a server that starts deletes those of all others."""
        self._scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self._account:
            shutil.chown(self._scratch, self._account)

    def _write_init_file(self) -> None:
        """Write what each start runs before it takes connections: idempotent, and a changed password takes effect."""
        user = "'parley'@'127.0.0.1'"
        lines = ["SET sql_log_bin = 0;"]  # each server does this by itself
        # The installer's root may come in over TCP, without a password; the socket in the data folder is enough.
        lines.append("DROP USER IF EXISTS 'root'@'127.0.0.1', 'root'@'::1';")
        lines.append(f"CREATE USER IF NOT EXISTS {user} IDENTIFIED BY '{self._password}';")
        lines.append(f"ALTER USER {user} IDENTIFIED BY '{self._password}';")
        for name in KEYSPACES:
            lines.append(f"CREATE DATABASE IF NOT EXISTS parley_{name};")
            lines.append(f"GRANT ALL ON parley_{name}.* TO {user};")
        if self._pairing is not None:
            lines += statements(self._pairing, [f"parley_{name}" for name in KEYSPACES])
        self._init_file.touch(mode=0o600)
        self._init_file.write_text("\n".join(lines) + "\n")
        if self._account:
            shutil.chown(self._init_file, self._account)

    async def _install(self) -> None:
        """Initialise a data folder beside the real one, then move it into place in one step."""
        half = self._data.with_name(f"{self._data.name}.half")
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(parents=True, mode=0o700)
        if self._account:
            shutil.chown(half, self._account)
        argv = (*self._install_argv(half), *self._user_option())
        settings = {"TMPDIR": str(self._scratch)}
        await run_once(Command("mariadb", argv, half, self._log, settings, self._account), INSTALL_TIMEOUT_S)
        half.rename(self._data)

    def _install_argv(self, folder: Path) -> tuple[str, ...]:
        if is_oracle_mysql(self._mysqld):
            return (str(self._mysqld), "--no-defaults", "--initialize-insecure", f"--datadir={folder}")
        installer = find_program(INSTALL_DB)
        if installer is None:
            raise LocalError("mariadb-install-db is not on this machine.", "./parley bootstrap installs it.")
        options = ("--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve")
        return (str(installer), "--no-defaults", f"--datadir={folder}", *options)

    def _user_option(self) -> tuple[str, ...]:
        """Root has to say aloud that it wants to run a database."""
        return ("--user=root",) if os.geteuid() == 0 and not self._account else ()
