"""Passwords as hashes."""

from __future__ import annotations

import asyncio
import threading

import pytest

from svc.kit.errors import ResourceExhaustedError
from svc.webapp.domain.people.hashing import AT_ONCE_MAX, WAITING_MAX, Hasher

CHEAP = {"memory_kib": 64, "passes": 1, "lanes": 1}


async def test_a_hash_is_of_its_password_alone() -> None:
    """Two of one password differ by their salt; "" and what is no hash are of none, the empty one included."""
    hasher = Hasher(**CHEAP)
    first, second = await hasher.hash("correct horse"), await hasher.hash("correct horse")
    assert first != second
    assert first.startswith("$argon2id$v=19$m=64,t=1,p=1$")
    assert await hasher.matches(first, "correct horse")
    assert await hasher.matches(second, "correct horse")
    for hashed, password in ((first, "correct hors"), (first, ""), ("", ""), ("", "x"), ("nonsense", "x")):
        assert not await hasher.matches(hashed, password)


async def test_other_parameters_are_noticed() -> None:
    """By the hash itself."""
    hashed = await Hasher(**CHEAP).hash("correct horse")
    assert not Hasher(**CHEAP).is_outdated(hashed)
    assert Hasher(memory_kib=128, passes=1, lanes=1).is_outdated(hashed)
    assert await Hasher(memory_kib=128, passes=2, lanes=1).matches(hashed, "correct horse")


async def test_so_many_at_once_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop stays free meanwhile; who comes when too many wait is told to come back."""
    hasher, go, running = Hasher(**CHEAP), threading.Event(), list[str]()

    class Slow:
        def hash(self, password: str) -> str:
            running.append(password)
            go.wait(60)
            return password

    monkeypatch.setattr(hasher, "_argon2", Slow())
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        tasks = [group.create_task(hasher.hash("x")) for _ in range(WAITING_MAX)]
        while len(running) < AT_ONCE_MAX:
            await asyncio.sleep(0.001)
        with pytest.raises(ResourceExhaustedError):
            await hasher.hash("x")
        assert len(running) == AT_ONCE_MAX
        go.set()
    assert len(tasks) == len(running)
    assert await hasher.hash("x") == "x"
