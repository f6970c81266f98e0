"""One call of a Web API method: what a method is, and what it is given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from svc.webapp.api.arguments import Arg, Args, Kind
from svc.webapp.domain.caller import Caller
from svc.webapp.domain.connect import Origin
from svc.webapp.domain.services import Services
from svc.webapp.priority import Priority

Answer: TypeAlias = dict[str, Any]
"""What a method returns: the answer without `ok`."""


@dataclass(frozen=True, slots=True)
class Call:
    """What a method is given."""

    caller: Caller
    args: Args
    services: Services
    origin: Origin


@dataclass(frozen=True, slots=True)
class Method:
    """One method of the Web API.

    `writes`: whether it changes something, so that a timeout leaves its outcome unknown. `oversize`: the error for a
    body over the limit. `is_public`: needs no token. `reads_as`: the class of one that does not write.
    """

    name: str
    handler: Callable[[Call], Awaitable[Answer]]
    args: tuple[Arg, ...] = ()
    writes: bool = False
    is_public: bool = False
    oversize: str = "invalid_arguments"
    reads_as: Priority = Priority.READ

    @property
    def priority(self) -> Priority:
        """What gives way to it, and what it gives way to, when there is too much to do."""
        return Priority.POST if self.writes else self.reads_as


PAGE_DEFAULT = 100
PAGE_MAX = 1_000

LIMIT = Arg(
    "limit", Kind.NUMBER, invalid="invalid_limit", default=PAGE_DEFAULT, minimum=1, maximum=PAGE_MAX, clamp=True
)
CURSOR = Arg("cursor", invalid="invalid_cursor")
CHANNEL = Arg("channel", required=True)
