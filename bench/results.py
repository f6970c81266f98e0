"""What benchmarks found: kept in results.json, one entry a benchmark, and written for people as RESULTS.md.

A benchmark that is run again replaces its entry, and no other; one that fails leaves the figures that were there, with
what it failed with beside them.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.fanout_peers import debian, node
from ops.setup.binaries import MYSQLD, ROOT, find_program
from ops.setup.node import find_node

__all__ = ["FOLDER", "Entry", "load", "machine", "markdown", "save", "versions"]

FOLDER = Path(__file__).parent
KEPT, SHOWN = "results.json", "RESULTS.md"
LIBRARIES = ("grpcio", "protobuf", "uvloop", "picows", "uvicorn", "aiomysql", "orjson", "tantivy")
SERVERS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "MariaDB": (MYSQLD, "--version"),
    "memcached": (("memcached",), "-V"),
    "Consul": (("consul",), "version"),
}
PEERS: Mapping[str, str] = {"nats-server": "--version", "nginx": "-v"}
PROBE_TIMEOUT_S = 5.0

COMMON = ("bench", "date", "machine", "python", "ok")
"""Of every result, and said above its figures."""
INTRODUCTION = (
    "Written by `parley bench all`; the sources beside this page say how each is measured. One machine has all that is "
    "measured, and the load: compare figures with each other, not with those of a machine for each part."
)

Entry = dict[str, Any]
"""`what`, `date`, `machine`, `versions`, `is_quick`, `result`, `failure`: what was run, where, and what came of it."""


def load(folder: Path = FOLDER) -> dict[str, Entry]:
    """Return what is kept, by benchmark."""
    kept = folder / KEPT
    return dict(json.loads(kept.read_text())) if kept.exists() else {}


def save(entries: Mapping[str, Entry], folder: Path = FOLDER) -> None:
    """Keep the entries, and show them with the pictures that there are in the folder's `plots`."""
    (folder / KEPT).write_text(json.dumps(entries, indent=1) + "\n")
    pictures = {path.stem: f"plots/{path.name}" for path in sorted((folder / "plots").glob("*.png"))}
    (folder / SHOWN).write_text(markdown(entries, pictures))


def machine() -> str:
    """Return what this machine is, in a line."""
    models = [line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    memory = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal:")), 0)
    cores = len(os.sched_getaffinity(0))
    name = models[0] if models else platform.machine()
    return f"{cores} cores of {name}, {memory / (1 << 20):.0f} GiB, {platform.system()} {platform.release()}"


def versions() -> dict[str, str]:
    """Return the versions of what was measured."""
    found = {"Python": platform.python_version()}
    for name, (programs, argument) in SERVERS.items():
        binary = find_program(programs)
        if binary is not None:
            found[name] = _said(str(binary), argument)
    for name, argument in PEERS.items():
        binary = debian.find(name)
        if binary is not None:
            found[name] = _said(str(binary), argument)
    javascript = find_node(ROOT)
    if javascript is not None:
        found["Node.js"] = _said(str(javascript.program), "--version")
    return found | node.versions() | {name: version(name) for name in LIBRARIES}


def markdown(entries: Mapping[str, Entry], plots: Mapping[str, str]) -> str:
    """Return the page: a table of all benchmarks, then each one's figures."""
    head = [
        "# Results",
        "",
        INTRODUCTION,
        "",
        "| benchmark | what | bars | measured |",
        "| --- | --- | --- | --- |",
        *(
            f"| [{name}](#{name}) | {entry['what']} | {_verdict(entry)} | {_when(entry)} |"
            for name, entry in entries.items()
        ),
    ]
    return (
        "\n".join([*head, *(line for name, entry in entries.items() for line in _section(name, entry, plots))]) + "\n"
    )


def _section(name: str, entry: Entry, plots: Mapping[str, str]) -> Iterator[str]:
    yield from ("", f"## {name}", "", f"{entry['what'].capitalize()}.", "")
    if name in plots:
        yield from (f'<img src="{plots[name]}" alt="{name}" width="640">', "")
    if entry.get("failure"):
        yield from (f"The last run failed: {entry['failure']}", "")
    result = entry.get("result")
    if result is None:
        return
    quick = " Quick: smaller and shorter than usual." if entry.get("is_quick") else ""
    with_versions = ", ".join(f"{part} {number}" for part, number in entry["versions"].items())
    yield from (
        f"{entry['date']}, {entry['machine']}. {with_versions}.{quick}",
        "",
        "| figure | value |",
        "| --- | --- |",
    )
    yield from (f"| {path} | {_cell(value)} |" for path, value in _flat(result) if path not in COMMON)
    for path, rows in _tables(result):
        columns = list(dict.fromkeys(column for row in rows.values() for column, _ in _flat(row)))
        yield from ("", f"| {path} | {' | '.join(columns)} |", f"| --- |{' --- |' * len(columns)}")
        for key, row in rows.items():
            cells = dict(_flat(row))
            yield f"| {key} | {' | '.join(_cell(cells.get(column, '')) for column in columns)} |"


def _flat(value: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield what is no table, by its path."""
    for key, inner in value.items():
        name = f"{path}.{key}" if path else str(key)
        if not isinstance(inner, Mapping):
            yield name, inner
        elif not _is_table(inner):
            yield from _flat(inner, name)


def _tables(value: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield what is a table: several things, with the same figures of each."""
    for key, inner in value.items():
        name = f"{path}.{key}" if path else str(key)
        if isinstance(inner, Mapping) and _is_table(inner):
            yield name, inner
        elif isinstance(inner, Mapping):
            yield from _tables(inner, name)


def _is_table(value: Mapping[str, Any]) -> bool:
    """Say whether these are rows: two or more, of figures, without rows in them, and alike but for what has failed."""
    rows = [row for row in value.values() if isinstance(row, Mapping)]
    if len(rows) < max(2, len(value)) or any(map(_has_tables, rows)):
        return False
    names = [set(row) for row in rows if "failed" not in row]
    return bool(names) and all(names[0] & each for each in names) and not any(map(_is_nested, rows))


def _has_tables(row: Mapping[str, Any]) -> bool:
    return any(_is_table(inner) for inner in row.values() if isinstance(inner, Mapping))


def _is_nested(row: Mapping[str, Any]) -> bool:
    """Say whether there are no figures but further down."""
    return all(isinstance(inner, Mapping) for inner in row.values())


def _cell(value: object) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(_cell, value)) or "none"
    return (f"{value:,}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)).replace(
        "|", "/"
    )


def _verdict(entry: Entry) -> str:
    if entry.get("failure"):
        return "failed"
    result = entry.get("result") or {}
    return "none" if "bars" not in result else "met" if result.get("ok") else "**missed**"


def _when(entry: Entry) -> str:
    return (
        f"{entry['date']}{', quick' if entry.get('is_quick') else ''}" if entry.get("result") is not None else "never"
    )


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def _said(binary: str, argument: str) -> str:
    try:
        done = subprocess.run([binary, argument], capture_output=True, text=True, timeout=PROBE_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    words = (done.stdout or done.stderr).split("\n")[0].replace("/", " ").split()
    return next((word.strip("v,") for word in words if word.strip("v")[:1].isdigit()), "unknown")
