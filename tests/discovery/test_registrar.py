"""The registrar against a Consul that forgets, refuses and hangs."""

import asyncio
import time

import pytest

from discovery.consul import ConsulClient, Registration
from discovery.registrar import LEAVE_TIMEOUT_S, Registrar, new_instance_id
from svc.kit.clock import SystemClock
from svc.kit.errors import DeadlineError, InvalidArgumentError, PermissionDeniedError, UnavailableError
from tests.discovery.agents import settings, until
from tests.discovery.fake_consul import FakeConsul

CLOCK = SystemClock()
MINE = Registration("channel-1-abc", "parley-channel", "127.0.0.1", 7_000, {"zone": "az1"}, weight=3)


def registrar(client: ConsulClient, fence_s: float = 5.0) -> Registrar:
    """Return a registrar that confirms quickly."""
    return Registrar(client, MINE, CLOCK, fence_s=fence_s, confirm_interval_s=0.05)


async def test_the_registration_says_how_to_be_checked_and_forgotten() -> None:
    """A gRPC check each second that must answer in 300 ms, passing from the start, and the end of the dead."""
    async with FakeConsul() as consul, ConsulClient(consul.address) as client, registrar(client):
        sent = consul.registered["channel-1-abc"]
        assert sent["checks"] == [
            {
                "grpc": "127.0.0.1:7000",
                "interval": "1000ms",
                "timeout": "300ms",
                "DeregisterCriticalServiceAfter": "60s",
                "status": "passing",
            }
        ]
        assert sent["weights"] == {"Passing": 3, "Warning": 3}
        assert sent["meta"] == {"zone": "az1"}
    assert consul.registered == {}


@pytest.mark.parametrize("change", ["forgotten", "moved"])
async def test_a_registration_that_is_not_as_it_should_be_is_put_back(change: str) -> None:
    """Lost, or overwritten with another address."""
    async with FakeConsul() as consul, ConsulClient(consul.address) as client, registrar(client) as mine:
        if change == "forgotten":
            consul.registered.clear()
        else:
            consul.registered[MINE.id]["port"] = 1
        await until(lambda: consul.registered.get(MINE.id, {}).get("port") == 7_000)
        await until(lambda: mine.last_heard(CLOCK.now()) < 1)


async def test_the_fence_closes_while_consul_is_silent_and_opens_when_it_speaks() -> None:
    """An owner must know for how long it has not been confirmed."""
    async with FakeConsul() as consul, ConsulClient(consul.address) as client, registrar(client, 0.3) as mine:
        assert not mine.fence.is_fenced(CLOCK.now())
        consul.agent_status = 500
        await until(lambda: mine.fence.is_fenced(CLOCK.now()))
        consul.agent_status = 200
        await until(lambda: not mine.fence.is_fenced(CLOCK.now()))


async def test_errors_back_off_instead_of_hammering() -> None:
    """A broken agent is asked a few times a second at first, then less."""
    async with FakeConsul(agent_status=500) as consul, ConsulClient(consul.address) as client, registrar(client):
        await asyncio.sleep(1.0)
        assert 2 <= len(consul.calls) <= 15


async def test_a_consul_that_hangs_does_not_hold_up_the_exit() -> None:
    """The process leaves in bounded time, whatever Consul does."""
    async with FakeConsul() as consul, ConsulClient(consul.address, timeout_s=5) as client:
        async with registrar(client):
            consul.agent_delay_s = 10
            began = time.monotonic()
        assert time.monotonic() - began < LEAVE_TIMEOUT_S + 0.5


async def test_leaving_stops_serving_first_and_nothing_registers_again() -> None:
    """Peers that ask the instance itself must hear that it is going."""
    order: list[str] = []

    async def stop_serving() -> None:
        order.append("stopped serving" if MINE.id in consul.registered else "too late")

    async with FakeConsul() as consul, ConsulClient(consul.address) as client:
        mine = Registrar(client, MINE, CLOCK, stop_serving=stop_serving, confirm_interval_s=0.02)
        async with mine:
            await mine.leave()
            assert consul.registered == {}
            assert mine.fence.is_fenced(CLOCK.now())
            await asyncio.sleep(0.2)
            assert consul.registered == {}
    assert order == ["stopped serving"]
    assert consul.calls.count("deregister") == 1


async def test_failures_of_the_client_are_the_kits_errors() -> None:
    """py-consul's and aiohttp's own exceptions end at the client."""
    async with FakeConsul() as consul, ConsulClient(consul.address, timeout_s=0.2) as client:
        for status, error in ((500, UnavailableError), (403, PermissionDeniedError), (400, InvalidArgumentError)):
            consul.agent_status = status
            with pytest.raises(error):
                await client.register(MINE)
        consul.agent_status, consul.agent_delay_s = 200, 5
        with pytest.raises(DeadlineError):
            await client.holds(MINE)
    async with ConsulClient("127.0.0.1:1") as client:
        with pytest.raises(UnavailableError):
            await client.leader()


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("10.0.0.1:8500", "http://10.0.0.1:8500"),
        ("consul", "http://consul:8500"),
        ("https://consul.example:8501", "https://consul.example:8501"),
        ("[::1]:8500", "http://[::1]:8500"),
    ],
)
def test_an_address_may_be_a_host_a_port_or_a_url(address: str, url: str) -> None:
    """What people put into PARLEY_CONSUL_ADDR."""
    assert ConsulClient(address).address == url


@pytest.mark.parametrize("address", ["", "ftp://consul", "consul:port", ":8500"])
def test_what_is_no_address_is_refused(address: str) -> None:
    """At the start, with the address in the message."""
    with pytest.raises(InvalidArgumentError, match="host:port"):
        ConsulClient(address)


def test_every_start_has_an_id_of_its_own() -> None:
    """A restarted process is another instance."""
    first, second = new_instance_id("channel", settings()), new_instance_id("channel", settings())
    assert first != second
    assert first.startswith("channel-az1-")
