"""Serialized messages put together are read as if they had been parsed and added one by one."""

from __future__ import annotations

import pytest

from parley.boot.v1 import boot_pb2 as boot
from parley.edge.v1 import edge_service_pb2 as edge
from svc.edge.wire import fields


@pytest.mark.parametrize("size", [0, 1, 100, 126, 127, 128, 129, 16_381, 16_384, 2_097_151, 2_097_160])
def test_lengths_of_every_width_are_written_as_protobuf_does(size: int) -> None:
    """Seven bits a byte: the widths change at 128, 16,384 and 2,097,152."""
    users = [boot.User(title="x" * size), boot.User(), boot.User(id="U1")]
    response = edge.BootResponse(user_count=3)
    response.MergeFromString(fields(edge.BootResponse.USERS_FIELD_NUMBER, [user.SerializeToString() for user in users]))
    assert list(response.users) == users
    assert response == edge.BootResponse(user_count=3, users=users)
    assert response.SerializeToString() == edge.BootResponse(user_count=3, users=users).SerializeToString()


def test_fields_unknown_to_this_edge_pass_through() -> None:
    """A newer webapp's users keep what only newer clients of the edge understand."""
    newer = boot.User(id="U1").SerializeToString() + b"\xfa\x3f\x03new"
    response = edge.BootResponse()
    response.MergeFromString(fields(edge.BootResponse.USERS_FIELD_NUMBER, [newer]))
    assert response.SerializeToString().endswith(b"\xfa\x3f\x03new")
