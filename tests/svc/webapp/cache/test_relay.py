"""What one webapp could not delete, told to the others over gRPC."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import grpc
import pytest

from discovery.stubs import StubPools
from discovery.view import Instance
from parley.webapp.v1 import webapp_service_pb2 as pb
from parley.webapp.v1.webapp_service_pb2_grpc import WebappServiceStub
from svc.kit.clock import SystemClock
from svc.kit.config import InstanceConfig
from svc.kit.errors import InvalidArgumentError, from_rpc_error
from svc.kit.rpc import rpc_server
from svc.webapp.cache import relay
from svc.webapp.cache.cache import Cache, run_cache
from svc.webapp.cache.relay import KEYS_MAX, NODES_MAX, TELL_S, Hearing, WebappRelay, run_relay
from svc.webapp.cache.routes.null import Null
from svc.webapp.cache.routes.route import Undelivered
from svc.webapp.gate import Gate
from svc.webapp.servicer import webapp_service
from tests.svc.webapp.cache.caches import KEY, TEXT, Source

pytestmark = pytest.mark.mesh
CLOCK = SystemClock()
NODE = "127.0.0.1:11211"


class Ear(Hearing):
    """A Hearing that remembers, and may be slow to listen."""

    def __init__(self, cache: Cache) -> None:
        self.heard: list[Mapping[str, Sequence[str]]] = []
        super().__init__(cache, self.heard.append)


@asynccontextmanager
async def other_webapp() -> AsyncIterator[tuple[Instance, Ear, Cache]]:
    """Run a webapp that has nothing but a cache."""
    instance = InstanceConfig(secret="a secret for these tests alone")
    async with run_cache(Null(), CLOCK, random.Random(1)) as cache:
        ear = Ear(cache)
        async with rpc_server(instance, [webapp_service(cast(Any, None), Gate(), ear)]) as server:
            yield Instance(f"webapp-{server.port}", "webapp", server.address), ear, cache


@asynccontextmanager
async def telling(webapps: list[Instance]) -> AsyncIterator[WebappRelay]:
    """Yield the relay of a webapp that sees these, and itself."""
    me = Instance("me", "webapp", "127.0.0.1:1")
    async with StubPools("az1", CLOCK) as stubs, run_relay("me", lambda: [me, *webapps], stubs, CLOCK) as told:
        yield told


async def test_everybody_but_oneself_has_heard_when_telling_returns() -> None:
    """All at once, in one request each."""
    async with other_webapp() as (one, ear_one, _), other_webapp() as (two, ear_two, _):
        async with telling([one, two]) as here:
            await here.tell({NODE: ("a", "b"), "127.0.0.1:2": ("c",)})
    expected: Undelivered = {NODE: ("a", "b"), "127.0.0.1:2": ("c",)}
    assert ear_one.heard == ear_two.heard == [expected]


async def test_who_does_not_answer_is_told_again_until_he_has_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """The write waits for him no longer than the deadline; who is gone is forgotten."""
    monkeypatch.setattr(relay, "AGAIN_S", 0.02)
    async with other_webapp() as (there, ear, _):
        address, there = there.address, Instance(there.id, "webapp", "127.0.0.1:1")
        gone = Instance("gone", "webapp", "127.0.0.1:1")
        webapps = [there, gone]
        async with telling(webapps) as here:
            began = time.monotonic()
            await here.tell({NODE: ("a",)})
            await here.tell({NODE: ("b",)})
            assert time.monotonic() - began < 2 * TELL_S + 0.2
            assert set(here._owed) == {there.id, "gone"}
            webapps[:] = [Instance(there.id, "webapp", address)]
            async with asyncio.timeout(5):
                while here._owed:
                    await asyncio.sleep(0.01)
    assert ear.heard == [{NODE: ("a", "b")}]


async def test_much_is_told_in_several_requests() -> None:
    """Each within the contract's limits, which are checked."""
    keys = tuple(str(number) for number in range(KEYS_MAX + 1))
    nodes = {f"127.0.0.1:{number}": ("a",) for number in range(1, NODES_MAX + 2)}
    async with other_webapp() as (there, ear, _), telling([there]) as here:
        await here.tell({NODE: keys})
        assert [len(heard[NODE]) for heard in ear.heard] == [KEYS_MAX, 1]
        ear.heard.clear()
        await here.tell(nodes)
        assert [len(heard) for heard in ear.heard] == [NODES_MAX, 1]
        async with grpc.aio.insecure_channel(there.address) as channel:
            for named in ([pb.CacheNodeKeys(keys=keys)], [pb.CacheNodeKeys()] * (NODES_MAX + 1)):
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await WebappServiceStub(channel).ForgetCached(pb.ForgetCachedRequest(nodes=named))
                assert isinstance(from_rpc_error(caught.value), InvalidArgumentError)


async def test_nobody_waits_for_a_read_that_began_before_he_was_told() -> None:
    """A caller that comes after begins anew, at once."""
    old, new = Source("old", 0.5), Source("new")
    async with other_webapp() as (there, _, cache), telling([there]) as here:
        early = asyncio.ensure_future(cache.get_or_load(KEY, old.load, TEXT))
        await old.read.wait()
        await here.tell({NODE: (KEY,)})
        began = time.monotonic()
        assert await cache.get_or_load(KEY, new.load, TEXT) == "new"
        assert time.monotonic() - began < 0.4
        assert await early == "old"
