"""The system servers that a mesh on this machine needs: Consul, MariaDB, memcached."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ops.setup.binaries import CONSUL, MARIADB, MEMCACHED, SERVERS, Server, is_external, missing
from ops.setup.console import Console, SetupError
from ops.setup.debian import Apt
from ops.setup.platforms import install_commands, is_debian, root_prefix

Lacks = Callable[[Server], list[str]]
"""Says which programs of a server this machine lacks."""


def ensure_servers(apt: Apt, console: Console, environ: Mapping[str, str], lacks: Lacks = missing) -> None:
    """Install what is neither on this machine nor configured as external. Raises SetupError."""
    wanted = [server for server in SERVERS if lacks(server) and not is_external(server, environ)]
    if not wanted:
        return
    _check_possible(wanted)
    installers: dict[Server, Callable[[], None]] = {
        CONSUL: apt.unpack_consul,
        MARIADB: lambda: _install_mariadb(apt),
        MEMCACHED: apt.unpack_memcached,
    }
    for server in wanted:
        console.begin(server.title)
        installers[server]()
        still = lacks(server)
        if still:
            hint = install_commands([server.title])
            raise SetupError(f"{server.title} was installed, yet {', '.join(still)} is not on PATH.", hint)
        console.done("ready")


def _check_possible(wanted: list[Server]) -> None:
    """Name everything that is missing in one go, rather than one thing a run, where nothing can be installed here."""
    titles = [server.title for server in wanted]
    outside = ", ".join(name for server in wanted for name in server.external)
    reason = f"{', '.join(titles)}: not on this machine, and needed to run a mesh on it."
    elsewhere = f"\nServers that run elsewhere can be used instead: set {outside}."
    if not is_debian():
        raise SetupError(
            f"{reason} They can be installed from here on Debian and Ubuntu only.{elsewhere}", _hint(titles)
        )
    if MARIADB in wanted and root_prefix() is None:
        raise SetupError(f"{reason} Installing needs root, and sudo is not available.{elsewhere}", _hint(titles))


def _hint(titles: list[str]) -> list[str]:
    return install_commands(titles)


def _install_mariadb(apt: Apt) -> None:
    packages = ["mariadb-server-core", "mariadb-client-core"]
    apt.install(packages, "MariaDB is missing.", install_commands(["MariaDB"]))
