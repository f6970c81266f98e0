"""`parley chaos` as a person types it, without running anything."""

from __future__ import annotations

import json

from click.testing import CliRunner

from ops.chaos.scenarios import SCENARIOS
from ops.cli.chaos import command


def test_the_list_names_every_scenario() -> None:
    """For people and for programs."""
    shown = CliRunner().invoke(command, ["list"])
    assert shown.exit_code == 0
    assert all(name in shown.output for name in SCENARIOS)
    listed = json.loads(CliRunner().invoke(command, ["list", "--json"]).output)
    assert [each["name"] for each in listed] == list(SCENARIOS)


def test_an_unknown_scenario_is_wrong_usage_and_the_known_ones_are_named() -> None:
    """Nothing is started."""
    shown = CliRunner().invoke(command, ["run", "kill-everything"])
    assert shown.exit_code == 2
    assert "kill-any" in shown.output
