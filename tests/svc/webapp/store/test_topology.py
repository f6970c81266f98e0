"""What Consul says of a keyspace's servers, and what a connection is told; all pure."""

from __future__ import annotations

import json

import pymysql
import pytest

from svc.kit.errors import DeadlineError, ResourceExhaustedError, UnavailableError
from svc.webapp.store.failures import is_passing, is_refused_commit, translate
from svc.webapp.store.session import is_read_only, session_statements
from svc.webapp.store.topology import Topology, TopologyError, key_of, parse, replaces


def value(**changes: object) -> bytes:
    """Return a good value, changed."""
    return json.dumps({"epoch": 3, "primary": "10.0.0.1:3306", "replicas": ["10.0.0.2:3306"], **changes}).encode()


def test_a_value_is_read() -> None:
    """What is new to us is let pass: a newer version may write more."""
    assert parse(value(since=7)) == Topology(3, "10.0.0.1:3306", ("10.0.0.2:3306",))
    assert parse(b'{"epoch": 1, "primary": "[::1]:3306"}') == Topology(1, "[::1]:3306")
    assert key_of("channel") == "parley/mysql/channel"


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (b"", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[]", "not an object"),
        (value(epoch="3"), "epoch"),
        (value(epoch=0), "epoch"),
        (value(epoch=True), "epoch"),
        (value(primary=""), "host:port"),
        (value(primary="10.0.0.1"), "host:port"),
        (value(primary=":3306"), "host:port"),
        (value(primary="10.0.0.1:0"), "host:port"),
        (value(primary="10.0.0.1:65536"), "host:port"),
        (value(primary=["10.0.0.1:3306"]), "host:port"),
        (value(replicas="10.0.0.2:3306"), "not a list"),
        (value(replicas=["10.0.0.2"]), "host:port"),
        (value(replicas=["10.0.0.1:3306"]), "twice"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong: bytes, complaint: str) -> None:
    """It must never send writes somewhere by mistake."""
    with pytest.raises(TopologyError, match=complaint):
        parse(wrong)


def test_a_higher_epoch_is_believed_and_a_lower_one_is_old_news() -> None:
    """Replicas may come and go within an epoch; two primaries in one are a contradiction."""
    known = Topology(3, "a:1", ("b:1",))
    assert replaces(known, None)
    assert replaces(Topology(4, "b:1", ("a:1",)), known)
    assert replaces(Topology(4, "a:1"), known)
    assert replaces(Topology(3, "a:1"), known)
    assert not replaces(known, known)
    assert not replaces(Topology(2, "b:1"), known)
    with pytest.raises(TopologyError, match="two primaries"):
        replaces(Topology(3, "b:1"), known)


def test_every_server_is_told_to_give_up_in_its_own_words() -> None:
    """An unknown variable would be refused, and with it every connection."""
    mariadb = " ".join(session_statements("5.5.5-10.11.19-MariaDB-0+deb12u1", 5.0))
    assert "max_statement_time = 5" in mariadb
    assert "idle_transaction_timeout = 5" in mariadb
    mysql = " ".join(session_statements("8.4.2", 0.25))
    assert "max_execution_time = 250" in mysql
    assert "max_statement_time" not in mysql
    assert "idle_transaction_timeout" not in mysql
    vitess = " ".join(session_statements("8.0.30-Vitess", 5.0))
    assert "max_" not in vitess
    for told in (mariadb, mysql, vitess):
        assert "READ COMMITTED" in told
        assert "STRICT_ALL_TABLES" in told


def test_read_only_has_had_several_names() -> None:
    """A number, and since MariaDB 12 a mode."""
    assert [is_read_only(answer) for answer in (0, "OFF", "0")] == [False] * 3
    assert [is_read_only(answer) for answer in (1, "ON", "NO_LOCK", "NO_LOCK_NO_ADMIN")] == [True] * 4


def refused(code: int) -> Exception:
    """Return what the driver raises."""
    error: Exception = pymysql.err.OperationalError(code, "…")  # type: ignore[no-untyped-call]
    return error


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (1290, UnavailableError),  # read only: demoted
        (1836, UnavailableError),
        (1105, UnavailableError),  # VTGate: a tablet is away
        (2013, UnavailableError),
        (1213, UnavailableError),
        (1969, DeadlineError),
        (1317, DeadlineError),
        (3024, DeadlineError),
        (1203, ResourceExhaustedError),
    ],
)
def test_what_passes_is_tried_again(code: int, kind: type[Exception]) -> None:
    """All of these may be better a moment later, so none is laid at the door of one write."""
    assert isinstance(translate(refused(code), "channel"), kind)
    assert is_passing(refused(code))


def test_what_will_not_pass_is_not() -> None:
    """A value that does not fit, a duplicate, our own mistake."""
    assert not any(is_passing(refused(code)) for code in (1062, 1064, 1406, 1146))


def test_only_few_answers_to_a_commit_are_certain() -> None:
    """A demoted server and a deadlock rolled it back; of an interrupted or unnamed failure nobody knows."""
    assert all(is_refused_commit(refused(code)) for code in (1205, 1213, 1290, 1836))
    assert not any(is_refused_commit(refused(code)) for code in (1105, 1180, 1317, 1969, 2013))
    assert not is_refused_commit(TimeoutError())
    assert not is_refused_commit(EOFError())
