"""The servers that `bench.fanout` compares: ours, the floor, and four that others use."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from types import MappingProxyType

from bench.fanout_peers.floor import floor
from bench.fanout_peers.nats import nats
from bench.fanout_peers.nchan import nchan
from bench.fanout_peers.node import socketio, ws
from bench.fanout_peers.ours import parley
from bench.fanout_peers.peer import Peer, PeerMissing, Place

__all__ = ["PEERS", "Peer", "PeerMissing", "Place"]

PEERS = MappingProxyType[str, Callable[[Place], AbstractAsyncContextManager[Peer]]](
    {"floor": floor, "nats-server": nats, "nchan": nchan, "ws": ws, "socket.io": socketio, "parley": parley}
)
"""By name, in the order in which they are started."""
