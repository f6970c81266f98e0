"""A process that times what an edge does for each call beside gRPC: checks, the answer, its serialized form.

Run as `python -m tests.svc.edge.gauge USERS CHANNELS EMOJI`; prints one line of JSON: milliseconds of the processor,
because the machine may have other work, the median and the 99th percentile of many calls of each kind.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from random import Random
from time import thread_time

from google.protobuf.message import Message

from parley.boot.v1 import boot_pb2 as boot_pb
from parley.edge.v1 import edge_service_pb2 as pb
from svc.edge import boot, checks
from svc.edge.models.model import Model
from svc.edge.models.names import AFFINITY_MAX, HITS_MAX, Query
from svc.edge.nearness import Nearness
from tests.svc.edge import shapes
from tests.svc.edge.weigh import load

CALLS = 300
CONVERSATIONS, NEAR_USERS, UNREAD = 120, 30, 20
"""Of a user: channels, those who are described in a boot, and how many channels changed for a delta."""
PREFIXES = ("a", "s", "k", "m", "sch", "schei", "proj-", "zz", "unfound", "\u00e9", "\u5c71")


def timed(call: Callable[[int], Message]) -> dict[str, float]:
    """Return how long calls took, and how large the last answer was."""
    times, size = [], 0
    for number in range(CALLS):
        began = thread_time()
        size = len(call(number).SerializeToString())
        times.append(1000 * (thread_time() - began))
    times.sort()
    return {"p50_ms": round(times[CALLS // 2], 3), "p99_ms": round(times[CALLS * 99 // 100], 3), "bytes": size}


def boots(model: Model, rng: Random, near: Nearness) -> dict[str, dict[str, float]]:
    """Time boots: whole ones, deltas after nothing and after twenty changes."""
    users = [user.id for user in model.users]
    channels = [channel.id for channel in model.channels]
    mine = rng.sample(channels, CONVERSATIONS)
    activities = [boot_pb.ConversationActivity(channel_id=each, head_offset=9, latest_message_ts_us=9) for each in mine]

    def booted(since: int) -> Callable[[int], Message]:
        def call(number: int) -> Message:
            request = pb.BootRequest(
                team_id=shapes.TEAM_ID,
                user_id=users[number],
                channel_ids=mine,
                user_ids=users[number : number + NEAR_USERS],
                near_ids=users[number : number + AFFINITY_MAX],
                since_model_offset=since,
            )
            checks.booting(request)
            near.remember(request.team_id, request.user_id, request.near_ids)
            return boot.boot(model, request, activities)

        return call

    numbers = {"boot": timed(booted(0)), "delta_of_nothing": timed(booted(model.offset))}
    since = model.offset
    for number in range(UNREAD):
        user = model.users.get(users[number])
        assert user is not None
        user.version = model.offset + 1
        model.apply(user.version, boot_pb.ModelChange(users=[user]))
    return {**numbers, "delta_of_20": timed(booted(since))}


def lookups(model: Model, rng: Random, near: Nearness) -> dict[str, dict[str, float]]:
    """Time objects by id, searches with all that weighs, emoji, and the parts of a whole model."""
    users = [user.id for user in model.users]

    def objects(count: int, held: bool) -> Callable[[int], Message]:
        known = [pb.KnownObject(id=each, version=10**6, held=held) for each in rng.sample(users, count)]

        def call(number: int) -> Message:
            checks.objects(known)
            return boot.objects(model, known)

        return call

    def search(number: int) -> Message:
        prefix = PREFIXES[number % len(PREFIXES)]
        request = pb.SearchRequest(team_id=shapes.TEAM_ID, user_id=users[number], prefix="@" + prefix)
        weights = near.weights(request.team_id, request.user_id)
        query = Query(prefix=checks.searching(request), limit=HITS_MAX, affinity=weights, inactive=True)
        return boot.find(model, query, request.kinds)

    readings = [boot.Reading(model)]

    def part(number: int) -> Message:
        found = readings[0].part()
        if found is None:
            readings[0] = boot.Reading(model)
        return found or pb.ReadModelResponse()

    return {
        "objects_10": timed(objects(10, held=False)),
        "objects_500": timed(objects(500, held=False)),
        "objects_500_held": timed(objects(500, held=True)),
        "search": timed(search),
        "emoji": timed(lambda _: model.emoji.since(0)),
        "emoji_held": timed(lambda _: model.emoji.since(model.emoji.version)),
        "model_part": timed(part),
    }


def main() -> None:
    """Measure once."""
    model, piece_s = load(*map(int, sys.argv[1:]))
    rng, near = Random(7), Nearness(users_max=50_000, bytes_max=1 << 25)
    numbers = {**boots(model, rng, near), **lookups(model, rng, near)}
    sys.stdout.write(json.dumps({"load_piece_ms": round(1000 * piece_s, 3), **numbers}) + "\n")


if __name__ == "__main__":
    main()
