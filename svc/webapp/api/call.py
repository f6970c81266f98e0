"""One call of a Web API method: what a method is, and what it is given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from svc.webapp.api.arguments import Arg, Args, Kind
from svc.webapp.domain.connect import Origin
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.services import Services
from svc.webapp.limits.tiers import Tier
from svc.webapp.priority import Priority
from svc.webapp.store.rows import TokenKind

__all__ = [
    "CHANNEL",
    "CURSOR",
    "INCLUDE_LOCALE",
    "LIMIT",
    "PAGE_DEFAULT",
    "PAGE_MAX",
    "PEOPLE_AND_BOTS",
    "Answer",
    "Call",
    "Method",
    "Tier",
]

Answer: TypeAlias = dict[str, Any]
"""What a method returns: the answer without `ok`."""


@dataclass(frozen=True, slots=True)
class Call:
    """What a method is given."""

    caller: Caller
    args: Args
    services: Services
    origin: Origin


PEOPLE_AND_BOTS = frozenset({TokenKind.USER, TokenKind.BOT})


@dataclass(frozen=True, slots=True)
class Method:
    """One method of the Web API.

    `writes`: whether it changes something, so that a timeout leaves its outcome unknown. `oversize`: the error for a
    body over the limit. `is_public`: needs no token. `reads_as`: the class of one that does not write. `scopes`: tokens
    with an app's scopes need any one of these; (): none. `tokens`: the kinds that may call it.
    `precheck`: refuses what would be refused anyhow, before it is known who calls; it is given what was sent.
    `partly`: what of Slack's method of this name is missing, in a sentence for the coverage page; "": nothing.
    """

    name: str
    handler: Callable[[Call], Awaitable[Answer]]
    args: tuple[Arg, ...] = ()
    writes: bool = False
    is_public: bool = False
    oversize: str = "invalid_arguments"
    reads_as: Priority = Priority.READ
    scopes: tuple[str, ...] = ()
    tier: Tier = Tier.T3
    tokens: frozenset[TokenKind] = PEOPLE_AND_BOTS
    partly: str = ""
    precheck: Callable[[Services, Mapping[str, object]], None] | None = None

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
INCLUDE_LOCALE = Arg("include_locale", Kind.FLAG)
"""Tell what language somebody, or a conversation, speaks."""
