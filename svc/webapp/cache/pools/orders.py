"""What people may order, and what became of it. Pure."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

from svc.webapp.cache.pools.table import is_address

__all__ = ["Op", "Order", "OrderError", "Outcome", "parse_order"]


class OrderError(ValueError):
    """An order that cannot be read, or cannot be carried out; says why, and what is allowed."""


class Op(Enum):
    """Kinds of orders."""

    REPLACE = "replace"
    """Put `node` (without one: a spare) into `seat`, and retire the node that is there."""
    ADD = "add"
    """Put `node` (without one: a spare) into a seat of its own: `seat`, or the first free number."""
    DRAIN = "drain"
    """Take `seat` away, and retire its node."""
    SPARE = "spare"
    """Keep `node` ready to take the seat of one that dies."""


@dataclass(frozen=True, slots=True)
class Order:
    """One order, in KV under `parley/cache/orders/<pool>/<id>` until it is carried out or refused."""

    id: str
    """Orders are carried out by their ids, lowest first."""
    op: Op
    seat: str = ""
    node: str = ""
    """host:port."""

    @property
    def why(self) -> str:
        """What a seat's change is marked with."""
        return f"order:{self.id}"

    def dump(self) -> bytes:
        """Return it as it stands in KV."""
        return json.dumps({"op": self.op.value, "seat": self.seat, "node": self.node}).encode()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an order stands: `waiting`, `running`, `done` or `refused`, and a sentence about it."""

    id: str
    state: str
    text: str = ""

    @property
    def is_final(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state in ("done", "refused")

    def as_json(self) -> dict[str, Any]:
        """Return it for the status."""
        return asdict(self)


def parse_order(id_: str, data: bytes) -> Order:
    """Return the order that `data` holds. Raises OrderError."""
    try:
        body = json.loads(data)
        op, seat, node = Op(body["op"]), body.get("seat", ""), body.get("node", "")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        ops = ", ".join(op.value for op in Op)
        raise OrderError(f"an object with op ({ops}), seat and node is wanted: {error!r}") from error
    if not isinstance(seat, str) or len(seat) > 64 or not isinstance(node, str) or (node and not is_address(node)):
        raise OrderError(f"seat {seat!r} must be a name, node {node!r} a host:port")
    if op in (Op.REPLACE, Op.DRAIN) and not seat:
        raise OrderError(f"{op.value} needs a seat")
    if op is Op.SPARE and not node:
        raise OrderError("spare needs a node")
    return Order(id_, op, seat, node)
