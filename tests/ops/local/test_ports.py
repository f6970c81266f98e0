"""Ports on loopback: free ones, taken ones, and who has them."""

from __future__ import annotations

import os
import socket

import pytest

from ops.local.errors import PortTakenError
from ops.local.ports import HOST, Ports, describe_owner, is_free


def test_free_ports_are_distinct_and_bindable() -> None:
    """A claimed port is not handed out twice, and a server can have it."""
    ports = Ports()
    claimed = [ports.claim_free() for _ in range(20)]
    assert len(set(claimed)) == 20
    assert all(is_free(port) for port in claimed)
    ports.close()


def test_two_meshes_never_claim_the_same_port() -> None:
    """Claims hold between processes until they are given back."""
    one, other = Ports(), Ports()
    port = one.claim_free()
    with pytest.raises(PortTakenError, match="another mesh"):
        other.claim(port, "Web API", "")
    one.close()
    assert other.claim(port, "Web API", "") == port
    other.close()


def test_a_taken_port_names_its_owner_and_what_to_do() -> None:
    """The message is for a person who has to stop something or choose another."""
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(PortTakenError) as caught:
            Ports().claim(port, "Web API", "choose another")
        assert str(port) in str(caught.value)
        assert "Web API" in str(caught.value)
        assert f"pid {os.getpid()}" in caught.value.owner
        assert caught.value.hint == "choose another"


def test_a_port_taken_on_every_address_is_taken() -> None:
    """A server on 0.0.0.0 is in the way of one on loopback as well."""
    with socket.create_server(("", 0)) as server:
        assert not is_free(server.getsockname()[1])


def test_nobody_owns_a_free_port() -> None:
    """Where the system does not say, the message stays vague rather than wrong."""
    ports = Ports()
    assert describe_owner(ports.claim_free()) == "another process"
    ports.close()
