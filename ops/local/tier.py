"""One instance of a tier: `python -m svc.<tier>.main` with its settings, ready once Consul says that it passes."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from ops.local.catalog import CatalogError, Listed
from ops.local.process import Command
from ops.setup.binaries import ROOT

# The settings by which a person-facing port is fixed; gRPC and metrics ports are free ones, found through Consul.
PORT_SETTING = {"webapp": "PARLEY_WEBAPP_HTTP_PORT", "gateway": "PARLEY_GATEWAY_WS_PORT"}

# The programs of those that are not a folder of their own.
MODULE = {"search": "svc.webapp.search.main"}

# A gateway moves its clients before it goes, a channel server hands its channels over.
STOP_TIMEOUT_S = 15.0

ListTiers = Callable[[], Awaitable[list[Listed]]]


class Tier:
    """An instance of `tier` in `zone`; `port` is its HTTP or WebSocket port, 0 for tiers that have none.

    `listed` returns what Consul says; `environ` is everything that the process needs to know.
    """

    def __init__(
        self,
        name: str,
        tier: str,
        zone: str,
        *,
        port: int,
        log: Path,
        environ: Mapping[str, str],
        listed: ListTiers,
        ready_timeout_s: float,
    ) -> None:
        self.name = name
        self.tier = tier
        self.zone = zone
        self.port = port
        self.ready_timeout_s = ready_timeout_s
        self._log = log
        self._environ = environ
        self._listed = listed
        self._asked_at = 0.0

    async def prepare(self) -> None:
        """Remember when the start was asked for, to tell this process from an earlier one of the same name."""
        self._asked_at = time.time()

    def command(self) -> Command:
        """Return how to run it."""
        own = {"PARLEY_INSTANCE_NAME": self.name, "PARLEY_ZONE": self.zone, "PYTHONFAULTHANDLER": "1"}
        if self.port:
            own[PORT_SETTING[self.tier]] = str(self.port)
        argv = (sys.executable, "-m", MODULE.get(self.tier, f"svc.{self.tier}.main"))
        environ = {**self._environ, **own}
        return Command(
            self.name, argv, ROOT, self._log, environ, stop_timeout_s=STOP_TIMEOUT_S, stop_signal=signal.SIGTERM
        )

    async def is_ready(self) -> bool:
        """Say whether Consul has this start of the instance as passing."""
        return await self.find() is not None

    async def find(self) -> Listed | None:
        """Return what Consul says about this start of the instance, while it passes."""
        try:
            listed = await self._listed()
        except CatalogError:
            return None
        # Whole seconds: that is how precisely a registration says when its process started.
        mine = (each for each in listed if each.name == self.name and each.health == "passing")
        return next((each for each in mine if not each.started or each.started >= int(self._asked_at)), None)
