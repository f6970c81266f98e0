"""What is wrong with a pair, and what speaks against a failover."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ops.database.alarms import Trouble, alarms
from ops.database.risks import Danger, risks
from ops.database.status import Reach, Status
from ops.database.topology import KEYSPACES, Topology, groups, key
from ops.database.watch import Watch
from svc.webapp.store.query import KEYSPACES as FOLLOWED
from svc.webapp.store.topology import key_of
from tests.ops.database.made import PRIMARY, REPLICA, TOPOLOGY, dead, primary, replica, replication, semi_sync

SAFE = Watch(at=100.0, sure_until=103.0, gone_by=100.5, position="0-1-10", is_whole=True)


def troubles(of: Status, follower: Status) -> set[Trouble]:
    """Return the kinds of alarm for a pair."""
    return {alarm.trouble for alarm in alarms(TOPOLOGY, {PRIMARY: of, REPLICA: follower})}


@pytest.mark.parametrize(
    ("of", "follower", "found"),
    [
        (primary(), replica(), set()),
        (dead(), replica(follows=replication(io_running=False)), {Trouble.PRIMARY_AWAY, Trouble.STOPPED}),
        (dead(Reach.SILENT), replica(), {Trouble.PRIMARY_AWAY}),
        (primary(read_only=True), replica(), {Trouble.PRIMARY_SHUT}),
        (primary(semi_sync=semi_sync(status=False)), replica(), {Trouble.ASYNC}),
        (primary(semi_sync=semi_sync(waits_without=False, clients=0)), replica(), {Trouble.ASYNC}),
        (primary(), Status(REPLICA, Reach.DEAD), {Trouble.REPLICA_AWAY}),
        (primary(), replica(read_only=False), {Trouble.REPLICA_OPEN}),
        (primary(), replica(replication=None), {Trouble.STOPPED}),
        (primary(), replica(follows=replication(sql_running=False, sql_error="1062")), {Trouble.STOPPED}),
        (primary(), replica(follows=replication(io_running=False, is_diverged=True)), {Trouble.DIVERGED}),
        (primary(), replica(follows=replication(behind_s=11.0)), {Trouble.LAGS}),
        (primary(), replica(follows=replace(replication(), source="10.0.0.9:1")), {Trouble.STOPPED}),
    ],
)
def test_alarms_name_what_is_wrong_and_nothing_else(of: Status, follower: Status, found: set[Trouble]) -> None:
    """A pair in order raises none."""
    assert troubles(of, follower) == found


def test_a_server_without_replicas_need_not_be_semi_synchronous() -> None:
    """There is nobody to wait for, and no alarm that nobody can end."""
    alone = Topology(1, PRIMARY)
    assert alarms(alone, {PRIMARY: primary(semi_sync=semi_sync(enabled=False))}) == ()


@pytest.mark.parametrize(
    ("of", "follower", "watch", "now", "found"),
    [
        # A live primary is fenced and waited for.
        (primary("0-1-500", semi_sync=semi_sync(status=False)), replica(), None, 101.0, set()),
        (dead(), replica(), SAFE, 900.0, set()),
        (dead(), replica(), None, 101.0, {Danger.UNREPLICATED}),
        (dead(), replica(), replace(SAFE, sure_until=0.0), 101.0, {Danger.UNREPLICATED}),
        (dead(), replica(), replace(SAFE, gone_by=103.5), 104.0, {Danger.UNREPLICATED}),
        (dead(Reach.SILENT), replica(), replace(SAFE, gone_by=0.0), 102.0, {Danger.NOT_KNOWN_DEAD}),
        (dead(), replica(replication=None), SAFE, 101.0, {Danger.NOT_FOLLOWING}),
        (dead(), replica(follows=replication(sql_running=False)), SAFE, 101.0, {Danger.CANNOT_APPLY}),
        (primary(), replica(follows=replication(is_diverged=True)), None, 101.0, {Danger.AHEAD}),
    ],
)
def test_risks_of_a_failover(of: Status, follower: Status, watch: Watch | None, now: float, found: set[Danger]) -> None:
    """Whatever may lose or break something is named; nothing else is in the way."""
    assert {risk.danger for risk in risks(of, follower, watch, now)} == found


def test_a_risk_says_how_many_transactions_are_known_to_be_missing() -> None:
    """Whoever forces it knows the price."""
    watch = replace(SAFE, sure_until=0.0, position="0-1-25")
    (risk,) = risks(dead(), replica("0-1-9", replication("0-1-10")), watch, 101.0)
    assert "15 transactions" in risk.detail


def test_a_topology_survives_the_kv_and_only_a_topology_does() -> None:
    """Whatever is wrong with a value is an error, not a primary."""
    lossy = TOPOLOGY.promoted(REPLICA, is_lossy=True)
    assert Topology.parse(TOPOLOGY.encode()) == TOPOLOGY
    assert Topology.parse(lossy.encode()) == lossy
    assert [key(keyspace) for keyspace in KEYSPACES] == [key_of(keyspace) for keyspace in FOLLOWED]
    for wrong in (b"", b"[]", b'{"epoch": 1}', b'{"epoch": "1", "primary": "a:1"}', b'{"epoch": 1, "primary": "a"}'):
        with pytest.raises(ValueError):
            Topology.parse(wrong)


def test_a_promotion_exchanges_the_two_and_raises_the_epoch() -> None:
    """The old primary is a replica from then on, dead or not."""
    assert TOPOLOGY.promoted(REPLICA) == Topology(4, REPLICA, (PRIMARY,))


def test_keyspaces_on_one_server_belong_together() -> None:
    """They can only move together."""
    other = Topology(1, "10.0.0.5:3306")
    assert groups({"workspace": TOPOLOGY, "channel": other, "user": TOPOLOGY}) == {
        PRIMARY: ("workspace", "user"),
        "10.0.0.5:3306": ("channel",),
    }
