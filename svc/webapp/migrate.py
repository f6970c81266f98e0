"""Numbered schema changes: applied once each by `python -m svc.webapp.migrate`, checked when a webapp starts.

The changes are `store/schema/<keyspace>/NNNN_name.sql`. Table schema_migrations of each keyspace remembers what was
applied, with its checksum: a file that changed afterwards is refused, for the databases out there have the old one.
Two at once are safe: a named lock of the server lets one wait for the other. MySQL commits each DDL statement by
itself, so a change that failed half-way says so and has to be looked at.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

import pymysql

from svc.kit.clock import SystemClock
from svc.kit.config import ConfigError, load, setting
from svc.kit.errors import FailedPreconditionError, ParleyError, UnavailableError
from svc.webapp.store.dsn import Dsn
from svc.webapp.store.failures import error_code, translate
from svc.webapp.store.pools import Database, PoolLimits, Pools, Transaction, open_pools
from svc.webapp.store.query import KEYSPACES, Keyspace

__all__ = ["DsnConfig", "Migration", "check", "migrate", "migrations"]

LOCK_WAIT_S = 60
"""How long one waits for another that is applying changes."""
STATEMENT_S = 600.0
"""A change of a large table may take minutes."""
_NO_SUCH_TABLE = 1146
_TABLE = """CREATE TABLE schema_migrations (
    number INT NOT NULL PRIMARY KEY,
    name VARCHAR(100) NOT NULL,
    checksum CHAR(64) NOT NULL,
    applied_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    complete TINYINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"""


@dataclass(frozen=True, slots=True)
class DsnConfig:
    """Where the three keyspaces are."""

    workspace: str = setting("PARLEY_MYSQL_WORKSPACE_DSN", secret=True, help="mysql://user:password@host:port/database")
    channel: str = setting("PARLEY_MYSQL_CHANNEL_DSN", secret=True, help="the same for the channel keyspace")
    user: str = setting("PARLEY_MYSQL_USER_DSN", secret=True, help="the same for the user keyspace")

    def dsns(self) -> Mapping[Keyspace, Dsn]:
        """Return them parsed. Raises ValueError for one that is malformed."""
        return {
            "workspace": Dsn.parse(self.workspace),
            "channel": Dsn.parse(self.channel),
            "user": Dsn.parse(self.user),
        }


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered change."""

    number: int
    name: str
    statements: tuple[str, ...]
    checksum: str


def migrations(keyspace: Keyspace) -> list[Migration]:
    """Return a keyspace's changes in order, read from the package. Raises ValueError when two have one number."""
    folder = resources.files("svc.webapp.store") / "schema" / keyspace
    found = []
    for file in sorted((entry for entry in folder.iterdir() if entry.name.endswith(".sql")), key=lambda e: e.name):
        text = file.read_text()
        number, _, name = file.name.removesuffix(".sql").partition("_")
        found.append(Migration(int(number), name, _statements(text), hashlib.sha256(text.encode()).hexdigest()))
    # Numbers may be left out, as they are when changes that were begun together are finished in another order.
    if len({migration.number for migration in found}) != len(found):
        raise ValueError(f"two changes of {keyspace} have the same number")
    return found


def _statements(text: str) -> tuple[str, ...]:
    """Cut a file into statements: each ends with `;` at the end of a line; comments stand on lines of their own."""
    code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("--"))
    return tuple(part.strip() for part in code.split(";\n") if part.strip(" \n;"))


async def migrate(pools: Pools) -> list[str]:
    """Apply what is missing in each keyspace and return its names, as `keyspace/number_name`.

    Safe to repeat and to run twice at once. Raises FailedPreconditionError when a database is not a prefix of our
    changes, InternalError when MySQL refuses a statement, UnavailableError when it does not answer.
    """
    applied = []
    for keyspace in KEYSPACES:
        database = pools.of(keyspace)
        try:
            async with database.begun() as session:
                applied += await _migrate_keyspace(session, keyspace, database.dsn.database)
        except (pymysql.err.MySQLError, OSError, EOFError) as error:
            raise translate(error, keyspace) from error
    return applied


async def _migrate_keyspace(session: Transaction, keyspace: Keyspace, database: str) -> list[str]:
    lock = f"parley-migrate-{database}"
    if (await session.rows("SELECT GET_LOCK(%s, %s)", (lock, LOCK_WAIT_S)))[0][0] != 1:
        raise UnavailableError(f"another process has been changing {keyspace} for {LOCK_WAIT_S} s", subject=keyspace)
    try:
        # Not IF NOT EXISTS, which the driver answers with a warning on every start.
        if not await session.rows("SHOW TABLES LIKE 'schema_migrations'"):
            await session.execute(_TABLE)
        done = await session.rows("SELECT number, checksum, complete FROM schema_migrations ORDER BY number")
        known = migrations(keyspace)
        _check_prefix(keyspace, done, known)
        for migration in known[len(done) :]:
            await _apply(session, migration)
        return [f"{keyspace}/{m.number:04d}_{m.name}" for m in known[len(done) :]]
    finally:
        await session.execute("DO RELEASE_LOCK(%s)", (lock,))


async def _apply(session: Transaction, migration: Migration) -> None:
    """Run one change, noting first that it has begun: DDL cannot be rolled back."""
    row = (migration.number, migration.name, migration.checksum)
    await session.execute(
        "INSERT INTO schema_migrations (number, name, checksum, complete) VALUES (%s, %s, %s, 0)", row
    )
    await session.commit()
    for statement in migration.statements:
        await session.execute(statement)
    await session.execute("UPDATE schema_migrations SET complete = 1 WHERE number = %s", (migration.number,))
    await session.commit()


def _check_prefix(keyspace: Keyspace, done: Sequence[Sequence[object]], known: Sequence[Migration]) -> None:
    """Raise FailedPreconditionError unless what was applied is the beginning of what we know."""
    if len(done) > len(known):
        raise FailedPreconditionError(
            f"{keyspace}: the database has {len(done)} changes, this version knows {len(known)}; run a newer one",
            subject=keyspace,
            limit=len(known),
            actual=len(done),
        )
    for (number, checksum, complete), migration in zip(done, known, strict=False):
        if number != migration.number or checksum != migration.checksum:
            raise FailedPreconditionError(
                f"{keyspace}: change {number} was applied from another file than {migration.name};"
                " changes are never edited, add another",
                subject=keyspace,
            )
        if not complete:
            raise FailedPreconditionError(
                f"{keyspace}: change {number} failed half-way; repair it by hand, then set complete = 1 for it in"
                " schema_migrations (or, in a new database, drop its tables and that row)",
                subject=keyspace,
            )


async def check(pools: Pools) -> None:
    """Raise FailedPreconditionError, saying what to do, unless every keyspace is exactly at our last change."""
    for keyspace in KEYSPACES:
        known = migrations(keyspace)
        done = await _applied(pools.of(keyspace))
        _check_prefix(keyspace, done, known)
        if len(done) < len(known):
            raise FailedPreconditionError(
                f"{keyspace}: the database has {len(done)} of {len(known)} schema changes;"
                " apply them with: python -m svc.webapp.migrate",
                subject=keyspace,
                limit=len(known),
                actual=len(done),
            )


async def _applied(database: Database) -> Sequence[Sequence[object]]:
    try:
        return await database.rows("SELECT number, checksum, complete FROM schema_migrations ORDER BY number")
    except ParleyError as error:
        cause = error.__cause__
        if cause is not None and error_code(cause) == _NO_SUCH_TABLE:
            return []
        raise


async def _run(dsns: Mapping[Keyspace, Dsn]) -> list[str]:
    async with open_pools(dsns, SystemClock(), PoolLimits(statement_s=STATEMENT_S)) as pools:
        return await migrate(pools)


def main() -> None:
    """Apply what is missing; print what was applied. Exit 1 with one line when it cannot."""
    try:
        config = load(DsnConfig, os.environ, sys.argv[1:])
        applied = asyncio.run(_run(config.dsns()))
    except (ConfigError, ParleyError, ValueError) as error:
        sys.exit(f"migrate: {error}")
    for name in applied:
        sys.stdout.write(f"applied {name}\n")
    if not applied:
        sys.stdout.write("nothing to apply\n")


if __name__ == "__main__":
    main()
