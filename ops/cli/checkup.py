"""The single checks of `parley doctor`; each returns what it found and, where that is not right, what to do."""

from __future__ import annotations

import asyncio
import os
import platform
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from discovery.consul import ConsulClient
from discovery.view import service_name
from ops import search_instances
from ops.cli import edges
from ops.cli.databases import credentials, survey
from ops.local import memcached, state
from ops.local.ports import describe_owner, is_free
from ops.setup.binaries import MYSQLD, SERVERS, Server, find_program, is_external, missing
from ops.setup.platforms import install_commands
from svc.kit.errors import ParleyError

# A gateway holds one file for each client; the default of 1,024 is soon reached.
FILES_WANTED = 65_536
FILES_NEEDED = 1_024

DISK_NEEDED_BYTES = 1 << 30

# Tokens and tickets tell the time; a ticket lives for 30 s.
CLOCK_SKEW_S = 5.0

PROBE_TIMEOUT_S = 2.0

# Rights that read_only does not stop.
BROAD = re.compile(r"ALL PRIVILEGES ON \*\.\*|\bSUPER\b|READ[_ ]ONLY ADMIN")

DEFAULT_PORTS = ((8080, "Web API", "--http-port"), (8500, "Consul", "--consul-port"), (8090, "gateway", "--ws-port"))


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found: `state` is ok, warning or problem; `advice` is "" when there is nothing to do."""

    subject: str
    state: str
    detail: str
    advice: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return it for JSON."""
        return asdict(self)


def check_machine(var: Path) -> list[Finding]:
    """Look at what is there before anything runs."""
    findings = [_python(), *(_server(server) for server in SERVERS), _files(), _disk(var)]
    if state.load(var) is None:
        findings += [_port(*port) for port in DEFAULT_PORTS]
    return findings


async def check_mesh(var: Path) -> list[Finding]:
    """Look at the servers of the running mesh, or the external ones of the settings. Nothing when neither is there."""
    settings = _settings(var)
    findings: list[Finding] = []
    if "consul" in settings:
        findings += await _consul(settings["consul"])
    findings += await asyncio.gather(*(_mysql(name, settings[name]) for name in sorted(settings) if "MYSQL" in name))
    if "consul" in settings:
        findings += await _replication(settings["consul"], var)
        findings += await _edges(settings["consul"])
        findings += await _searches(settings["consul"])
    addresses = [address for address in settings.get("memcached", "").split(",") if address]
    findings += await asyncio.gather(*(_memcached(address) for address in addresses))
    return findings or [Finding("mesh", "ok", "none is running here")]


def _settings(var: Path) -> Mapping[str, str]:
    """Return where the servers are: the running mesh's word, overruled by the environment."""
    found: dict[str, str] = {}
    mesh = state.load(var)
    if mesh is not None:
        found = {"consul": mesh.consul_addr, "memcached": ",".join(mesh.memcached_addrs), **mesh.dsns}
    names = {"PARLEY_CONSUL_ADDR": "consul", "PARLEY_MEMCACHED_ADDRS": "memcached"}
    for variable in ("PARLEY_CONSUL_ADDR", "PARLEY_MEMCACHED_ADDRS", *SERVERS[1].external):
        if os.environ.get(variable):
            found[names.get(variable, variable)] = os.environ[variable]
    return found


def _python() -> Finding:
    """Name the Python; an older one than is needed cannot even get here."""
    return Finding("Python", "ok", f"{platform.python_version()} at {sys.executable}")


def _server(server: Server) -> Finding:
    if is_external(server, os.environ):
        return Finding(server.title, "ok", f"runs elsewhere ({', '.join(server.external)})")
    absent = missing(server)
    if absent:
        by_hand = " && ".join(install_commands([server.title]))
        return Finding(server.title, "problem", f"not found: {', '.join(absent)}", f"./parley bootstrap, or: {by_hand}")
    binary = find_program(server.programs[0])
    return Finding(server.title, "ok", f"{_version(server, str(binary))} at {binary}")


def _version(server: Server, binary: str) -> str:
    argument = "version" if server.title == "Consul" else "--version"
    try:
        said = subprocess.run([binary, argument], capture_output=True, text=True, timeout=PROBE_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"does not say its version ({type(error).__name__})"
    line = said.stdout.splitlines()[0] if said.stdout else "unknown version"
    return line.removeprefix(f"{binary}  ") if server.programs[0] == MYSQLD else line


def _files() -> Finding:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)  # parley up raises its own limit to this
    detail = f"at most {most} a process"
    if most < FILES_NEEDED:
        return Finding("open files", "problem", detail, f"ulimit -n {FILES_WANTED} in the shell that runs parley up.")
    if most < FILES_WANTED:
        return Finding("open files", "warning", detail, f"Enough to try; for many clients: ulimit -n {FILES_WANTED}")
    return Finding("open files", "ok", detail)


def _disk(var: Path) -> Finding:
    folder = next(each for each in (var.resolve(), *var.resolve().parents) if each.exists())
    free = shutil.disk_usage(folder).free
    detail = f"{free / (1 << 30):.1f} GiB free at {folder}"
    if not os.access(folder, os.W_OK):
        return Finding("disk", "problem", f"{folder} is not writable", "Choose another folder with --var FOLDER.")
    if free < DISK_NEEDED_BYTES:
        return Finding("disk", "warning", detail, "Make room, or choose another folder with --var FOLDER.")
    return Finding("disk", "ok", detail)


def _port(port: int, purpose: str, option: str) -> Finding:
    subject = f"port {port}"
    if is_free(port):
        return Finding(subject, "ok", f"free ({purpose})")
    advice = f"Stop it, or give parley up {option} PORT."
    return Finding(subject, "problem", f"taken by {describe_owner(port)} ({purpose})", advice)


async def _consul(address: str) -> list[Finding]:
    """Ask for the leader; the answer's date also tells how far apart our clocks are."""
    url = f"{address if '//' in address else f'http://{address}'}/v1/status/leader"
    timeout = aiohttp.ClientTimeout(total=PROBE_TIMEOUT_S)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as answer:
            leader = await answer.text()
            date = answer.headers.get("Date", "")
    except (aiohttp.ClientError, TimeoutError) as error:
        advice = "Start it, or correct PARLEY_CONSUL_ADDR. A running mesh goes on with its last view meanwhile."
        return [Finding("Consul answers", "problem", f"{address}: {type(error).__name__}", advice)]
    if answer.status != 200 or leader.strip() in ("", '""'):
        return [
            Finding("Consul answers", "problem", f"{address} has no leader", "See `consul operator raft list-peers`.")
        ]
    return [Finding("Consul answers", "ok", f"{address}, leader {leader.strip()}"), *_clock(date)]


def _clock(date: str) -> Iterator[Finding]:
    if date:
        skew_s = abs((datetime.now(UTC) - parsedate_to_datetime(date)).total_seconds())
        # The header has whole seconds, and a second passes easily.
        far = skew_s > CLOCK_SKEW_S
        advice = "Synchronise the clocks (chrony, systemd-timesyncd): tickets live for 30 s." if far else ""
        yield Finding("clock", "problem" if far else "ok", f"{skew_s:.0f} s apart from Consul's", advice)


async def _mysql(variable: str, dsn: str) -> Finding:
    import aiomysql

    parts = urlsplit(dsn)
    where = f"{parts.hostname}:{parts.port or 3306}{parts.path}"
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            connection = await aiomysql.connect(  # type: ignore[no-untyped-call]
                host=parts.hostname,
                port=parts.port or 3306,
                user=parts.username or "",
                password=parts.password or "",
                db=parts.path.lstrip("/"),
            )
            try:
                cursor = await connection.cursor()
                await cursor.execute("SELECT VERSION()")
                (version,) = await cursor.fetchone()
                await cursor.execute("SHOW GRANTS")
                grants = " ".join(grant for (grant,) in await cursor.fetchall())
            finally:
                connection.close()
    except (OSError, TimeoutError, aiomysql.Error) as error:
        return Finding(
            variable, "problem", f"{where}: {error or type(error).__name__}", f"Start it, or correct {variable}."
        )
    if BROAD.search(grants):
        advice = "Grant it its databases alone: with more, read_only does not stop it, and a failover cannot fence it."
        return Finding(variable, "warning", f"{where}, {version}; {parts.username} may do too much", advice)
    return Finding(variable, "ok", f"{where}, {version}")


async def _replication(consul_addr: str, var: Path) -> list[Finding]:
    """Look at the databases that have replicas; nothing where none has."""
    try:
        groups = await survey(consul_addr, credentials(var))
    except (ParleyError, ValueError) as error:
        return [Finding("replication", "problem", str(error), "Without Consul nobody knows which database is primary.")]
    findings = []
    for group in groups:
        subject = f"replication of {group.topology.primary}"
        wrong = [Finding(subject, "problem", str(alarm), alarm.advice) for alarm in group.alarms]
        replicas = ", ".join(group.topology.replicas)
        detail = f"replica {replicas} has everything, semi-synchronous" if replicas else "no replica runs"
        findings += wrong or [Finding(subject, "ok", detail)]
    return findings


async def _edges(consul_addr: str) -> list[Finding]:
    """Ask the edges of the mesh; nothing where there is none, or where Consul does not say."""
    try:
        async with ConsulClient(consul_addr) as consul:
            instances = (await consul.health.passing(service_name("edge"))).instances
    except ParleyError:
        return []  # said already, of Consul
    return [edge_finding(each) for each in await edges.survey(instances)]


async def _searches(consul_addr: str) -> list[Finding]:
    """Ask the search instances of the mesh; nothing where there is none, or where Consul does not say."""
    try:
        async with ConsulClient(consul_addr) as consul:
            instances = (await consul.health.passing(service_name("search"))).instances
    except ParleyError:
        return []
    return [search_finding(each) for each in await search_instances.survey(instances)]


def search_finding(shelf: search_instances.Shelf) -> Finding:
    """Say what a search instance holds, and whether it is kept up."""
    subject, info = f"search {shelf.instance.id}", shelf.info
    if info is None:
        return Finding(subject, "warning", "does not answer", f"Look at its log: var/log/{shelf.instance.id[:-7]}.log")
    detail = f"{info.documents} messages, {shelf.behind_s:.1f} s behind; {shelf.state}"
    if info.trouble:
        return Finding(subject, "problem", detail, "Make room, or look at its log; it goes on by itself.")
    return Finding(subject, "ok" if shelf.is_well else "warning", detail)


def edge_finding(held: edges.Held) -> Finding:
    """Say what an edge holds, and whether it could load what it was asked for."""
    subject, told = f"edge {held.instance.id}", held.describe()
    if held.metrics is None:
        return Finding(
            subject, "warning", "its metrics do not answer", "Boots go on without it, slower. Look at its log."
        )
    detail = f"{told['workspaces']} workspaces, {int(told['model_bytes'] or 0) / 1e6:.1f} MB"
    if told["load_failures"]:
        advice = "Its log says why; a workspace that it cannot load is served by webapps, slower."
        return Finding(subject, "warning", f"{detail}; {told['load_failures']} tries to load failed", advice)
    return Finding(subject, "ok", detail)


async def _memcached(address: str) -> Finding:
    if await memcached.answers(address):
        return Finding("memcached answers", "ok", address)
    return Finding("memcached answers", "warning", address, "Everything works without it, slower. Start it again.")
