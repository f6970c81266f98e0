"""Stub pools over real gRPC servers: choosing, retrying, giving up, and closing what left."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import grpc
import pytest

from discovery.health import HealthQueries
from discovery.probe import answering, tcp_probe
from discovery.ring import RingEmptyError
from discovery.ring_watcher import RingWatcher
from discovery.stubs import LINGER_S, RetryPolicy, StubPools, grpc_probe
from discovery.view import Instance, Snapshot
from discovery.watcher import ServiceWatcher
from parley.event.v1.event_pb2 import ChannelPosition
from parley.webapp.v1.webapp_service_pb2 import ReadHeadsRequest, ReadHeadsResponse
from parley.webapp.v1.webapp_service_pb2_grpc import WebappServiceStub
from svc.kit.clock import ManualClock, SystemClock
from svc.kit.errors import (
    DeadlineError,
    InvalidArgumentError,
    NotOwnerError,
    ParleyError,
    ResourceExhaustedError,
    UnavailableError,
)
from svc.kit.rpc import Service, rpc_server
from tests.discovery.agents import settings

if TYPE_CHECKING:
    from parley.webapp.v1.webapp_service_pb2_grpc import WebappServiceAsyncStub

NAME = "parley.webapp.v1.WebappService"
RETRY = RetryPolicy(attempts_max=3, base_s=0.01)


class Webapp:
    """A webapp that answers ReadHeads as its test says, and counts."""

    def __init__(self, name: str, respond: Callable[[int], ParleyError | None] = lambda count: None) -> None:
        self.name = name
        self.calls = 0
        self.delay_s = 0.0
        self._respond = respond

    async def read_heads(self, request: ReadHeadsRequest, context: object) -> ReadHeadsResponse:
        """Fail as told, or answer with this webapp's name."""
        self.calls += 1
        await asyncio.sleep(self.delay_s)
        error = self._respond(self.calls)
        if error is not None:
            raise error
        return ReadHeadsResponse(heads=[ChannelPosition(channel_id=self.name, offset=self.calls)])

    def service(self) -> Service:
        """Return what a server adds."""
        handler = grpc.unary_unary_rpc_method_handler(
            self.read_heads,
            request_deserializer=ReadHeadsRequest.FromString,
            response_serializer=ReadHeadsResponse.SerializeToString,
        )
        handlers = grpc.method_handlers_generic_handler(NAME, {"ReadHeads": handler})
        return Service(NAME, lambda server: server.add_generic_rpc_handlers((handlers,)))


class Seen(ServiceWatcher):
    """A watcher whose view is set by hand: no Consul."""

    def __init__(self) -> None:
        super().__init__(HealthQueries("http://127.0.0.1:1", "", 1), "parley-webapp", SystemClock(), tcp_probe)

    def show(self, *instances: Instance) -> None:
        """Make this the view."""
        self._view.believe(1, instances, 0.0)
        self._latest.set(self._view.snapshot)


@asynccontextmanager
async def pools_of(
    *webapps: Webapp, clock: ManualClock | None = None
) -> AsyncIterator[tuple[StubPools, Seen, list[Instance]]]:
    """Serve each webapp, and follow them all."""
    async with AsyncExitStack() as stack:
        instances = []
        for webapp in webapps:
            server = await stack.enter_async_context(rpc_server(settings(), [webapp.service()]))
            instances.append(Instance(webapp.name, "webapp", server.address, "az1"))
        seen = Seen()
        pools = await stack.enter_async_context(StubPools("az1", clock or SystemClock(), random.Random(3)))
        pools.follow("webapp", seen)
        seen.show(*instances)
        yield pools, seen, instances


async def ask(pools: StubPools, timeout_s: float = 2.0, retry: RetryPolicy = RETRY) -> str:
    """Call any webapp and return the name of the one that answered."""
    answer = await pools.call(
        "webapp", WebappServiceStub, read_heads, ReadHeadsRequest(), timeout_s=timeout_s, retry=retry
    )
    return name_in(answer)


def name_in(answer: ReadHeadsResponse) -> str:
    """Return who answered."""
    return answer.heads[0].channel_id


def read_heads(
    stub: "WebappServiceAsyncStub",
) -> "grpc.aio.UnaryUnaryMultiCallable[ReadHeadsRequest, ReadHeadsResponse]":
    """Return the method that these tests call."""
    return stub.ReadHeads


async def test_a_retry_goes_to_another_instance() -> None:
    """One is broken: every call works all the same, and soon the broken one is left alone."""
    broken, sound = Webapp("broken", lambda count: UnavailableError("not now")), Webapp("sound")
    async with pools_of(broken, sound) as (pools, _, _):
        assert {await ask(pools) for _ in range(30)} == {"sound"}
        assert broken.calls <= 10


async def test_errors_that_a_retry_cannot_help_are_raised_at_once() -> None:
    """The same request would fail again."""
    webapp = Webapp("a", lambda count: InvalidArgumentError("no channel", subject="channel"))
    async with pools_of(webapp) as (pools, _, _):
        with pytest.raises(InvalidArgumentError) as caught:
            await ask(pools)
        assert caught.value.subject == "channel"
        assert webapp.calls == 1


async def test_without_a_policy_nothing_is_retried() -> None:
    """Only who says that the request is idempotent gets it sent twice."""
    webapp = Webapp("a", lambda count: UnavailableError("not now"))
    async with pools_of(webapp) as (pools, _, _):
        with pytest.raises(UnavailableError):
            await ask(pools, retry=RetryPolicy(attempts_max=1))
        assert webapp.calls == 1


async def test_retries_are_a_small_share_of_the_calls_in_an_outage() -> None:
    """An outage is not multiplied: the budget allows 10 % and what was saved."""
    webapp = Webapp("a", lambda count: UnavailableError("not now"))
    async with pools_of(webapp) as (pools, _, _):
        for _ in range(100):
            with pytest.raises(UnavailableError):
                await ask(pools)
        assert 100 < webapp.calls <= 100 + 10 + 10 + 5


async def test_a_hung_instance_costs_no_more_than_the_deadline() -> None:
    """And with a limit for one try, another instance still gets its chance."""
    hung, sound = Webapp("hung"), Webapp("sound")
    hung.delay_s = 10
    async with pools_of(hung) as (pools, _, _):
        began = asyncio.get_running_loop().time()
        with pytest.raises(DeadlineError):
            await ask(pools, timeout_s=0.3)
        assert asyncio.get_running_loop().time() - began < 0.6
    async with pools_of(hung, sound) as (pools, _, _):
        patient = RetryPolicy(attempts_max=3, base_s=0.01, attempt_timeout_s=0.1)
        assert {await ask(pools, retry=patient) for _ in range(5)} == {"sound"}


async def test_the_servers_own_advice_delays_the_retry() -> None:
    """`retry_after_s` is waited for; when it does not fit into the deadline, the error is raised instead."""
    webapp = Webapp("a", lambda count: ResourceExhaustedError("busy", retry_after_s=0.2) if count == 1 else None)
    async with pools_of(webapp) as (pools, _, _):
        began = asyncio.get_running_loop().time()
        assert await ask(pools) == "a"
        assert asyncio.get_running_loop().time() - began >= 0.2
    webapp.calls = 0
    async with pools_of(webapp) as (pools, _, _):
        with pytest.raises(ResourceExhaustedError):
            await ask(pools, timeout_s=0.1)


async def test_a_tier_without_instances_is_unavailable_and_a_stranger_is_a_mistake() -> None:
    """Nobody there is weather; a tier that nobody watches is a bug."""
    async with pools_of() as (pools, _, _):
        with pytest.raises(UnavailableError):
            await ask(pools, retry=RetryPolicy(attempts_max=1))
        with pytest.raises(KeyError):
            pools.pick("gateway")


async def test_the_owner_is_asked_again_when_the_ring_has_moved() -> None:
    """A server that does not own the key says so; the next try goes by the ring as it is then."""
    stale = Webapp("stale", lambda count: NotOwnerError("moved"))
    owner = Webapp("owner")
    async with pools_of(stale, owner) as (pools, seen, instances):
        pools.follow_ring("webapp", RingWatcher(seen))
        seen.show(instances[0])
        with pytest.raises(NotOwnerError):
            await pools.call_owner("webapp", "T1", WebappServiceStub, read_heads, ReadHeadsRequest(), timeout_s=1)
        asking = asyncio.ensure_future(
            pools.call_owner(
                "webapp",
                "T1",
                WebappServiceStub,
                read_heads,
                ReadHeadsRequest(),
                timeout_s=2,
                retry=RetryPolicy(attempts_max=5, base_s=0.3),
            )
        )
        await asyncio.sleep(0.05)
        seen.show(instances[1])
        assert name_in(await asking) == "owner"
        assert pools.pick_owner("webapp", "T1") == instances[1]
        seen.show()
        with pytest.raises(RingEmptyError):
            pools.pick_owner("webapp", "T1")


async def test_a_stub_is_made_once_and_its_channel_closed_after_its_instance_left() -> None:
    """With a linger, so that a Consul that changes its mind costs nothing."""
    clock = ManualClock()
    async with pools_of(Webapp("a"), clock=clock) as (pools, seen, [a]):
        stub = pools.stub(WebappServiceStub, a)
        assert pools.stub(WebappServiceStub, a) is stub
        seen.show()
        await asyncio.sleep(0)
        seen.show(a)
        await clock.advance(LINGER_S + 1)
        assert pools.stub(WebappServiceStub, a) is stub
        assert name_in(await stub.ReadHeads(ReadHeadsRequest(), timeout=1)) == "a"
        seen.show()
        await asyncio.sleep(0)
        await clock.advance(LINGER_S + 1)
        assert pools.stub(WebappServiceStub, a) is not stub


async def test_probes_tell_the_serving_from_the_stopping_the_hung_and_the_dead() -> None:
    """The second opinion must itself be right."""

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    mute = await asyncio.start_server(swallow, "127.0.0.1", 0)
    async with mute, rpc_server(settings(), ()) as up, rpc_server(settings(), ()) as stopping:
        await stopping.set_serving(False)
        hung = f"127.0.0.1:{mute.sockets[0].getsockname()[1]}"
        addresses = {"up": up.address, "stopping": stopping.address, "hung": hung, "dead": "127.0.0.1:1"}
        instances = [Instance(name, "webapp", address) for name, address in addresses.items()]
        assert await answering(instances, grpc_probe) == {"up"}
        assert await answering(instances, tcp_probe) == {"up", "stopping", "hung"}


def test_a_snapshot_finds_its_instances() -> None:
    """By id."""
    one = Instance("a", "webapp", "h:1")
    snapshot = Snapshot("parley-webapp", 1, (one,))
    assert snapshot.get("a") is one
    assert snapshot.get("b") is None
