"""Where the system servers are: PATH first, then the places that Debian and this project use."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# What bootstrap unpacks for this checkout alone; kept out of var/ so that deleting the data costs no download.
PRIVATE_BIN = ROOT / ".local" / "bin"

# Debian keeps servers in sbin folders, which an ordinary user's PATH lacks.
EXTRA_PATH = ("/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/libexec", "/usr/local/bin", "/usr/bin", str(PRIVATE_BIN))


@dataclass(frozen=True, slots=True)
class Server:
    """One system server: each inner tuple is a needed program under any of its names.

    `external` names the settings that make an embedded copy needless when all of them are set.
    """

    title: str
    programs: tuple[tuple[str, ...], ...]
    external: tuple[str, ...]


MYSQLD = ("mariadbd", "mysqld")
INSTALL_DB = ("mariadb-install-db", "mysql_install_db")

CONSUL = Server("Consul", (("consul",),), ("PARLEY_CONSUL_ADDR",))
MARIADB = Server(
    "MariaDB",
    (MYSQLD, INSTALL_DB, ("my_print_defaults",)),
    ("PARLEY_MYSQL_WORKSPACE_DSN", "PARLEY_MYSQL_CHANNEL_DSN", "PARLEY_MYSQL_USER_DSN"),
)
MEMCACHED = Server("memcached", (("memcached",),), ("PARLEY_MEMCACHED_ADDRS",))
SERVERS = (CONSUL, MARIADB, MEMCACHED)


def find_program(names: tuple[str, ...], path: str | None = None) -> Path | None:
    """Return the first program of `names` on PATH (or `path`), then in the extra folders; None when there is none."""
    first = os.environ.get("PATH", os.defpath) if path is None else path
    for search in (first, os.pathsep.join(EXTRA_PATH)):
        for name in names:
            found = shutil.which(name, path=search)
            if found:
                return Path(found)
    return None


def is_oracle_mysql(mysqld: Path) -> bool:
    """Say whether `mysqld` is MySQL itself, which makes its data folder without helpers; MariaDB's is a link."""
    return mysqld.resolve().name == "mysqld"


def missing(server: Server, path: str | None = None) -> list[str]:
    """Return the programs of `server` that are nowhere to be found (their first names)."""
    if server is MARIADB:
        mysqld = find_program(MYSQLD, path)
        if mysqld is not None and is_oracle_mysql(mysqld):
            return []
    return [names[0] for names in server.programs if find_program(names, path) is None]


def is_external(server: Server, environ: Mapping[str, str]) -> bool:
    """Say whether the settings point at a server that runs elsewhere, so that none is needed here."""
    return all(environ.get(name) for name in server.external)
