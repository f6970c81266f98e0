"""Passwords as Argon2id hashes, made and checked in threads of their own, so many at once and no more.

Parameters: 64 MiB, as RFC 9106 recommends second, and 2 passes in one lane where it has 3 in 4: those took 190 to
240 ms of processor time, of all cores of a machine on which messages are waiting; these take 135 to 175 ms of one
(medians of 15 each, side by side, on two cores that had other work). OWASP asks for no more than 46 MiB and one pass.
A hash says what it was made with, so a stronger choice holds from the next sign-in on.
Sources: RFC 9106, section 4; OWASP's password storage cheat sheet.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from svc.kit.errors import ResourceExhaustedError

__all__ = ["AT_ONCE_MAX", "CHARS_MAX", "CHARS_MIN", "Hasher"]

CHARS_MIN = 10
CHARS_MAX = 256
AT_ONCE_MAX = 2
"""Each takes a core and the memory for as long."""
WAITING_MAX = 16
"""Beyond these the wait would be longer than people have patience."""
MEMORY_KIB = 65_536
PASSES = 2
LANES = 1

T = TypeVar("T")


class Hasher:
    """Makes and checks hashes. Methods raise ResourceExhaustedError when too many wait."""

    def __init__(self, memory_kib: int = MEMORY_KIB, passes: int = PASSES, lanes: int = LANES) -> None:
        self._argon2 = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=lanes)
        self._threads = ThreadPoolExecutor(AT_ONCE_MAX, thread_name_prefix="passwords")
        self._waiting = 0
        self._nobodys = ""

    async def hash(self, password: str) -> str:
        """Return a hash with a salt of its own."""
        return await self._run(lambda: self._argon2.hash(password))

    async def matches(self, hashed: str, password: str) -> bool:
        """Tell whether a hash is of this password. "" is of none, and it takes as long to find that out."""
        return await self._run(lambda: self._matches(hashed, password))

    def is_outdated(self, hashed: str) -> bool:
        """Tell whether a hash was made with other parameters than one would be made with now."""
        return self._argon2.check_needs_rehash(hashed)

    def _matches(self, hashed: str, password: str) -> bool:
        of_nobody = self._of_nobody()  # made by the first check, whatever that is of
        try:
            return self._argon2.verify(hashed or of_nobody, password) and hashed != ""
        except (Argon2Error, InvalidHashError):
            return False

    def _of_nobody(self) -> str:
        if not self._nobodys:
            self._nobodys = self._argon2.hash("")
        return self._nobodys

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= WAITING_MAX:
            raise ResourceExhaustedError(
                "too many passwords at once",
                subject="webapp.passwords",
                limit=WAITING_MAX,
                actual=self._waiting,
                retry_after_s=2.0,
            )
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1
