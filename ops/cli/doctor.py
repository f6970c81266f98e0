"""`parley doctor`: look at everything that a mesh needs, and say what to do about what is not right."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from ops.cli.checkup import Finding, check_machine, check_mesh
from ops.cli.output import emit_json, health_colour, json_option, print_table
from ops.cli.target import var_option

HELP = """Check this machine and the mesh on it: Python, servers and their versions, ports, limits, the clock, disk
space, whether Consul, MySQL and memcached answer, and what edges hold. Each finding that is not ok says what to do.

Changes nothing. Exit code 1 when there is a problem; warnings do not count.

\b
Examples:
  parley doctor
  parley doctor --json | jq '.findings[] | select(.state != "ok")'
"""


@click.command("doctor", help=HELP)
@var_option
@json_option
def command(var: Path, *, as_json: bool) -> None:
    """Check everything."""
    findings = asyncio.run(_all(var))
    healthy = not any(finding.state == "problem" for finding in findings)
    if as_json:
        emit_json({"ok": healthy, "findings": [finding.as_dict() for finding in findings]})
    else:
        rows = [(finding.subject, finding.state, finding.detail) for finding in findings]
        print_table(("WHAT", "STATE", "DETAIL"), rows, health_colour)
        _print_advice(findings)
    raise SystemExit(0 if healthy else 1)


async def _all(var: Path) -> list[Finding]:
    return [*check_machine(var), *await check_mesh(var)]


def _print_advice(findings: list[Finding]) -> None:
    advice = [finding for finding in findings if finding.advice]
    print()
    if not advice:
        print("Nothing to do.")
    for finding in advice:
        print(f"{finding.subject}: {finding.advice}")
