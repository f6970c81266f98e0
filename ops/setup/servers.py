"""The system servers that a mesh on this machine needs: Consul, MariaDB, memcached."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ops.setup.binaries import CONSUL, MARIADB, MEMCACHED, SERVERS, Server, find_program, is_external, missing
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
        console.done(str(find_program(server.programs[0])))


def _check_possible(wanted: list[Server]) -> None:
    """Name everything that cannot be had here in one go, rather than one thing a run."""
    if not is_debian():
        blocked, why = wanted, "Servers can be installed from here on Debian and Ubuntu only."
    elif MARIADB in wanted and root_prefix() is None:
        blocked, why = [MARIADB], "Installing it needs root, and sudo is not available."
    else:
        return
    titles = [server.title for server in blocked]
    outside = ", ".join(name for server in blocked for name in server.external)
    raise SetupError(
        f"{', '.join(titles)}: not on this machine, and needed to run a mesh on it. {why}\n"
        f"One that runs elsewhere can be used instead: set {outside}.",
        install_commands(titles),
    )


def _install_mariadb(apt: Apt) -> None:
    packages = ["mariadb-server-core", "mariadb-client-core"]
    apt.install(packages, "MariaDB is missing.", install_commands(["MariaDB"]))
