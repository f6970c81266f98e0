"""Search instances, asked directly: what each holds, and how far behind it is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import grpc

from discovery.view import Instance
from parley.search.v1 import search_service_pb2 as pb
from parley.search.v1.search_service_pb2_grpc import SearchServiceStub

__all__ = ["LAG_MAX_S", "Shelf", "rebuild_one", "survey"]

ANSWER_S = 2.0
LAG_MAX_S = 10.0
"""Behind by more than this, an index is not well: it looks at the log five times a second."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """What one instance holds now; `info` is None when it did not answer."""

    instance: Instance
    info: pb.GetIndexInfoResponse | None

    @property
    def behind_s(self) -> float:
        """Age of what it was last fed up to; 0 when nothing is known."""
        fed_us = self.info.fed_until_unix_us if self.info is not None else 0
        return max(0.0, time.time() - fed_us / 1e6) if fed_us else 0.0

    @property
    def state(self) -> str:
        """In a word or a sentence: ok, silent, building, behind, or its trouble."""
        if self.info is None:
            return "silent"
        if self.info.trouble:
            return self.info.trouble
        if not self.info.is_whole:
            return f"building, {self.info.built} read; answers with what there is"
        if self.info.is_building:
            return f"rebuilding, {self.info.built} read"
        return "ok" if self.behind_s < LAG_MAX_S else "behind"

    @property
    def is_well(self) -> bool:
        """Whether it has all messages and is kept up."""
        return self.info is not None and self.info.is_whole and not self.info.trouble and self.behind_s < LAG_MAX_S

    def describe(self) -> dict[str, object]:
        """Return it as other programs see it; numbers are None when the instance did not answer."""
        info = self.info
        return {
            "search": self.instance.id,
            "zone": self.instance.zone,
            "documents": None if info is None else info.documents,
            "behind_s": None if info is None else round(self.behind_s, 2),
            "is_whole": None if info is None else info.is_whole,
            "is_building": None if info is None else info.is_building,
            "built": None if info is None else info.built,
            "state": self.state,
        }

    def row(self) -> tuple[str, ...]:
        """Return it as people see it."""
        held = "-" if self.info is None else str(self.info.documents)
        behind = "-" if self.info is None else f"{self.behind_s:.1f} s"
        return (self.instance.id, self.instance.zone or "-", held, behind, self.state)


async def survey(instances: Sequence[Instance]) -> list[Shelf]:
    """Ask every search instance among `instances`, all at once; within two seconds, whatever is wrong with them."""
    return list(await asyncio.gather(*(_shelf(each) for each in instances if each.tier == "search")))


async def rebuild_one(instance: Instance) -> bool:
    """Have an instance build a new index; False when it does so already. Raises grpc.aio.AioRpcError."""
    async with grpc.aio.insecure_channel(instance.address) as channel:
        stub: Any = SearchServiceStub(channel)
        return bool((await stub.Rebuild(pb.RebuildRequest(), timeout=ANSWER_S)).has_begun)


async def _shelf(instance: Instance) -> Shelf:
    async with grpc.aio.insecure_channel(instance.address) as channel:
        stub: Any = SearchServiceStub(channel)
        try:
            return Shelf(instance, await stub.GetIndexInfo(pb.GetIndexInfoRequest(), timeout=ANSWER_S))
        except grpc.aio.AioRpcError:
            return Shelf(instance, None)
