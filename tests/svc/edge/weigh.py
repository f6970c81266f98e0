"""A process that weighs a model: what it adds to an edge that is up and empty, and what it says of itself.

Run as `python -m tests.svc.edge.weigh USERS CHANNELS`; prints one line of JSON. A process of its own, because memory
that a test before it freed would be used again and not be seen.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from random import Random
from time import perf_counter

import svc.edge.main  # noqa: F401 - what an edge has in memory anyway
from svc.edge.builder import ModelBuilder
from svc.edge.config import ModelLimits
from svc.edge.model import Model
from svc.edge.names import AFFINITY_MAX, Query, search
from tests.svc.edge import shapes


def status_bytes(field: str) -> int:
    """Return a field of this process's status (VmRSS, VmHWM) in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field + ":"))


def load(users: int, channels: int) -> tuple[Model, float]:
    """Return a model loaded page by page, and the longest seconds that the end of it took at once."""
    builder = ModelBuilder(shapes.TEAM_ID, ModelLimits())
    for part in shapes.parts(users, channels):
        builder.take(part)
        while builder.work():
            pass
    longest_s, more = 0.0, True
    while more:
        began = perf_counter()
        more = builder.settle()
        longest_s = max(longest_s, perf_counter() - began)
    return builder.finish(), longest_s


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
                began = perf_counter()
                search(query, model.user_names, model.channel_names)
                times.append(perf_counter() - began)
            slowest[what] = max(slowest.get(what, 0.0), round(1000 * min(times), 3))
    return slowest


def main() -> None:
    """Weigh once."""
    users, channels = int(sys.argv[1]), int(sys.argv[2])
    load(shapes.PAGE, shapes.PAGE)  # the parser's own memory is the edge's
    before = status_bytes("VmRSS")
    began = perf_counter()
    model, settle_s = load(users, channels)
    load_s = perf_counter() - began
    weighed = {
        "rss_bytes": status_bytes("VmRSS") - before,
        "peak_bytes": status_bytes("VmHWM") - before,
        "estimated_bytes": model.bytes,
        "names_bytes": model.user_names.memory_bytes + model.channel_names.memory_bytes,
        "data_bytes": sum(each.ByteSize() for objects in (model.users, model.channels) for each in objects),
        "load_s": round(load_s, 3),
        "settle_ms": round(1000 * settle_s, 3),
        "search_ms": search_ms(model),
    }
    sys.stdout.write(json.dumps(weighed) + "\n")


if __name__ == "__main__":
    main()
