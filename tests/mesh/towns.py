"""Towns: a mesh of real processes with people in it."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from ops.demo import ensure_demo
from ops.local.mesh import Mesh
from ops.local.spec import MeshSpec
from tests.mesh.collector import Collector
from tests.mesh.people import Person


@dataclass(frozen=True, slots=True)
class Town:
    """A mesh with people in it: ada, grace, linus and a bot called helper, all in the channel `general`."""

    mesh: Mesh
    people: dict[str, Person]
    general: str
    http: aiohttp.ClientSession
    collector: Collector | None = None

    def __getitem__(self, name: str) -> Person:
        return self.people[name]

    async def metric(self, instance: str, name: str) -> float:
        """Return the sum of a counter or gauge of one instance, over its labels."""
        listed = {each.name: each for each in await self.mesh.instances()}
        port = listed[instance].instance.meta["metrics_port"]
        async with self.http.get(f"http://127.0.0.1:{port}/metrics") as answer:
            lines = (await answer.text()).splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.split("{")[0].split(" ")[0] == name)


@asynccontextmanager
async def town(var: Path, collector: Collector | None = None, **spec: Any) -> AsyncIterator[Town]:
    """Start a mesh and move people in; where it speaks TLS they trust its certificate."""
    if collector is not None:
        traced = {"PARLEY_OTLP_ENDPOINT": collector.endpoint, "PARLEY_TRACE_RATIO": "1"}
        spec["environ"] = {**spec.get("environ", {}), **traced}
    tls = ssl.create_default_context(cafile=str(spec["tls_cert"])) if spec.get("tls_cert") else True
    connector = aiohttp.TCPConnector(ssl=tls)
    async with (
        Mesh(MeshSpec(var=var, graceful=False, **spec)) as mesh,
        aiohttp.ClientSession(connector=connector) as http,
    ):
        demo = await ensure_demo(mesh, lambda _: None)
        people = {name: Person(name, uid, token, mesh.web_url, http) for name, uid, token in demo.users}
        yield Town(mesh, people, demo.channel_id, http, collector)
