"""Statements as text."""

from __future__ import annotations

import pytest

from svc.webapp.store.decode import columns, decode, encode
from svc.webapp.store.dsn import Dsn
from svc.webapp.store.rows import ConversationKind, Membership, Token, TokenKind
from svc.webapp.store.sql import insert_rows, pairs_in, render


def test_values_become_literals() -> None:
    """Text is escaped, bytes are hex, lists are for IN."""
    sql = render("SELECT %s, %s, %s, %s, %s, '%%'", ["it's \\ %s", 5, True, b"\x00'", ("a", 2)])
    assert sql == "SELECT 'it\\'s \\\\ %s', 5, 1, x'0027', ('a', 2), '%'"


@pytest.mark.parametrize("value", [None, 1.5, {"a": 1}, (), object()])
def test_what_no_column_takes_is_refused(value: object) -> None:
    """Better here than as something else in the database."""
    with pytest.raises(TypeError):
        render("SELECT %s", [value])


def test_rows_and_pairs_are_one_statement() -> None:
    """Pairs are grouped by their first column, which MariaDB reads as ranges of the key."""
    assert insert_rows("t", "a, b", [(1, 2), (3, 4)]) == (
        "INSERT INTO t (a, b) VALUES (%s, %s), (%s, %s)",
        [1, 2, 3, 4],
    )
    where, args = pairs_in("a", "b", [("x", 1), ("y", 2), ("x", 3)])
    assert where == "((a = %s AND b IN %s) OR (a = %s AND b IN %s)) AND a IN %s"
    assert args == ["x", (1, 3), "y", (2,), ("x", "y")]
    assert pairs_in("a", "b", [("x", 1)]) == ("(a = %s AND b IN %s)", ["x", (1,)])


def test_values_survive_their_rows() -> None:
    """Enums and truth values come back as what they were."""
    membership = Membership("U1", "C1", "T1", ConversationKind.IM, "U2", active=False)
    assert decode(Membership, encode(membership)) == membership
    token = Token("U1", b"h", TokenKind.BOT, "T1")
    assert decode(Token, encode(token)) == token
    assert columns(Membership).startswith("`user_id`, `channel_id`, `team_id`")


def test_a_dsn_is_parsed_and_printed_without_its_password() -> None:
    """Percent-encoded parts, a socket, and what is missing."""
    dsn = Dsn.parse("mysql://me:p%40ss@db.example:3307/parley_user")
    assert (dsn.host, dsn.port, dsn.user, dsn.password, dsn.database) == (
        "db.example",
        3307,
        "me",
        "p@ss",
        "parley_user",
    )
    assert "p@ss" not in repr(dsn)
    assert Dsn.parse("mysql://me@/x?unix_socket=/run/m.sock").unix_socket == "/run/m.sock"
    for wrong in ("postgres://a/b", "mysql://host", "nonsense"):
        with pytest.raises(ValueError, match="a DSN is"):
            Dsn.parse(wrong)
