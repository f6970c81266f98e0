"""Which databases, which workspace and which user a verb is about."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from ops.cli.output import CliError
from ops.cli.target import running_mesh
from ops.keyspaces import Workbench, workspace_rules
from ops.local.mariadb import KEYSPACES, Dsns
from svc.kit.errors import ParleyError
from svc.kit.ids import is_id
from svc.webapp.domain.refusal import Refused
from svc.webapp.domain.services import Services
from svc.webapp.files.config import FileConfig
from svc.webapp.store.rows import Team, User

FILES_VARIABLE = "PARLEY_WEBAPP_FILES_DIR"
DSN_VARIABLES = tuple(f"PARLEY_MYSQL_{name.upper()}_DSN" for name in KEYSPACES)


@asynccontextmanager
async def workbench_of(var: Path, *, with_files: bool = False) -> AsyncIterator[Workbench]:
    """Yield webapp's rules over the databases that the settings name, else those of the mesh that runs on `var`.

    `with_files`: files may be put into the installation's folder, which the settings name or which is the mesh's.
    Raises CliError for everything that goes wrong inside, in words for a person.
    """
    dsns, memcached_addrs = _databases(var)
    files = _files(var) if with_files else None
    try:
        async with workspace_rules(dsns, memcached_addrs, files) as bench:
            yield bench
    except Refused as refusal:
        raise CliError(f"Not allowed: {refusal.code}.", _reasons(refusal)) from refusal
    except ParleyError as error:
        raise CliError(error.message, "parley doctor looks further.") from error


def _reasons(refusal: Refused) -> str:
    """Return what the rules say of it beside its code, as the Web API tells in response_metadata."""
    metadata = refusal.extra.get("response_metadata")
    messages = metadata.get("messages", []) if isinstance(metadata, dict) else []
    return "; ".join(str(message).removeprefix("[ERROR] ") for message in messages)


def _databases(var: Path) -> tuple[Dsns, list[str]]:
    given = [os.environ.get(name, "") for name in DSN_VARIABLES]
    if all(given):
        addresses = os.environ.get("PARLEY_MEMCACHED_ADDRS", "").split(",")
        return Dsns(*given), [address.strip() for address in addresses if address.strip()]
    mesh = running_mesh(var)
    return Dsns(*(mesh.dsns[name] for name in DSN_VARIABLES)), mesh.memcached_addrs


def _files(var: Path) -> FileConfig:
    folder = os.environ.get(FILES_VARIABLE, "") or str(var / "files")
    if not Path(folder).is_dir():
        raise CliError(f"There is no folder for files at {folder}.", f"{FILES_VARIABLE} says where webapps keep them.")
    return FileConfig(directory=folder)


async def find_team(services: Services, domain: str) -> Team:
    """Return the workspace with this domain; with "", the only one, or the demo among several. Raises CliError."""
    teams = await services.workspaces.teams()
    if not domain and len(teams) == 1:
        return teams[0]
    wanted = domain or "demo"
    found = next((team for team in teams if wanted in (team.domain, team.id)), None)
    if found is None:
        known = ", ".join(team.domain for team in teams) or "none"
        raise CliError(f"There is no workspace {wanted!r}.", f"There are: {known}. Make one with: parley seed")
    return found


async def find_user(services: Services, team: Team, who: str) -> User:
    """Return a user of the workspace by id, `handle` or `@handle`. Raises CliError."""
    if is_id(who, "UW"):
        found = await services.workspaces.user(team.id, who)
    else:
        found = await services.workspaces.user_by_name(team.id, who.removeprefix("@"))
    if found is None:
        raise CliError(f"There is no user {who!r} in {team.name}.", "parley token list shows who is there.")
    return found
