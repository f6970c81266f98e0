"""A process that plays seeds and prints what became of them, a line of JSON each: `python -m ops.sim.worker --help`.

A world is hard to clean up: thousands of coroutines that wait for ever, each with something to do when it is collected.
So nothing is collected. Seeds are played in children, a few dozen each, that end without looking back; a child is
forked from this process, which has everything loaded, and nothing running.

Texts must hash alike in every process, or sets would have another order and a seed another fate: PYTHONHASHSEED=0.
"""

from __future__ import annotations

import argparse
import gc
import json
import logging
import os
import sys
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from opentelemetry import metrics
from opentelemetry.metrics import NoOpMeterProvider

from ops.sim.consul import ring_of
from ops.sim.run import Outcome, run

CHUNK = 50
"""Seeds a child plays: at 4 MB each it ends with 200 MB."""

USUAL_RINGS = 3
"""Channel servers of the largest usual ring; see `_know_rings`."""

VIOLATED = 3
"""Exit status when something was not true; Python's own 1 says that a worker broke."""

HASH_SEED = {"PYTHONHASHSEED": "0"}


def command(first: int, count: int, *options: str) -> list[str]:
    """Return what starts a worker; its environment needs HASH_SEED."""
    return [sys.executable, "-m", "ops.sim.worker", "--first", str(first), "--count", str(count), *options]


def as_json(outcome: Outcome) -> Mapping[str, Any]:
    """Return an outcome as it is printed; counts come apart."""
    return {
        "seed": outcome.seed,
        "invariant": outcome.invariant,
        "detail": outcome.detail,
        "virtual_s": round(outcome.virtual_s, 3),
        "steps": outcome.steps,
        "trace": outcome.trace,
    }


def play(seeds: Sequence[int], *, keeps_trace: bool, stops: bool) -> bool:
    """Play seeds in this process; print those that failed, then one line for all. Returns whether all were clean."""
    counts: Counter[str] = Counter()
    played, virtual_s = 0, 0.0
    failed = 0
    for seed in seeds:
        outcome = run(seed, keeps_trace=keeps_trace)
        counts.update(outcome.counts)
        played += 1
        virtual_s += outcome.virtual_s
        failed += not outcome.is_clean
        if keeps_trace or not outcome.is_clean:
            _print(as_json(outcome))
        if stops and not outcome.is_clean:
            break
    _print({"played": played, "virtual_s": round(virtual_s, 3), "counts": counts})
    return not failed


def _print(line: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def chunks(first: int, count: int, of: int, part: int) -> Iterator[range]:
    """Yield the runs of seeds that are one worker's share: each `of`-th one."""
    starts = range(first, first + count, CHUNK)
    for number, start in enumerate(starts):
        if number % of == part:
            yield range(start, min(start + CHUNK, first + count))


def main() -> int:
    """Play a share of the seeds; return the exit status."""
    parser = argparse.ArgumentParser(description="play seeds of the simulation")
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--of", type=int, default=1, help="workers that share the seeds")
    parser.add_argument("--part", type=int, default=0, help="which of them this is")
    parser.add_argument("--trace", action="store_true", help="print every line of every run")
    parser.add_argument("--stop", action="store_true", help="end at the first violation")
    options = parser.parse_args()
    if os.environ.get("PYTHONHASHSEED") != HASH_SEED["PYTHONHASHSEED"]:
        parser.error("PYTHONHASHSEED must be 0, or runs do not repeat")
    _be_quiet()
    clean = True
    for seeds in chunks(options.first, options.count, options.of, options.part):
        clean = _in_child(seeds, keeps_trace=options.trace, stops=options.stop) and clean
        if options.stop and not clean:
            break
    return 0 if clean else VIOLATED


def _be_quiet() -> None:
    """Let the tiers say nothing and count nothing: their logs and metrics are of a world that does not exist.

    Errors are made all the same: the run listens to them.
    """
    logging.disable(logging.WARNING)
    logging.getLogger().addHandler(logging.NullHandler())
    metrics.set_meter_provider(NoOpMeterProvider())
    _know_rings()
    gc.collect()
    gc.disable()


def _know_rings() -> None:
    """Build the rings that most runs go through, so that not every child does it again (4 ms each)."""
    places = [("", f"channel{number}.1", f"channel{number}.2") for number in range(1, USUAL_RINGS + 1)]
    for ids in product(*places, ("", "channel10.1")):
        ring = ring_of(tuple(sorted(filter(None, ids))))
        for each in ring.members:
            ring.slots_of(each)


def _in_child(seeds: Sequence[int], *, keeps_trace: bool, stops: bool) -> bool:
    child = os.fork()
    if child == 0:
        status = 2
        try:
            status = 0 if play(seeds, keeps_trace=keeps_trace, stops=stops) else VIOLATED
        except BaseException:
            traceback.print_exc()
        finally:
            # Not exit(): that would begin to clean up.
            os._exit(status)
    _, ended = os.waitpid(child, 0)
    status = os.waitstatus_to_exitcode(ended)
    if status not in (0, VIOLATED):
        raise SystemExit(f"seeds {seeds[0]} to {seeds[-1]}: the child ended with {status}")
    return status == 0


if __name__ == "__main__":
    sys.exit(main())
