"""The Consul client: the agent's registrations, KV and Consul sessions by py-consul; what blocks by `health` and `kv`.

Every call has a deadline, and every failure, whoever raised it, is one of the kit's errors: UnavailableError (no
answer, a 5xx, no leader), DeadlineError, InvalidArgumentError (a 4xx), PermissionDeniedError (ACL). Works with Consul
1.8 and with current releases.
"""

import asyncio
import base64
import warnings
from collections.abc import Awaitable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal
from urllib.parse import urlsplit

import aiohttp
import consul.aio
from consul import exceptions
from consul.check import Check

from discovery.health import HealthQueries
from discovery.kv import KvQueries
from svc.kit.errors import DeadlineError, InvalidArgumentError, PermissionDeniedError, UnavailableError

CALL_TIMEOUT_S = 2.0
"""Deadline of a plain call. The agent is on this host or next to it and answers in 3 ms; 2 s is a dead one."""


@dataclass(frozen=True, slots=True)
class Registration:
    """What an instance tells its agent about itself. Equal registrations need no renewal."""

    id: str
    """Unique for each start of a process."""
    service: str
    """Consul's service name, such as `parley-channel`."""
    host: str
    port: int
    meta: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Consul allows 64 pairs, keys of 128 and values of 512 bytes."""
    tags: tuple[str, ...] = ()
    weight: int = 1
    check: Literal["grpc", "tcp", "none"] = "grpc"
    """How Consul asks whether it is healthy; `none` passes as long as it is registered."""
    check_interval_s: float = 1.0
    """Consul 1.8 raises anything shorter to 1 s."""
    check_timeout_s: float = 0.3
    """A hung process is out of every view after one interval and this."""
    deregister_after_s: float = 60.0
    """Consul forgets an instance that is critical for this long (60 s at least; it looks every 30 s)."""


class ConsulClient:
    """Calls to one Consul agent at `address` (`host:port`, or with `http://` or `https://` before it).

    An async context manager; holds three connection pools and nothing else.
    """

    def __init__(self, address: str, *, token: str = "", timeout_s: float = CALL_TIMEOUT_S) -> None:
        """Take the agent's address, the ACL token (empty: none) and the deadline of plain calls in seconds.

        Raises InvalidArgumentError when the address is none.
        """
        self._scheme, self._host, self._port = _parse_address(address)
        self.address = f"{self._scheme}://{self._host}:{self._port}"
        self.health = HealthQueries(self.address, token, timeout_s)
        """Queries about who is healthy; they may block."""
        self.kv = KvQueries(self.address, token, timeout_s)
        """Queries about a key; they may block."""
        self._token = token
        self._timeout_s = timeout_s
        self._stack = AsyncExitStack()
        self._py: Any = None  # py-consul's aio client: what it returns is not typed

    async def __aenter__(self) -> "ConsulClient":
        """Open the connection pools; connects to nothing yet."""
        await self._stack.enter_async_context(self.health)
        await self._stack.enter_async_context(self.kv)
        with warnings.catch_warnings():  # py-consul spells aiohttp's TLS option in the old way
            warnings.simplefilter("ignore", DeprecationWarning)
            agent = consul.aio.Consul(
                host=self._host,
                port=self._port,
                scheme=self._scheme,
                token=self._token or None,
                verify=self._scheme == "https",
            )
        self._py = await self._stack.enter_async_context(agent)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections; calls under way fail with UnavailableError."""
        await self._stack.aclose()

    async def register(self, registration: Registration) -> None:
        """Register with the agent, replacing what it held under the same id. Idempotent.

        The check starts as passing: an instance registers once it serves, and need not wait for Consul's first look.
        """
        await self._call(
            self._py.agent.service.register(
                registration.service,
                service_id=registration.id,
                address=registration.host,
                port=registration.port,
                tags=list(registration.tags),
                meta=dict(registration.meta),
                weights={"Passing": registration.weight, "Warning": registration.weight},
                check=_check(registration),
                replace_existing_checks=True,
            )
        )

    async def deregister(self, instance_id: str, timeout_s: float | None = None) -> None:
        """Remove a registration from the agent. Idempotent: an unknown id is fine."""
        try:
            await self._call(self._py.agent.service.deregister(instance_id), timeout_s)
        except UnavailableError as error:
            # 1.8 answers 500 for an id that it does not hold, newer releases 404, which py-consul lets pass.
            if "nknown service" not in error.message:
                raise

    async def holds(self, registration: Registration) -> bool:
        """Return whether the agent holds this registration with the same address, port and meta."""
        held = await self._call(self._py.agent.service_definition(registration.id))
        return bool(held) and (held["Address"], held["Port"], dict(held.get("Meta") or {})) == (
            registration.host,
            registration.port,
            dict(registration.meta),
        )

    async def leader(self) -> str:
        """Return the address of the current leader. Raises UnavailableError while there is none."""
        address = await self._call(self._py.status.leader())
        if not address:
            raise UnavailableError("Consul has no leader")
        return str(address)

    async def get(self, key: str, *, consistent: bool = False) -> tuple[bytes | None, int]:
        """Return the value under `key` (None when absent) and the index to compare-and-set it with (0 when absent)."""
        _, entry = await self._call(self._py.kv.get(key, consistency="consistent" if consistent else "default"))
        if entry is None:
            return None, 0
        return entry["Value"] or b"", int(entry["ModifyIndex"])

    async def list_keys(self, prefix: str) -> dict[str, bytes]:
        """Return every key that begins with `prefix`, with its value."""
        _, entries = await self._call(self._py.kv.get(prefix, recurse=True))
        return {entry["Key"]: entry["Value"] or b"" for entry in entries or ()}

    async def put(self, key: str, value: bytes, *, if_index: int | None = None, session_id: str = "") -> bool:
        """Store a value of at most 512 KB; return whether it was stored.

        With `if_index` only while the key is still at that index (0: absent); with `session_id` only by acquiring the
        key's lock for that Consul session.
        """
        return bool(await self._call(self._py.kv.put(key, value, cas=if_index, acquire=session_id or None)))

    async def put_together(self, values: Mapping[str, tuple[bytes, int]]) -> bool:
        """Store at most 64 values in one transaction, each only while its key is still at the given index (0: absent).

        Returns False, with nothing stored, when one of them is not.
        """
        operations = [
            {"KV": {"Verb": "cas", "Key": key, "Value": base64.b64encode(value).decode(), "Index": index}}
            for key, (value, index) in values.items()
        ]
        try:
            await self._call(self._py.txn.put(operations))
        except InvalidArgumentError as error:
            if not isinstance(error.__cause__, exceptions.ClientError) or "409" not in error.message:
                raise
            return False  # 409 is its answer when a key has moved on
        return True

    async def delete(self, key: str, *, recurse: bool = False) -> None:
        """Remove a key, or with `recurse` all that begin with it. Idempotent."""
        await self._call(self._py.kv.delete(key, recurse=recurse or None))

    async def create_session(self, name: str, ttl_s: int, *, delete_keys: bool = False) -> str:
        """Return the id of a new Consul session that ends `ttl_s` (10 to 86,400) after its last renewal.

        Its locks are then released, or with `delete_keys` the keys are deleted.
        """
        behavior = "delete" if delete_keys else "release"
        return str(await self._call(self._py.session.create(name, lock_delay=1, behavior=behavior, ttl=ttl_s)))

    async def renew_session(self, session_id: str) -> bool:
        """Extend a Consul session by its TTL; return False when it has ended."""
        try:
            await self._call(self._py.session.renew(session_id))
        except InvalidArgumentError:
            return False
        return True

    async def destroy_session(self, session_id: str) -> None:
        """End a Consul session. Idempotent."""
        await self._call(self._py.session.destroy(session_id))

    async def _call(self, call: Awaitable[Any], timeout_s: float | None = None) -> Any:
        """Await a py-consul call within the deadline, with its failures translated."""
        patience_s = timeout_s or self._timeout_s
        try:
            async with asyncio.timeout(patience_s):
                return await call
        except TimeoutError as error:
            raise DeadlineError(f"Consul at {self.address} did not answer in {patience_s} s") from error
        except exceptions.ACLPermissionDenied as error:
            raise PermissionDeniedError(f"Consul refused: {error}") from error
        except (exceptions.BadRequest, exceptions.NotFound, exceptions.ClientError) as error:
            raise InvalidArgumentError(f"Consul refused: {error}") from error
        except (exceptions.ConsulException, aiohttp.ClientError, OSError) as error:
            raise UnavailableError(f"Consul at {self.address}: {error or type(error).__name__}") from error


def _parse_address(address: str) -> tuple[str, str, int]:
    """Return scheme, host (IPv6 in brackets) and port."""
    parts = urlsplit(address if "//" in address else f"http://{address}")
    try:
        host, port = parts.hostname or "", parts.port or 8500
    except ValueError:
        host, port = "", 0
    if not host or parts.scheme not in ("http", "https"):
        raise InvalidArgumentError(f"{address!r} is no address of a Consul: host:port is wanted", subject="consul_addr")
    return parts.scheme, f"[{host}]" if ":" in host else host, port


def _check(registration: Registration) -> dict[str, Any] | None:
    if registration.check == "none":
        return None
    host = f"[{registration.host}]" if ":" in registration.host else registration.host
    timing = {
        "interval": f"{round(registration.check_interval_s * 1000)}ms",
        "timeout": f"{round(registration.check_timeout_s * 1000)}ms",
        "deregister": f"{round(registration.deregister_after_s)}s",
    }
    if registration.check == "tcp":
        check = Check.tcp(host, registration.port, **timing)
    else:
        check = Check.grpc(f"{host}:{registration.port}", **timing)
    return {**check, "status": "passing"}
