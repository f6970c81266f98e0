"""The server that every tier runs, over a real socket."""

from collections.abc import AsyncIterator
from dataclasses import replace

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from parley.admin.v1 import admin_service_pb2 as admin_pb2
from parley.admin.v1 import admin_service_pb2_grpc as admin_grpc
from svc.kit import errors
from svc.kit.config import InstanceConfig, load
from svc.kit.rpc import CHANNEL_OPTIONS, Service, rpc_server

NAME = "parley.admin.v1.AdminService"
CONFIG = load(InstanceConfig, {"PARLEY_SECRET": "0123456789abcdef"})


class Failing(admin_grpc.AdminServiceServicer):
    """Raises whatever it was given."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def Locate(self, request: object, context: object) -> admin_pb2.LocateResponse:
        raise self.error

    async def Publish(self, request_iterator: object, context: object) -> AsyncIterator[admin_pb2.PublishResponse]:
        for error in (self.error,):
            raise error
        yield admin_pb2.PublishResponse()


def failing(error: Exception) -> Service:
    """Return the service whose every call raises `error`."""
    return Service(NAME, lambda server: admin_grpc.add_AdminServiceServicer_to_server(Failing(error), server))


ERRORS = [
    errors.NotOwnerError("elsewhere", ring_fingerprint=7),
    errors.ResourceExhaustedError("too many", subject="posts", limit=5, actual=6, retry_after_s=1.5),
    errors.FencedError("alone"),
    errors.InvalidArgumentError("what", subject="channel_id"),
    errors.DataLossError("gone"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
async def test_an_error_of_the_tree_survives_the_wire(error: errors.ParleyError) -> None:
    """The same class with the same numbers comes out on the other side, from unary calls and from streams."""
    async with rpc_server(CONFIG, [failing(error)]) as server:
        async with grpc.aio.insecure_channel(server.address, options=CHANNEL_OPTIONS) as channel:
            stub = admin_grpc.AdminServiceStub(channel)
            with pytest.raises(grpc.aio.AioRpcError) as unary:
                await stub.Locate(admin_pb2.LocateRequest())
            with pytest.raises(grpc.aio.AioRpcError) as stream:
                await stub.Publish(iter([])).read()
    for caught in (unary, stream):
        back = errors.from_rpc_error(caught.value)
        assert type(back) is type(error)
        assert back.detail() == error.detail()
        assert back.message == error.message


async def test_a_defect_is_internal_and_shows_no_stack_trace() -> None:
    """What went wrong inside is for the log, not for the caller."""
    async with rpc_server(CONFIG, [failing(KeyError("password=hunter2"))]) as server:
        async with grpc.aio.insecure_channel(server.address) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await admin_grpc.AdminServiceStub(channel).Locate(admin_pb2.LocateRequest())
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert "hunter2" not in str(caught.value.details())


async def test_health_follows_set_serving_and_reflection_lists_the_service() -> None:
    """Consul asks the one, operators the other."""
    async with rpc_server(CONFIG, [failing(errors.InternalError("x"))]) as server:
        async with grpc.aio.insecure_channel(server.address) as channel:
            health = health_pb2_grpc.HealthStub(channel)  # type: ignore[no-untyped-call]
            request = health_pb2.HealthCheckRequest(service=NAME)
            assert (await health.Check(request)).status == health_pb2.HealthCheckResponse.SERVING
            await server.set_serving(False)
            assert (await health.Check(request)).status == health_pb2.HealthCheckResponse.NOT_SERVING
            ask = reflection_pb2.ServerReflectionRequest(list_services="")
            stub = reflection_pb2_grpc.ServerReflectionStub(channel)  # type: ignore[no-untyped-call]
            listed = await stub.ServerReflectionInfo(iter([ask])).read()
    assert NAME in {service.name for service in listed.list_services_response.service}


async def test_a_taken_port_is_refused_instead_of_shared() -> None:
    """Two servers on one port would each get half of the calls."""
    async with rpc_server(CONFIG, []) as first:
        with pytest.raises(OSError, match=str(first.port)):
            async with rpc_server(replace(CONFIG, grpc_port=first.port), []):
                pass
