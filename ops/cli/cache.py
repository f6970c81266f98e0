"""`parley cache`: the pools of memcached nodes, and orders to whoever keeps them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from discovery.consul import ConsulClient
from ops import cache_pools
from ops.cli.output import CliError, emit_json, json_option, print_table, say
from ops.cli.target import consul_address, var_option
from svc.kit.errors import ParleyError
from svc.webapp.cache.pools.orders import Op, Order
from svc.webapp.cache.pools.placement import moves
from svc.webapp.cache.pools.table import Seat, Table, TableError
from svc.webapp.cache.routes import explain
from svc.webapp.cache.routes.config import RoutesError

HELP = """Show the cache's pools and change them without anybody noticing.

A pool has seats, and each seat a memcached node. Keys belong to seats: another node in a seat moves no key. The keeper,
one of the webapps, carries orders out one after the other: it tells all webapps first, lets the new node be filled from
the old one, and begins the next order when the hit rate is back. Nodes are given by address or by their id in Consul.

\b
Examples:
  parley cache show                           pools, seats, nodes, hit rates of the last 10 s
  parley cache route u2:T024BE7LJ:U024BE7LH   where a key is read, and who hears of its deletion
  parley cache replace 3                      a spare takes seat 3
  parley cache replace 3 10.0.0.9:11211       that node takes it
  parley cache add memcached-az1-9            a new seat; its share of the keys moves there
  parley cache drain 3 --no-wait              a seat less
  parley cache spare 10.0.0.9:11211           keep a node ready for the seat of one that dies
"""

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])
COLOURS = {"ok": "green", "dead": "red", "silent": "red"}
NO_KEEPER = "Every webapp can be the keeper; is one running? Its log says who keeps the cache pools."


@click.group("cache", help=HELP)
def command() -> None:
    """Hold the verbs."""


def order_options(function: F) -> F:
    """Add what all orders take."""
    wait = click.option("--wait/--no-wait", default=True, show_default=True, help="Stay until it is carried out.")
    pool = click.option("--pool", default="main", show_default=True, help="Whose seat.")
    return pool(wait(var_option(json_option(function))))


@command.command("show")
@click.option("--pool", default="", help="Only this one.")
@var_option
@json_option
def show(pool: str, var: Path, *, as_json: bool) -> None:
    """Show pools: seats, nodes, items, memory, hit rates, and what is under way. Exit code 1 unless all is well."""

    async def read(consul: ConsulClient) -> list[dict[str, Any]]:
        pools = await _pools(consul, pool)
        return [await cache_pools.describe(each) for each in pools.values()]

    shown = _run(var, read)
    is_well = all(each["kept"] and all(seat["node"]["state"] == "ok" for seat in each["seats"]) for each in shown)
    if as_json:
        emit_json({"ok": is_well, "pools": shown})
    else:
        for each in shown:
            _print_pool(each)
    raise SystemExit(0 if is_well else 1)


@command.command("route")
@click.argument("key")
@var_option
@json_option
def route(key: str, var: Path, *, as_json: bool) -> None:
    """Show the way of a key: which handles, which seat, which nodes; by the configuration and the tables in Consul."""

    async def ask(consul: ConsulClient) -> Any:
        return await cache_pools.explain(consul, await _pools(consul), key)

    way = _run(var, ask)
    if as_json:
        emit_json({"ok": True, "key": key, "route": explain.as_json(way)})
    else:
        click.echo("\n".join(explain.lines(way)))


@command.command("replace")
@click.argument("seat")
@click.argument("node", default="")
@order_options
def replace(seat: str, node: str, **options: Any) -> None:
    """Put NODE (without one: a spare) into SEAT; the node that is there warms it up, and is left alone then."""
    _order(Op.REPLACE, seat, node, **options)


@command.command("add")
@click.argument("node")
@click.option("--seat", default="", help="Name of the new seat; else what the node is registered for, or a number.")
@order_options
def add(node: str, seat: str, **options: Any) -> None:
    """Give NODE a seat of its own; its share of the keys is fetched from where they are now."""
    _order(Op.ADD, seat, node, **options)


@command.command("drain")
@click.argument("seat")
@order_options
def drain(seat: str, **options: Any) -> None:
    """Take SEAT away; its keys go to the other seats, which fetch them from its node."""
    _order(Op.DRAIN, seat, "", **options)


@command.command("spare")
@click.argument("node")
@order_options
def spare(node: str, **options: Any) -> None:
    """Keep NODE ready to take the seat of one that dies."""
    _order(Op.SPARE, "", node, **options)


def _order(op: Op, seat: str, node: str, *, pool: str, wait: bool, var: Path, as_json: bool) -> None:
    """Give an order, and follow it."""

    async def carry_out(consul: ConsulClient) -> dict[str, Any]:
        found = (await _pools(consul, pool))[pool]
        if op in (Op.REPLACE, Op.DRAIN) and seat not in found.table.seats:
            there = ", ".join(sorted(found.table.seats))
            raise CliError(f"There is no seat {seat!r} in pool {pool}; there are {there}.", "parley cache show")
        if not found.is_kept:
            raise CliError(f"Nobody keeps the pool {pool}, so nobody would carry the order out.", NO_KEEPER)
        address = cache_pools.find_node(node, await cache_pools.read_nodes(consul)) if node else ""
        order = Order(str(time.time_ns()), op, seat, address)
        await cache_pools.give(consul, pool, order)
        _say_share(op, seat, found.table)
        return await _follow(consul, pool, order) if wait else {"id": order.id, "state": "given", "text": ""}

    said = _run(var, carry_out)
    if said["state"] == "refused":
        raise CliError(f"The keeper refuses: {said['text']}.")
    if as_json:
        emit_json({"ok": True, "order": said})
    else:
        say(
            {"given": "The keeper has it; look at: parley cache show"}.get(
                said["state"], f"Done. {said['text']}".strip()
            )
        )


async def _follow(consul: ConsulClient, pool: str, order: Order) -> dict[str, Any]:
    """Tell how an order goes on; return its outcome."""
    told = ""
    async for outcome, said in cache_pools.follow_order(consul, pool, order):
        line = _progress(order, outcome.state, outcome.text, said)
        if line != told and not outcome.is_final:
            say(f"  {line}")
            told = line
        if outcome.is_final:
            return outcome.as_json()
    raise AssertionError("an order ends with an outcome")


def _progress(order: Order, state: str, text: str, said: Mapping[str, Any]) -> str:
    """Return one line about an order that is not final."""
    seat = next((each for each in said.get("seats", ()) if each["why"] == order.why), None)
    if state != "running" or seat is None:
        return text or state
    hit_rate, goal = seat["node"]["hit_rate"], said.get("goal")
    rates = f", hit rate {_percent(hit_rate)} of {_percent(goal)}" if hit_rate is not None and goal else ""
    return f"seat {seat['seat']}: {seat['state']}{rates}"


def _say_share(op: Op, seat: str, table: Table) -> None:
    """Say how many keys an order moves."""
    if op is Op.ADD:
        say(f"{moves(table, table.with_seat(seat or '(new)', Seat('new:1'))):.1%} of the keys move.")
    elif op is Op.DRAIN and len(table.seats) > 1:
        say(f"{moves(table, table.with_seat(seat, None)):.1%} of the keys move.")


def _run(var: Path, work: Callable[[ConsulClient], Coroutine[Any, Any, T]]) -> T:
    """Do something with the mesh's Consul. Raises CliError for whatever goes wrong."""

    async def connected() -> T:
        async with ConsulClient(consul_address(var)) as consul:
            return await work(consul)

    try:
        return asyncio.run(connected())
    except ParleyError as error:
        raise CliError(str(error), "Is Consul up? parley doctor looks further.") from error
    except (TableError, RoutesError) as error:
        raise CliError(
            f"What is in Consul makes no sense: {error}", "Keys: parley/cache/pools/, parley/cache/routes"
        ) from error
    except LookupError as error:
        raise CliError(str(error.args[0]), "parley status lists the nodes.") from error


async def _pools(consul: ConsulClient, only: str = "") -> dict[str, cache_pools.Pool]:
    """Return all pools, or one. Raises CliError when there is none."""
    pools = await cache_pools.read_pools(consul, await cache_pools.read_nodes(consul))
    if not pools:
        raise CliError("There is no cache pool: Consul lists no healthy memcached with a tag pool:NAME.")
    if only and only not in pools:
        raise CliError(f"There is no pool {only!r}; there are {', '.join(pools)}.")
    return {only: pools[only]} if only else pools


def _print_pool(pool: dict[str, Any]) -> None:
    """Print one pool for people."""
    hit_rate = pool.get("hit_rate")
    rate = "" if hit_rate is None else f", {_percent(hit_rate)} of {pool['gets_s']:.0f} gets/s are hits"
    keeper = f"kept by {pool['keeper']}" if pool["kept"] else "nobody keeps it"
    click.echo(f"Pool {pool['pool']}: version {pool['version']}, {keeper}{rate}")
    rows = [_row(seat["seat"], seat["state"], seat["node"], _note(seat)) for seat in pool["seats"]]
    for kind in ("spares", "standby", "retired"):
        rows += [_row("-", kind.removesuffix("s"), node, node["state"]) for node in pool.get(kind, ())]
    columns = ("SEAT", "STATE", "NODE", "ADDRESS", "ITEMS", "MEMORY", "HIT RATE", "GETS/S", "NOTE")
    print_table(columns, rows, lambda cell: COLOURS.get(cell, ""))
    for order in pool.get("orders", ()):
        if order["state"] in ("waiting", "running"):
            click.echo(f"order {order['id']}: {order['state']}, {order['text']}")
    click.echo()


def _row(seat: str, state: str, node: Mapping[str, Any], note: str) -> tuple[str, ...]:
    memory = f"{node['used_bytes'] / node['limit_bytes']:.0%}" if node["limit_bytes"] else "-"
    items = "-" if node["items"] is None else str(node["items"])
    gets = "-" if node["gets_s"] is None else f"{node['gets_s']:.0f}"
    return seat, state, node["id"] or "-", node["address"], items, memory, _percent(node["hit_rate"]), gets, note


def _note(seat: Mapping[str, Any]) -> str:
    """Return what is under way in a seat."""
    notes: Iterable[str] = (
        f"next {seat['next']['address']}" if seat.get("next") else "",
        f"warming from {seat['warm']['address']}" if seat.get("warm") else "",
        f"{_percent(seat.get('warm_progress'))} of the hit rate before" if seat.get("warm_progress") else "",
        seat["why"],
    )
    return ", ".join(filter(None, notes))


def _percent(rate: float | None) -> str:
    return "-" if rate is None else f"{rate:.1%}"
