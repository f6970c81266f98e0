"""Streams from one process to the servicer of another, and what opens them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, cast

from ops.sim.mesh import Process
from ops.sim.wires import Handler, Stream
from parley.channel.v1 import channel_service_pb2 as channel_pb


class PublishStub:
    """A stub whose Publish opens a stream to a process."""

    def __init__(self, caller: Process, server_id: str) -> None:
        self._caller = caller
        self._server_id = server_id

    def Publish(self, requests: AsyncIterator[Any] | None = None) -> Stream:  # noqa: N802 - gRPC's name
        """Open the stream."""
        return connect(self._caller, self._server_id, lambda servicer: cast(Handler, servicer.Publish), requests)


def connect(
    caller: Process, server_id: str, method: Callable[[Any], Handler], requests: AsyncIterator[Any] | None = None
) -> Stream:
    """Open a stream to a method of another process's servicer."""
    mesh = caller.mesh
    server = mesh.processes.get(server_id)
    return Stream(
        mesh.network,
        caller.host,
        server.host if server is not None else None,
        lambda: method(cast(Any, server).servicer),
        requests,
        parse=_parse,
    )


def _parse(frame: Any) -> Any:
    return channel_pb.AttachResponse.FromString(frame) if isinstance(frame, bytes) else frame
