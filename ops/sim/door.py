"""The front door: a call to a webapp that Consul believes in, and to another one when the outcome is unknown."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any, cast

from ops.sim.calls import call
from ops.sim.mesh import Mesh
from ops.sim.webapps import WebappProcess
from ops.sim.world import Host
from svc.kit.errors import ParleyError, UnavailableError
from svc.webapp.domain.refusal import Refused

HTTP_S = 5.0
TRIES = 6


async def ask(
    mesh: Mesh, caller: Host, rng: Random, work: Callable[[WebappProcess], Awaitable[Any] | Any], tries: int = TRIES
) -> Any:
    """Have a webapp do something and return its answer. Raises Refused, and the kit's errors for an unknown outcome."""
    failure: ParleyError = UnavailableError("no webapp is there")
    for number in range(tries):
        names = sorted(mesh.consul.healthy("webapp"))
        if names:
            webapp = cast(WebappProcess, mesh.processes[rng.choice(names)])

            async def done(webapp: WebappProcess = webapp) -> Any:
                try:
                    value = work(webapp)
                    return await value if isinstance(value, Awaitable) else value
                except Refused as refusal:
                    return refusal

            try:
                answer = await call(mesh.network, caller, webapp.host, done, HTTP_S)
            except ParleyError as error:
                failure = error
            else:
                if isinstance(answer, Refused):
                    raise answer
                return answer
        if number + 1 < tries:
            await asyncio.sleep(0.2 + 0.5 * rng.random())
    raise failure
