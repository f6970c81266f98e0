"""Asking several handles at once about parts of one batch, and putting their answers back in order."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from svc.webapp.cache.routes.route import Found, Route, Undelivered

__all__ = ["NOTHING_UNDELIVERED", "delete_everywhere", "delete_parts", "get_parts"]

NOTHING_UNDELIVERED: Undelivered = {}


async def get_parts(
    parts: Mapping[Route, list[int]], keys: Sequence[str], lease_s: int, into: list[Found | None]
) -> list[Found | None]:
    """Ask each handle for the keys at its places, all at once, and return `into` with the answers in those places."""
    if len(parts) == 1:
        ((route, places),) = parts.items()
        await _get_part(route, places, keys, lease_s, into)
        return into
    async with asyncio.TaskGroup() as group:
        for route, places in parts.items():
            group.create_task(_get_part(route, places, keys, lease_s, into))
    return into


async def _get_part(
    route: Route, places: list[int], keys: Sequence[str], lease_s: int, into: list[Found | None]
) -> None:
    found = await route.get([keys[place] for place in places], lease_s)
    for place, each in zip(places, found, strict=True):
        into[place] = each


async def delete_everywhere(routes: Iterable[Route], keys: Sequence[str], stale_s: int) -> Undelivered:
    """Delete the keys on every handle, all at once."""
    return await delete_parts(dict.fromkeys(routes, keys), stale_s)


async def delete_parts(parts: Mapping[Route, Sequence[str]], stale_s: int) -> Undelivered:
    """Delete on each handle its keys, all at once; return what did not get through anywhere."""
    if not parts:
        return NOTHING_UNDELIVERED
    if len(parts) == 1:
        ((route, keys),) = parts.items()
        return await route.delete(keys, stale_s)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(route.delete(keys, stale_s)) for route, keys in parts.items()]
    return _joined([undelivered for task in tasks if (undelivered := task.result())])


def _joined(all_undelivered: Sequence[Undelivered]) -> Undelivered:
    if len(all_undelivered) < 2:
        return all_undelivered[0] if all_undelivered else NOTHING_UNDELIVERED
    joined: dict[str, dict[str, None]] = {}
    for undelivered in all_undelivered:
        for address, keys in undelivered.items():
            joined.setdefault(address, {}).update(dict.fromkeys(keys))
    return {address: tuple(keys) for address, keys in joined.items()}
