"""Every statement that the stores send goes to the shards that it names, as VTGate would see it."""

from __future__ import annotations

import asyncio
import inspect
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest

from svc.kit.clock import SystemClock
from svc.webapp.commit.committer import CommitterLimits, run_committer
from svc.webapp.store import commit
from svc.webapp.store.lanes import lane_of
from svc.webapp.store.pools import Database, Pools, open_pools
from svc.webapp.store.query import KEYSPACES, Keyspace, Query, query_of
from tests.svc.webapp.store.samples import STORES, calls, writes
from tests.svc.webapp.store.vitess import Shape, VSchema, explain, lookup_tables, schema_complaints, shard_of
from tests.svc.webapp.store.wiretap import Sent, Wiretap, wiretap

SHARDS = 16
VSCHEMAS = {keyspace: VSchema.load(keyspace) for keyspace in KEYSPACES}

SEVERAL_SHARDS_WRITTEN = {
    "UserStore.unmention": "half of those of a removed message are completed by the sweepers, which repeat the effect",
    "UserStore.mention": "half of the mentions of a message are completed by the sweepers, which repeat the effect",
    "OutboxStore.delete_writes_effects": "deletions of what was done: what is left of them is done again",
    "OutboxStore.delete_events": "deletions of what was published: half of them done leaves rows that are sent again",
    "Bulk.add_conversations": "seeding, which is repeated as a whole when it was interrupted",
    "Bulk.add_members": "seeding, which is repeated as a whole when it was interrupted",
    "Bulk.add_member_rows": "seeding, which is repeated as a whole when it was interrupted",
    "Bulk.add_memberships": "seeding, which is repeated as a whole when it was interrupted",
    "Bulk.add_log": "seeding, which is repeated as a whole when it was interrupted",
    "Bulk.add_mentions": "seeding, which is repeated as a whole when it was interrupted",
    "Bulk.add_prefs": "seeding, which is repeated as a whole when it was interrupted",
}
"""Methods whose one statement may write on several shards, each of which commits by itself; and why half is no harm."""

SILENT = frozenset({"ChannelStore.quiet"})
"""Asks nothing without a replica; see test_replicas."""

SEVERAL_KEYSPACES = frozenset({"Bulk.add_conversations", "Bulk.add_members"})


@dataclass
class Judge:
    """Goes through what was sent on behalf of one method and says what is wrong."""

    mark: Query
    may_write_several: bool = False
    keyspaces: tuple[Keyspace, ...] = ()
    complaints: list[str] = field(default_factory=list)
    _open: dict[int, set[str]] = field(default_factory=dict)
    """By connection: keys of the transaction under way."""

    def judge(self, sent: Sequence[Sent]) -> list[str]:
        """Return what is wrong, as `<complaint>: <statement>`."""
        for one in sent:
            match one.sql.upper():
                case "BEGIN":
                    self._open[one.connection] = set()
                case "COMMIT" | "ROLLBACK":
                    self._open.pop(one.connection, None)
                case _:
                    self.complaints += [f"{complaint}: {one.sql[:200]}" for complaint in self._statement(one)]
        return self.complaints

    def _statement(self, one: Sent) -> list[str]:
        visit = explain(one.sql, VSCHEMAS[one.keyspace])
        complaints = visit.complaints
        if one.keyspace not in (self.keyspaces or (self.mark.keyspace,)):
            complaints.append(f"the {one.keyspace} keyspace")
        if self.mark.scatter:
            return complaints
        if visit.keys is None:
            return [*complaints, "asks every shard"]
        shards = {shard_of(key, SHARDS) for key in visit.keys}
        if one.connection in self._open:
            self._open[one.connection] |= visit.keys
            if len({shard_of(key, SHARDS) for key in self._open[one.connection]}) > 1:
                complaints.append("a transaction over several shards")
        elif visit.writes and len(shards) > 1 and not self.may_write_several:
            complaints.append("a write on several shards")
        return complaints


@pytest.fixture
async def tapped(pools: Pools) -> AsyncIterator[tuple[Wiretap, Pools]]:
    """Pools that are listened to."""
    async with wiretap({keyspace: pools.of(keyspace).dsn for keyspace in KEYSPACES}) as (tap, dsns):
        async with open_pools(dsns, SystemClock()) as listened:
            yield tap, listened


@pytest.mark.mesh
async def test_no_hot_statement_asks_every_shard(tapped: tuple[Wiretap, Pools]) -> None:
    """All statements of all methods, as they were sent to a real server."""
    tap, pools = tapped
    complaints: dict[str, list[str]] = {}
    seen = 0
    for name, samples in calls(pools).items():
        store, method = name.split(".")
        mark = query_of(getattr(next(each for each in STORES if each.__name__ == store), method))
        assert mark is not None, name
        for sample in samples:
            await sample()
            sent = tap.take()
            assert sent or name in SILENT, f"{name} sent nothing"
            seen += len(sent)
            judge = Judge(mark, name in SEVERAL_SHARDS_WRITTEN, KEYSPACES if name in SEVERAL_KEYSPACES else ())
            complaints.setdefault(name, []).extend(judge.judge(sent))
    assert {name: found for name, found in complaints.items() if found} == {}
    assert seen > 60


def test_every_method_of_a_store_has_a_sample(pools: Pools) -> None:
    """A new method is not missed."""
    public = {
        f"{store.__name__}.{name}"
        for store in STORES
        for name, _ in inspect.getmembers(store, inspect.isfunction)
        if not name.startswith("_")
    }
    assert set(calls(pools)) == public


async def committed(tap: Wiretap, database: Database, lanes: int) -> list[Sent]:
    """Commit the sample writes together and return what was sent."""
    limits = CommitterLimits(lanes=lanes)
    async with run_committer(database, lambda _: None, SystemClock(), random.Random(1), limits) as committer:
        for batch in ([writes()[0]], writes()):
            await asyncio.gather(*(committer.commit(write) for write in batch))
    return tap.take()


@pytest.mark.mesh
async def test_a_group_commit_stays_on_one_shard(tapped: tuple[Wiretap, Pools]) -> None:
    """With a lane a shard, whatever the channels; and every statement of a commit was seen."""
    tap, pools = tapped
    sent = await committed(tap, pools.channel, SHARDS)
    assert Judge(Query("channel")).judge(sent) == []
    text = "\n".join(one.sql for one in sent)
    # What each function of the module writes or reads.
    for part in ("FOR UPDATE", "FROM requests", "FROM members", "INTO log", "INTO threads", "INTO effects"):
        assert part in text
    for part in (
        "INTO outbox",
        "INTO messages",
        "INTO members",
        "DELETE FROM members",
        "UPDATE conversations",
        "UNION",
    ):
        assert part in text
    assert len([name for name in commit.__all__ if callable(getattr(commit, name))]) == 3


@pytest.mark.mesh
async def test_the_check_sees_a_group_commit_over_shards(tapped: tuple[Wiretap, Pools]) -> None:
    """One lane for all shards is what the check is there to find."""
    tap, pools = tapped
    complaints = Judge(Query("channel")).judge(await committed(tap, pools.channel, 1))
    assert {complaint.split(":")[0] for complaint in complaints} == {"a transaction over several shards"}


@pytest.mark.parametrize("shards", [1, 2, 4, 8, 16])
def test_a_lane_is_within_one_shard(shards: int) -> None:
    """Also while a shard is split: lanes are as many or twice, four times as many."""
    ids = [f"C{number:010d}" for number in range(5_000)]
    for lanes in (shards, shards * 2, shards * 4):
        shards_of_lane: dict[int, set[int]] = {}
        for channel_id in ids:
            shards_of_lane.setdefault(lane_of(channel_id, lanes), set()).add(shard_of(channel_id, shards))
        assert set(shards_of_lane) == set(range(lanes))
        assert all(len(found) == 1 for found in shards_of_lane.values())


SCHEMA = """SELECT c.table_name, c.column_name, COALESCE(c.collation_name, ''), c.extra LIKE '%%auto_increment%%'
 FROM information_schema.columns AS c WHERE c.table_schema = DATABASE()"""
UNIQUE = """SELECT table_name, index_name, column_name FROM information_schema.statistics
 WHERE table_schema = DATABASE() AND non_unique = 0 ORDER BY table_name, index_name, seq_in_index"""


async def shapes(database: Database) -> dict[str, Shape]:
    """Return the tables as they really are."""
    unique: dict[str, dict[str, list[str]]] = {}
    for table, index, column in await database.rows(UNIQUE):
        unique.setdefault(table, {}).setdefault(index, []).append(column)
    columns: dict[str, dict[str, str]] = {}
    counted = set()
    for table, column, collation, is_counted in await database.rows(SCHEMA.replace("%%", "%")):
        columns.setdefault(table, {})[column] = collation
        if is_counted:
            counted.add(table)
    return {
        table: Shape(found, tuple(tuple(key) for key in unique.get(table, {}).values()), table in counted)
        for table, found in columns.items()
    }


# Without the email the column is the same: it is generated from `email`, and unique in its team.
@pytest.mark.mesh
@pytest.mark.parametrize("keyspace", KEYSPACES)
async def test_the_vschema_fits_the_tables(pools: Pools, keyspace: Keyspace) -> None:
    """None is missing on either side, and what is unique is so over all shards."""
    found = await shapes(pools.of(keyspace))
    assert schema_complaints(VSCHEMAS[keyspace], found, lookup_tables(keyspace)) == []


CHANNELS = VSCHEMAS["channel"]
PLANTED = [
    ("SELECT 1 FROM log WHERE commit_us < 5", "asks every shard"),
    ("SELECT 1 FROM log WHERE `offset` = 5 AND event = 'channel_id'", "asks every shard"),
    ("SELECT 1 FROM log WHERE channel_id > 'C1'", "asks every shard"),
    ("SELECT 1 FROM log WHERE channel_id <> 'C1'", "asks every shard"),
    ("SELECT 1 FROM log WHERE NOT channel_id = 'C1'", "asks every shard"),
    ("SELECT 1 FROM log WHERE channel_id LIKE 'C1%'", "asks every shard"),
    ("SELECT 1 FROM log WHERE LOWER(channel_id) = 'c1'", "asks every shard"),
    ("SELECT 1 FROM log WHERE channel_id = event", "asks every shard"),
    ("SELECT 1 FROM log WHERE channel_id NOT IN ('C1')", "asks every shard"),
    ("SELECT 1 FROM log WHERE channel_id = 'C1' OR `offset` = 5", "asks every shard"),
    ("SELECT 1 FROM log WHERE (channel_id = 'C1' AND `offset` = 5) OR (channel_id = 'C2')", "asks every shard"),
    ("SELECT 1 FROM conversations WHERE team_id = 'T1'", "asks every shard"),
    ("(SELECT 1 FROM log WHERE channel_id = 'C1') UNION ALL (SELECT 1 FROM log WHERE `offset` = 1)", "every shard"),
    ("SELECT channel_id FROM heads ORDER BY channel_id FOR UPDATE", "FOR UPDATE on every shard"),
    ("SELECT kind, COUNT(*) FROM conversations GROUP BY kind", "GROUP BY on every shard"),
    ("SELECT kind, COUNT(*) FROM conversations GROUP BY kind, name", "GROUP BY on every shard"),
    ("UPDATE heads SET last_offset = 1", "asks every shard"),
    ("DELETE FROM heads WHERE last_offset = 1 LIMIT 5", "LIMIT on every shard"),
    ("DELETE FROM log WHERE channel_id IN ('C1', 'C2')", "a write on several shards"),
    ("INSERT INTO heads (last_offset, last_ts_us) VALUES (1, 2)", "INSERT without channel_id"),
    ("INSERT INTO heads VALUES ('C1', 1, 2)", "without a list of columns"),
    ("INSERT INTO heads (channel_id, last_offset) VALUES ('C1', 1), ('C2', 2)", "a write on several shards"),
    ("INSERT INTO heads (channel_id, last_offset) VALUES (CONCAT('C', '1'), 1)", "asks every shard"),
    (
        "INSERT INTO heads (channel_id, last_offset) VALUES ('C1', 1) ON DUPLICATE KEY UPDATE channel_id = 'C2'",
        "assigns channel_id",
    ),
    (
        "INSERT INTO heads (channel_id, last_offset) VALUES ('C1', 1) ON DUPLICATE KEY UPDATE channel_id = channel_id",
        "assigns channel_id",
    ),
    ("UPDATE heads SET channel_id = 'C2' WHERE channel_id = 'C1'", "changes channel_id"),
    ("SELECT 1 FROM heads JOIN log ON log.`offset` = heads.last_offset WHERE heads.channel_id = 'C1'", "a join"),
    ("SELECT 1 FROM heads JOIN log ON log.channel_id = heads.channel_id WHERE last_offset = 1", "asks every shard"),
    ("SELECT 1 FROM heads LEFT JOIN log ON log.channel_id = heads.channel_id WHERE heads.channel_id = 'C1'", "a join"),
    ("SELECT 1 FROM heads JOIN log ON log.channel_id = heads.channel_id OR 1 WHERE heads.channel_id = 'C1'", "a join"),
    ("SELECT 1 FROM heads JOIN conversations ON id = heads.channel_id WHERE heads.channel_id = 'C1'", "a join"),
    ("SELECT 1 FROM heads JOIN pins ON pins.channel_id = heads.channel_id WHERE heads.channel_id = 'C1'", "a join"),
    ("UPDATE heads JOIN log USING (channel_id) SET last_offset = 1 WHERE heads.channel_id = 'C1'", "a join"),
    ("SELECT 1 FROM heads, log WHERE heads.channel_id = 'C1' AND log.channel_id = 'C1'", "a join"),
    ("SELECT 1 FROM heads WHERE channel_id = 'C1' AND last_offset = (SELECT MAX(`offset`) FROM log)", "within another"),
    ("SELECT 1 FROM (SELECT channel_id FROM heads WHERE channel_id = 'C1') AS h", "within another"),
    ("INSERT INTO heads (channel_id, last_offset) SELECT channel_id, 1 FROM members", "INSERT … SELECT"),
    ("WITH h AS (SELECT 1) SELECT 1 FROM heads WHERE channel_id = 'C1'", "common table expression"),
    ("SELECT ROW_NUMBER() OVER () FROM heads WHERE channel_id = 'C1'", "window function"),
    ("SELECT @last := 1", "variable"),
    ("SET @last = 1", "no statement for a store"),
    ("LOCK TABLES heads WRITE", "no statement for a store"),
    ("REPLACE INTO heads (channel_id) VALUES ('C1')", "no statement for a store"),
    ("TRUNCATE TABLE heads", "no statement for a store"),
    ("SELECT GET_LOCK('a', 1)", "GET_LOCK()"),
    ("SELECT LAST_INSERT_ID()", "LAST_INSERT_ID()"),
    ("SELECT 1 FROM pins WHERE channel_id = 'C1'", "table pins is not in the VSchema"),
    ("SELEKT", "no statement for a store"),
    ("SELECT 1 FROM (", "not understood"),
]


@pytest.mark.parametrize(("sql", "complaint"), PLANTED)
def test_a_planted_statement_is_found(sql: str, complaint: str) -> None:
    """A check that cannot fail checks nothing."""
    found = Judge(Query("channel")).judge([Sent("channel", 1, sql)])
    assert any(complaint in each for each in found), found


def test_a_join_within_each_channel_is_none_between_shards() -> None:
    """Rows of one key are on one shard, in all tables that are sharded by it."""
    sql = (
        "SELECT 1 FROM heads JOIN log ON log.channel_id = heads.channel_id AND log.`offset` > 3"
        " WHERE heads.channel_id IN ('C1', 'C2')"
    )
    assert explain(sql, CHANNELS).keys == frozenset({"C1", "C2"})
    assert Judge(Query("channel")).judge([Sent("channel", 1, sql)]) == []


def test_what_may_ask_every_shard_may_not_do_everything() -> None:
    """The mark `scatter` allows to look everywhere, not what cannot be carried out there."""
    marked = Query("channel", scatter="for a test")

    def judged(sql: str) -> list[str]:
        return Judge(marked).judge([Sent("channel", 1, sql)])

    assert judged("SELECT 1 FROM log WHERE commit_us < 5") == []
    assert judged("SELECT 1 FROM log WHERE commit_us < 5 FOR UPDATE SKIP LOCKED") == []
    assert judged("SELECT 1 FROM log WHERE commit_us < 5 FOR UPDATE") != []
    assert judged("UPDATE log, heads SET commit_us = 1") != []


def test_a_statement_in_another_keyspace_is_found() -> None:
    """A method's mark names the keyspace of all its statements."""
    sent = [Sent("user", 1, "SELECT 1 FROM tokens WHERE user_id = 'U1'")]
    assert "the user keyspace" in Judge(Query("channel")).judge(sent)[0]


def test_a_transaction_is_judged_as_a_whole() -> None:
    """Two statements of one shard each are two shards."""
    keys = [next(f"C{n}" for n in range(99) if shard_of(f"C{n}", SHARDS) == shard) for shard in (3, 4)]
    update = "UPDATE heads SET last_offset = 1 WHERE channel_id = '{}'"
    both = [Sent("channel", 1, sql) for sql in ("BEGIN", update.format(keys[0]), update.format(keys[1]), "COMMIT")]
    assert "a transaction over several shards" in Judge(Query("channel")).judge(both)[0]
    apart = [*both[:2], Sent("channel", 1, "COMMIT"), Sent("channel", 1, "BEGIN"), *both[2:]]
    assert Judge(Query("channel")).judge(apart) == []


def shape(*unique_keys: tuple[str, ...], collation: str = "ascii_bin", has_auto_increment: bool = False) -> Shape:
    """Return a table with these keys."""
    return Shape({column: collation for key in unique_keys for column in key}, unique_keys, has_auto_increment)


def test_tables_that_do_not_fit_the_vschema_are_found() -> None:
    """Each side is checked, and each rule."""
    keyed = {"column_vindexes": [{"column": "team_id", "name": "h"}]}
    vschema = VSchema.parse({"sharded": True, "vindexes": {"h": {"type": "binary_md5"}}, "tables": {"users": keyed}})

    def found(**tables: Shape) -> str:
        return " ".join(schema_complaints(vschema, tables))

    good = shape(("team_id", "id"), ("team_id", "name"))
    assert found(users=good) == ""
    assert "pins is not in the VSchema" in found(users=good, pins=shape(("team_id",)))
    assert "users is in the VSchema" in found()
    assert "(id) is unique on each shard" in found(users=shape(("team_id", "name"), ("id",)))
    assert "AUTO_INCREMENT" in found(users=shape(("team_id", "id"), has_auto_increment=True))
    assert "byte by byte" in found(users=shape(("team_id", "id"), collation="utf8mb4_general_ci"))
    with pytest.raises(AssertionError):
        VSchema.parse({"sharded": False, "vindexes": {}, "tables": {}})
