"""The operator's view of a pair of databases: status, doctor and failover as processes beside the mesh."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.ops.database.pairs import Pair, pair

pytestmark = pytest.mark.mesh

PROGRAM = str(Path(sys.executable).parent / "parley")


async def parley(found: Pair, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Run a verb with --json; return its exit code and what it said."""
    argv = (PROGRAM, *arguments, "--json", "--var", str(found.mesh.spec.var))
    process = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    said: dict[str, Any] = json.loads(out)
    return process.returncode or 0, said


def alarms(said: dict[str, Any]) -> set[str]:
    """Return the alarms of `parley status`."""
    return {each["alarm"] for each in said["alarms"]}


async def test_an_operator_sees_the_pair_fails_over_and_sees_the_difference(tmp_path: Path) -> None:
    """Look, dry run, do it, look again; then lose a server, and see the alarm."""
    async with pair(tmp_path) as found:
        _, before = await parley(found, "status")
        assert [each["role"] for each in before["databases"]] == ["primary", "replica"]
        assert before["databases"][0]["semi-sync"] == "on"
        assert alarms(before) == set()
        code, planned = await parley(found, "failover", "--dry-run")
        assert (code, planned["risks"]) == (0, [])
        assert found.primary == "mariadb"

        code, done = await parley(found, "failover")
        assert (code, done["ok"], done["to"]) == (0, True, before["databases"][1]["database"])
        assert done["took_s"] < 5.0
        await found.heard("mariadb-2 at")
        await found.mesh.databases.paired()
        _, after = await parley(found, "status")
        assert [each["database"] for each in after["databases"]] == [done["to"], done["from"]]
        assert alarms(after) == set()

        await found.mesh.stop(found.replica)
        code, lost = await parley(found, "status")
        assert code == 1
        assert "replica_away" in alarms(lost)
        code, refused = await parley(found, "failover")
        assert (code, refused["ok"]) == (1, False)
        assert "cannot take over" in refused["error"]
        _, found_by_doctor = await parley(found, "doctor")
        problems = [each for each in found_by_doctor["findings"] if each["subject"].startswith("replication")]
        assert any(each["state"] == "problem" and each["advice"] for each in problems)


async def test_a_refused_failover_lists_its_risks_for_programs(tmp_path: Path) -> None:
    """A script can tell a hung primary from lost writes."""
    async with pair(tmp_path) as found:
        async with found.mesh.databases.node(found.replica).session() as session:
            await session.run("STOP SLAVE SQL_THREAD")
        code, refused = await parley(found, "failover")
        assert code == 1
        assert [each["danger"] for each in refused["risks"]] == ["replica_cannot_apply"]
        assert refused["hint"]
