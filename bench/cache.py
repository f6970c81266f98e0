"""The memcached client: gets a second and latency, against pymemcache in threads and aiomcache on the same two nodes.

Three modes, 100 keys in flight in the first two, all of them hits of 100 to 600 bytes:
- pipelined: 100 callers, each with one key at a time, as a webapp's requests are. The bar is here: ours must be at
  least 4 times as fast as the better of the peers.
- batched: 4 callers, each with 100 keys of one node at a time. No bar: a multi-get is a pipeline that every client has.
- single: one caller, one key at a time; what counts is latency.
Each peer is driven with as many connections, or threads, as are fastest for it on this machine, found by short trials.
Rounds are interleaved; each number is the median of its rounds.

On paper: a get that shares its turn of the loop with others costs a future and a wake-up (1 us), its share of request
and parsing (1.1 us) and the call (0.8 us), about 3 us; with 100 keys in a call 1.2 us remain. memcached itself takes
about 1 us a key, on another core.
"""

from __future__ import annotations

import gc
import importlib.util
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from bench.memcached import memcached_nodes
from ops.local.errors import LocalError

if TYPE_CHECKING:
    from bench.cache_clients import Client, Load, Sample

Say = Callable[[str], None]

NODES = 2
KEYS = 2_000
"""A node."""
IN_FLIGHT = 100
BATCH = 100
RATIO_MIN = 4.0
MODES = {"pipelined": (IN_FLIGHT, 1), "batched": (4, BATCH), "single": (1, 1)}
"""Callers, and keys a call."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to measure."""

    rounds: int = 7
    round_s: float = 0.5
    trial_s: float = 0.15
    """Of each way to drive a client, before the rounds."""


FULL = Pace()


def measure(say: Say, pace: Pace = FULL) -> dict[str, Any]:
    """Return every client's speed in every mode; takes about a minute. Raises LocalError."""
    check_peers(lambda name: importlib.util.find_spec(name) is not None)
    from bench.cache_clients import Load, clients, fill

    rng = Random(1)
    values = [{_key(rng): rng.randbytes(rng.randint(100, 600)) for _ in range(KEYS)} for _ in range(NODES)]
    with memcached_nodes(NODES) as ports:
        fill(ports, values)
        compared = clients(ports)
        modes = {
            name: _compare(name, compared, Load(callers, batch, 1), [list(each) for each in values], pace, say)
            for name, (callers, batch) in MODES.items()
        }
    ratio = {name: _ratio(mode) for name, mode in modes.items()}
    return {
        "nodes": NODES,
        "modes": modes,
        "ratio": ratio,
        "bars": {"pipelined_ratio_min": RATIO_MIN},
        "ok": ratio["pipelined"] >= RATIO_MIN,
    }


def check_peers(is_installed: Callable[[str], bool]) -> None:
    """Raise LocalError when there is nothing to measure against."""
    for peer in ("aiomcache", "pymemcache"):
        if not is_installed(peer):
            hint = "make test installs it, or: .venv/bin/pip install -r requirements-dev.txt"
            raise LocalError(f"{peer}, a peer to measure against, is not installed.", hint)


def _key(rng: Random) -> str:
    """Return a key as the webapp makes them."""
    return f"m1:C{rng.getrandbits(50):010X}:U{rng.getrandbits(50):010X}"


def _compare(
    mode: str, compared: Sequence[Client], load: Load, keys: Sequence[Sequence[str]], pace: Pace, say: Say
) -> dict[str, dict[str, float]]:
    """Return each client's medians in one mode."""
    batches = [[each[at : at + load.batch] for at in range(0, len(each), load.batch)] for each in keys]
    chosen = {client.name: _fastest(client, load, batches, pace) for client in compared}
    samples: dict[str, list[Sample]] = {client.name: [] for client in compared}
    for turn in range(pace.rounds):
        say(f"{mode}, round {turn + 1} of {pace.rounds}")
        for client in compared:
            gc.collect()
            samples[client.name].append(client.run(chosen[client.name], batches, pace.round_s))
    return {name: _medians(taken, chosen[name]) for name, taken in samples.items()}


def _fastest(client: Client, load: Load, batches: Sequence[Sequence[Sequence[str]]], pace: Pace) -> Load:
    """Return the way to drive a client that is the fastest here."""
    return max(client.loads(load), key=lambda each: client.run(each, batches, pace.trial_s).gets_per_s)


def _medians(samples: Sequence[Sample], load: Load) -> dict[str, float]:
    cuts = [statistics.quantiles(sample.latencies_s, n=100) for sample in samples]
    return {
        "gets_per_s": round(statistics.median(sample.gets_per_s for sample in samples)),
        "p50_ms": round(statistics.median(cut[49] for cut in cuts) * 1e3, 3),
        "p99_ms": round(statistics.median(cut[98] for cut in cuts) * 1e3, 3),
        "callers": load.callers,
        "keys_a_call": load.batch,
        "connections_a_node": load.connections,
    }


def _ratio(mode: dict[str, dict[str, float]]) -> float:
    """Ours over the better of the peers."""
    return round(
        mode["ours"]["gets_per_s"] / max(each["gets_per_s"] for name, each in mode.items() if name != "ours"), 2
    )
