"""What VTGate would do with a statement, from the VSchema: which shards it asks, and what it could not carry out.

Much simpler than VTGate's own planner and stricter than it: a statement passes when it is of a form that every VTGate
routes by its sharding key. Conditions joined by OR count for nothing (VTGate gives up on rewriting more than a few of
them), nor do subqueries. Of joins one kind passes, which VTGate sends to the shard as it is: of two tables that are
sharded alike, on the columns that they are sharded by.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import sqlglot
from sqlglot import exp

from svc.webapp.store.query import Keyspace

FOLDER = Path(__file__).parents[4] / "ops" / "vitess"
# Of every statement that it does not know, which `explain` says itself.
logging.getLogger("sqlglot").setLevel(logging.ERROR)


@dataclass(frozen=True, slots=True)
class VTable:
    """A table of the VSchema. `column`: what it is sharded by; "" when every shard has a copy of it."""

    column: str
    unique_by_lookup: frozenset[str] = frozenset()
    """Columns whose uniqueness over all shards VTGate keeps, by a lookup table that this one owns."""

    @property
    def vindex_columns(self) -> frozenset[str]:
        """Columns that no statement may change."""
        return self.unique_by_lookup | {self.column}


@dataclass(frozen=True, slots=True)
class VSchema:
    """A keyspace's VSchema."""

    tables: Mapping[str, VTable]

    @classmethod
    def load(cls, keyspace: Keyspace) -> VSchema:
        """Read ops/vitess/vschema."""
        return cls.parse(json.loads((FOLDER / "vschema" / f"{keyspace}.json").read_text()))

    @classmethod
    def parse(cls, document: Mapping[str, object]) -> VSchema:
        """Take a VSchema document. Raises KeyError or AssertionError when it is not of the form that we write."""
        vindexes, tables = document["vindexes"], document["tables"]
        assert document["sharded"] is True
        assert isinstance(vindexes, dict)
        assert isinstance(tables, dict)
        found: dict[str, VTable] = {}
        for name, table in tables.items():
            if table.get("type") == "reference":
                found[name] = VTable("")
                continue
            first, *others = table["column_vindexes"]
            # The committer's lanes follow the same hash, see svc.webapp.store.lanes.
            assert vindexes[first["name"]] == {"type": "binary_md5"}
            for other in others:
                vindex = vindexes[other["name"]]
                assert (vindex["type"], vindex["owner"]) == ("consistent_lookup_unique", name)
                assert vindex["params"]["from"] == other["column"]
                assert vindex["params"]["table"] in tables
            found[name] = VTable(first["column"], frozenset(other["column"] for other in others))
        return cls(found)


@dataclass(slots=True)
class Visit:
    """What a statement does. `keys`: the values of the sharding key that it names; None when it asks every shard."""

    keys: frozenset[str] | None = frozenset()
    writes: bool = False
    locks: bool = False
    tables: frozenset[str] = frozenset()
    complaints: list[str] = field(default_factory=list)


def shard_of(key: str, shards: int) -> int:
    """Return which of `shards` equal key ranges has a key: Vitess's binary_md5."""
    digest = hashlib.md5(key.encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[:8], "big") * shards >> 64


def explain(sql: str, vschema: VSchema) -> Visit:
    """Say what VTGate would do with a statement, its values in it."""
    try:
        statement = sqlglot.parse_one(sql, dialect="mysql")
    except sqlglot.errors.ParseError as error:
        return Visit(complaints=[f"not understood: {error}"])
    if isinstance(statement, exp.Command) or not isinstance(statement, exp.Query | exp.DML):
        return Visit(complaints=[f"no statement for a store's method: {statement.key} {sql[:40]!r}"])
    complaints = [complaint for check in CHECKS for complaint in check(statement)]
    complaints += _joins(statement, vschema)
    names = {table.name for table in statement.find_all(exp.Table)}
    complaints += [f"table {name} is not in the VSchema" for name in sorted(names - set(vschema.tables))]
    visit = Visit(tables=frozenset(names), complaints=complaints, writes=isinstance(statement, exp.DML))
    if complaints:
        return visit
    visit.locks = any(True for _ in statement.find_all(exp.Lock))
    if isinstance(statement, exp.DML):
        visit.keys, more = _written(statement, vschema.tables[_target(statement)])
        visit.complaints += more
    else:
        visit.keys = _read(statement, vschema)
    if visit.keys is None:
        visit.complaints += _scattered(statement, vschema)
    return visit


def _target(statement: exp.DML) -> str:
    target = statement.this
    return str((target.this if isinstance(target, exp.Schema) else target).name)


def _read(statement: exp.Query, vschema: VSchema) -> frozenset[str] | None:
    """Return the keys of a SELECT, or of all branches of a UNION."""
    if isinstance(statement, exp.Subquery):
        return _read(statement.this, vschema)
    if isinstance(statement, exp.SetOperation):
        left, right = _read(statement.left, vschema), _read(statement.right, vschema)
        return None if left is None or right is None else left | right
    source = statement.args.get("from_")
    table = vschema.tables[source.this.name] if source is not None else VTable("")
    return frozenset() if not table.column else _keys(statement.args.get("where"), table.column)


def _written(statement: exp.DML, table: VTable) -> tuple[frozenset[str] | None, list[str]]:
    """Return the keys of the rows that a statement writes, and what is wrong with it."""
    if not table.column:
        return None, []
    if isinstance(statement, exp.Insert):
        return _inserted(statement, table)
    complaints = []
    if isinstance(statement, exp.Update):
        changed = {assignment.this.name for assignment in statement.expressions}
        complaints = [f"changes {column}, which decides the shard" for column in changed & table.vindex_columns]
    return _keys(statement.args.get("where"), table.column), complaints


def _inserted(statement: exp.Insert, table: VTable) -> tuple[frozenset[str] | None, list[str]]:
    if not isinstance(statement.this, exp.Schema):
        return None, ["an INSERT without a list of columns"]
    columns = [column.name for column in statement.this.expressions]
    missing = sorted(table.vindex_columns - set(columns))
    if missing:
        return None, [f"an INSERT without {', '.join(missing)}"]
    place = columns.index(table.column)
    keys = [_literal(row.expressions[place]) for row in statement.expression.expressions]
    complaints = []
    for assignment in statement.args["conflict"].expressions if statement.args.get("conflict") else ():
        column, value = assignment.this.name, assignment.expression
        is_itself = isinstance(value, exp.Anonymous) and value.name == "VALUES" and value.expressions[0].name == column
        if column in table.vindex_columns and not is_itself:
            complaints.append(f"ON DUPLICATE KEY UPDATE assigns {column}, which decides the shard")
    return (None if None in keys else frozenset(key for key in keys if key is not None)), complaints


def _keys(condition: exp.Expr | None, column: str) -> frozenset[str] | None:
    """Return the values that a column may have where a condition holds; None when that is any."""
    match condition:
        case exp.Where() | exp.Paren():
            return _keys(condition.this, column)
        case exp.And():
            sides = [
                keys for keys in (_keys(condition.left, column), _keys(condition.right, column)) if keys is not None
            ]
            return min(sides, key=len) if sides else None
        case exp.EQ() if _is_column(condition.this, column):
            value = _literal(condition.expression)
            return None if value is None else frozenset({value})
        case exp.In() if _is_column(condition.this, column):
            values = [_literal(value) for value in condition.expressions]
            return None if not values or None in values else frozenset(value for value in values if value is not None)
    return None


def _is_column(expression: exp.Expr, column: str) -> bool:
    return isinstance(expression, exp.Column) and expression.name == column


def _literal(expression: exp.Expr) -> str | None:
    return expression.name if isinstance(expression, exp.Literal | exp.HexString) else None


def _is_grouped_apart(statement: exp.Expr, vschema: VSchema) -> bool:
    """Tell whether each group lies on one shard, which then does all that is asked of it: VTGate only merges them."""
    tables = [vschema.tables[table.name] for table in statement.find_all(exp.Table)]
    groups = {each.name for each in statement.args["group"].expressions if isinstance(each, exp.Column)}
    return len(tables) == 1 and tables[0].column in groups


def _scattered(statement: exp.Expr, vschema: VSchema) -> list[str]:
    """Return what may not be done on all shards at once."""
    complaints = []
    for lock in statement.find_all(exp.Lock):
        # SKIP LOCKED waits for nobody; two that wait for each other on different shards are seen by no shard.
        if lock.args.get("wait") is not False:
            complaints.append("FOR UPDATE on every shard")
    is_grouped = isinstance(statement, exp.Select) and statement.args.get("group") is not None
    if is_grouped and not _is_grouped_apart(statement, vschema):
        complaints.append("GROUP BY on every shard")
    if isinstance(statement, exp.Update | exp.Delete) and (statement.args.get("limit") or statement.args.get("order")):
        complaints.append("UPDATE or DELETE with a LIMIT on every shard")
    return complaints


def _has(kinds: tuple[type[exp.Expr], ...], what: str) -> Callable[[exp.Expr], Iterable[str]]:
    return lambda statement: [what] if next(statement.find_all(*kinds), None) is not None else []


def _subqueries(statement: exp.Expr) -> Iterable[str]:
    """Complain of queries within a query; branches of a UNION are none."""
    for inner in statement.find_all(exp.Select):
        outer = inner.parent
        while isinstance(outer, exp.Subquery | exp.SetOperation):
            outer = outer.parent
        if outer is not None:
            yield "INSERT … SELECT" if isinstance(outer, exp.Insert) else "a query within another"


def _joins(statement: exp.Expr, vschema: VSchema) -> Iterable[str]:
    """Complain of joins, but one of two tables on what both are sharded by, of which a UNION's branches may have one
    each: they are sent for themselves.
    """
    for join in statement.find_all(exp.Join):
        select = join.parent
        alone = isinstance(select, exp.Select) and len(select.args["joins"]) == 1
        if not (alone and isinstance(select, exp.Select) and _is_within_shards(select, vschema)):
            yield "a join"
            return


def _is_within_shards(select: exp.Select, vschema: VSchema) -> bool:
    """Tell whether a join's condition says that what the two tables are sharded by is equal."""
    join, source = select.args["joins"][0], select.args.get("from_")
    kind = {join.args.get(word) for word in ("side", "kind", "method")} - {None, "", "INNER"}
    tables = [each.this for each in (source, join) if each is not None and isinstance(each.this, exp.Table)]
    if kind or len(tables) != 2 or any(table.name not in vschema.tables or table.alias for table in tables):
        return False
    wanted = {(table.name, vschema.tables[table.name].column) for table in tables}
    condition = join.args.get("on")
    parts = list(condition.flatten()) if isinstance(condition, exp.And) else [condition]
    found = [
        {(side.table, side.name) for side in (part.this, part.expression) if isinstance(side, exp.Column)}
        for part in parts
        if isinstance(part, exp.EQ)
    ]
    return wanted in found and all(column for _, column in wanted)


def _several_tables(statement: exp.Expr) -> Iterable[str]:
    for select in statement.find_all(exp.Select):
        if len(list(select.find_all(exp.Table))) > 1 + len(select.args.get("joins") or ()):
            yield "several tables"
    if isinstance(statement, exp.Delete) and (statement.args.get("tables") or statement.args.get("using")):
        yield "DELETE from several tables"


def _functions(statement: exp.Expr) -> Iterable[str]:
    for call in statement.find_all(exp.Anonymous):
        if call.name.upper() in ("GET_LOCK", "RELEASE_LOCK", "LAST_INSERT_ID", "FOUND_ROWS", "ROW_COUNT", "SLEEP"):
            yield f"{call.name.upper()}(), which belongs to one connection of one server"


CHECKS: tuple[Callable[[exp.Expr], Iterable[str]], ...] = (
    _has((exp.CTE,), "a common table expression"),
    _has((exp.Window,), "a window function"),
    _has((exp.Parameter, exp.SessionParameter), "a user or system variable"),
    _subqueries,
    _several_tables,
    _functions,
)
"""What may be in no statement of a store, on one shard or on all."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A table as the database has it."""

    columns: Mapping[str, str]
    """Name: collation, "" for what is no text."""
    unique_keys: tuple[tuple[str, ...], ...]
    """Columns of each, the primary key among them."""
    has_auto_increment: bool = False


def schema_complaints(vschema: VSchema, shapes: Mapping[str, Shape], lookup_tables: Iterable[str] = ()) -> list[str]:
    """Say where the VSchema and the tables do not fit. `lookup_tables` are VTGate's own."""
    complaints = [f"{name} is not in the VSchema" for name in sorted(shapes.keys() - vschema.tables.keys())]
    ghosts = vschema.tables.keys() - shapes.keys() - set(lookup_tables)
    complaints += [f"{name} is in the VSchema, and nowhere else" for name in sorted(ghosts)]
    for name in sorted(shapes.keys() & vschema.tables.keys()):
        table, shape = vschema.tables[name], shapes[name]
        if shape.has_auto_increment:
            complaints.append(f"{name} has an AUTO_INCREMENT, which each shard would count by itself")
        if not table.column:
            continue
        if not shape.columns.get(table.column, "").endswith("_bin"):
            complaints.append(f"{name}.{table.column} is not compared byte by byte, as its vindex does")
        for key in shape.unique_keys:
            if table.column not in key and not (len(key) == 1 and key[0] in table.unique_by_lookup):
                complaints.append(f"{name}: ({', '.join(key)}) is unique on each shard, not over all of them")
    return complaints


def lookup_tables(keyspace: Keyspace) -> frozenset[str]:
    """Return the tables that ops/vitess/lookup makes."""
    file = FOLDER / "lookup" / f"{keyspace}.sql"
    if not file.exists():
        return frozenset()
    made = sqlglot.parse(file.read_text(), dialect="mysql")
    return frozenset(statement.this.this.name for statement in made if isinstance(statement, exp.Create))
