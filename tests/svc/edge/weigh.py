"""A process that weighs a model: what it adds to an edge that is up and empty, and what it says of itself.

Run as `python -m tests.svc.edge.weigh USERS CHANNELS EMOJI`; prints one line of JSON. A process of its own, because
memory
that a test before it freed would be used again and not be seen. Times are of the processor, but for the whole load.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from time import perf_counter, thread_time
from typing import TypeVar

import svc.edge.main  # noqa: F401 - what an edge has in memory anyway
from svc.edge.config import ModelLimits
from svc.edge.models.builder import ModelBuilder
from svc.edge.models.model import Model
from svc.edge.models.names import AFFINITY_MAX, Query, search
from tests.svc.edge import shapes

T = TypeVar("T")


def status_bytes(field: str) -> int:
    """Return a field of this process's status (VmRSS, VmHWM) in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field + ":"))


def load(users: int, channels: int, emojis: int) -> tuple[Model, float]:
    """Return a model loaded page by page, and the longest seconds that a piece of the work took at once."""
    builder = ModelBuilder(shapes.TEAM_ID, ModelLimits())
    longest_s = 0.0

    def timed(work: Callable[[], T]) -> T:
        nonlocal longest_s
        began = thread_time()
        outcome = work()
        longest_s = max(longest_s, thread_time() - began)
        return outcome

    for part in shapes.parts(users, channels, emojis):
        timed(partial(builder.take, part))
        while timed(builder.work):
            pass
    while timed(builder.settle):
        pass
    return timed(builder.finish), longest_s


def search_ms(model: Model) -> dict[str, float]:
    """Return milliseconds of the slowest of some searches, each the best of five: the machine has other work too."""
    ids = [user.id for user in model.users]
    equal = dict.fromkeys(Random(1).sample(ids, min(len(ids), AFFINITY_MAX)), 1.0)
    varied = {user_id: float(weight) for weight, user_id in enumerate(equal)}
    slowest: dict[str, float] = {}
    for what, affinity in (("alone", dict[str, float]()), ("varied", varied), ("equal", equal)):
        for prefix in ("a", "s", "k", "m", "e", "sch", "schei", "proj-", "zz", "unfound", "é", "山"):
            query = Query(prefix=prefix, affinity=affinity, inactive=True)
            times = []
            for _ in range(5):
                began = thread_time()
                search(query, model.user_names, model.channel_names)
                times.append(thread_time() - began)
            slowest[what] = max(slowest.get(what, 0.0), round(1000 * min(times), 3))
    return slowest


def main() -> None:
    """Weigh once."""
    users, channels, emojis = map(int, sys.argv[1:])
    load(shapes.PAGE, shapes.PAGE, shapes.PAGE)  # the parser's own memory is the edge's
    before = status_bytes("VmRSS")
    began = perf_counter()
    model, piece_s = load(users, channels, emojis)
    load_s = perf_counter() - began
    weighed = {
        "rss_bytes": status_bytes("VmRSS") - before,
        "peak_bytes": status_bytes("VmHWM") - before,
        "estimated_bytes": model.bytes,
        "names_bytes": model.user_names.memory_bytes + model.channel_names.memory_bytes,
        "data_bytes": sum(each.ByteSize() for objects in (model.users, model.channels) for each in objects),
        "load_s": round(load_s, 3),
        "piece_ms": round(1000 * piece_s, 3),
        "search_ms": search_ms(model),
    }
    sys.stdout.write(json.dumps(weighed) + "\n")


if __name__ == "__main__":
    main()
