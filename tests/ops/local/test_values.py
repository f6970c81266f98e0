"""Names, zones and counts of a mesh; what Consul's answers mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from discovery.view import Instance
from ops.cli.output import CliError
from ops.cli.up import external
from ops.local.accounts import unprivileged
from ops.local.catalog import Listed, _parse
from ops.local.errors import readable
from ops.local.spec import DEFAULT_COUNTS, counts, next_name, none, places


def test_instances_are_dealt_to_the_zones_in_turn() -> None:
    """Two of a tier are in two zones; the third is the second of the first zone."""
    assert places("channel", 3, ("az1", "az2")) == [
        ("channel-az1-1", "az1"),
        ("channel-az2-1", "az2"),
        ("channel-az1-2", "az1"),
    ]


def test_an_added_instance_takes_the_first_free_number() -> None:
    """A name that is in the mesh, running or not, is taken."""
    assert next_name("edge", "az1", {"edge-az1-1", "edge-az1-3"}) == "edge-az1-2"
    assert next_name("edge", "az2", {"edge-az1-1"}) == "edge-az2-1"


def test_counts_change_the_default_and_none_starts_from_nothing() -> None:
    """Tests start only what they look at."""
    assert counts(channel=5) == {**DEFAULT_COUNTS, "channel": 5}
    assert none(admin=1) == {**dict.fromkeys(DEFAULT_COUNTS, 0), "admin": 1}
    with pytest.raises(ValueError, match="no such tier: chanel"):
        counts(chanel=1)


def test_a_listed_instance_keeps_its_name_over_restarts() -> None:
    """The last six hex digits of an id are the start; the rest is the name."""
    listed = Listed(Instance(id="channel-az1-1-0af3c9", tier="channel", address="127.0.0.1:1"), "passing")
    assert listed.name == "channel-az1-1"
    assert listed.started == 0.0
    assert Listed(Instance(id="memcached-az1-1", tier="memcached", address="h:1"), "passing").name == "memcached-az1-1"


def test_the_worst_check_is_the_health() -> None:
    """A passing service on a failing node is not passing."""
    service = {"ID": "edge-az1-1-000000", "Service": "parley-edge", "Address": "127.0.0.1", "Port": 7, "Meta": {}}
    entry = {"Service": service, "Checks": [{"Status": "passing"}, {"Status": "critical"}]}
    (listed,) = _parse([entry])
    assert listed.health == "critical"
    (listed,) = _parse([{"Service": service, "Checks": []}])
    assert listed.health == "passing"


def test_external_servers_come_from_the_settings() -> None:
    """All three DSNs or none; memcached is a list."""
    dsns = {f"PARLEY_MYSQL_{name}_DSN": f"mysql://h/{name}" for name in ("WORKSPACE", "CHANNEL", "USER")}
    found = external({**dsns, "PARLEY_CONSUL_ADDR": "c:8500", "PARLEY_MEMCACHED_ADDRS": "m1:11211, m2:11211"})
    assert found["consul_addr"] == "c:8500"
    assert found["dsns"].environ() == dsns
    assert found["memcached_addrs"] == ("m1:11211", "m2:11211")
    assert external({}) == {"consul_addr": "", "dsns": None, "memcached_addrs": (), "environ": {}}
    assert external({"PARLEY_WEBAPP_RATE_LIMITS": "slack", "PARLEY_ZONE": "x"})["environ"] == {
        "PARLEY_WEBAPP_RATE_LIMITS": "slack"
    }
    with pytest.raises(CliError, match="PARLEY_MYSQL_USER_DSN is not"):
        external({name: dsn for name, dsn in dsns.items() if "USER" not in name})


def test_a_server_stays_with_root_where_only_root_may_enter(tmp_path: Path) -> None:
    """Pytest's folders are closed to others, as /root is; no account could open a program in there."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    assert unprivileged(("nobody",), (closed / "data",)) == ""


def test_a_tiers_log_lines_are_shown_as_sentences() -> None:
    """A start that fails shows the reason, not a line of JSON; other servers' lines stay as they are."""
    line = '{"level": "critical", "message": "stopped", "exception": "Traceback:\\n  boom"}'
    assert readable(line) == ["critical: stopped", "Traceback:", "  boom"]
    assert readable("2026-01-01 [ERROR] Aborting") == ["2026-01-01 [ERROR] Aborting"]
    assert readable("[1]") == ["[1]"]
