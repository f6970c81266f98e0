"""memcached's meta protocol: requests as bytes, answers from bytes. Pure: no socket, no time.

Used: mg (get), ms (set, only by the holder of a lease), md (delete, or mark stale), ma (add to a number), mn (are you
there), flush_all.
Every request carries the number of its batch (`O`), which comes back with the answer: answers out of thread are found
out, never taken for those of other questions. Source: memcached's doc/protocol.txt, "Meta Commands"; tried with 1.6.18.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeAlias, TypeVar, cast

from svc.webapp.cache.routes.route import Found

__all__ = [
    "FAILED",
    "VALUE_BYTES_MAX",
    "Added",
    "Answer",
    "Batch",
    "Parser",
    "ProtocolViolation",
    "Won",
    "add",
    "are_keys",
    "delete",
    "delete_version",
    "flush",
    "get",
    "noop",
    "stale_again",
    "store",
    "subtract",
]

LINE_BYTES_MAX = 2048
"""Of an answer's first line: some numbers and marks, or the text of an error."""
VALUE_BYTES_MAX = 1024 * 1024
"""memcached's own default limit of an item."""
KEY_BYTES_MAX = 250
NUMBERS_MAX = 4096
"""Words whose numbers a connection remembers: all TTLs up to an hour."""
STATUSES = frozenset((b"HD", b"EN", b"NF", b"NS", b"EX"))
"""Answers with a batch's number: done; not there (EN, NF); not stored, or changed in between (NS, EX)."""
BARE = frozenset((b"MN", b"OK"))
"""Answers without one, to mn and flush_all."""
FAILED = b"SERVER_ERROR"
"""The server could not do one request: no memory, or a value too large for it."""


class ProtocolViolation(Exception):
    """The other side does not speak the protocol, or lost the thread; the connection is of no more use."""


class Won(NamedTuple):
    """What a get found, and the lease that came with it: the version (cas) that may be replaced."""

    found: Found
    version: bytes


class Added(NamedTuple):
    """A number after an addition, and the version (cas) that it has."""

    value: int
    version: bytes


Answer: TypeAlias = Found | Won | Added | bytes
"""To a get: Found or Won. To an addition: Added. To all others, and where the server failed: the first word of its
line."""


class Batch:
    """Requests that were sent together, and what was answered so far."""

    __slots__ = ("answers", "count", "number", "special")

    def __init__(self, count: int, number: bytes = b"") -> None:
        """`number`: as the answers carry it, `O17`."""
        self.count = count
        self.number = number
        self.answers: list[Answer] = []
        self.special: list[int] = []
        """Places of the answers that are not a Found with a value."""

    @property
    def is_complete(self) -> bool:
        """Whether everything has been answered."""
        return len(self.answers) == self.count


def are_keys(keys: Sequence[str]) -> bool:
    """Tell whether memcached takes all of these keys: 1 to 250 printable ASCII characters without spaces."""
    text = "".join(keys)
    return (
        text.isascii()
        and text.isprintable()
        and " " not in text
        and max(map(len, keys), default=1) <= KEY_BYTES_MAX
        and all(keys)
    )


def get(keys: Sequence[str], number: bytes, lease_s: int, refresh_s: int) -> bytes:
    """Ask for values, what is left of their lives, and their client flags.

    With `lease_s`, a miss leaves an empty item for that long whose version is the lease, and with less than `refresh_s`
    to live, a value comes with the lease to one caller. A stale value comes with the lease to one caller in any case.
    """
    leasing = f" N{lease_s} R{refresh_s}" if lease_s > 0 else ""
    flags = f" t f c v {number.decode()}{leasing}\r\n"
    return f"mg {(flags + 'mg ').join(keys)}{flags}".encode()


def store(key: str, number: bytes, value: bytes, ttl_s: int, load_ms: int, version: bytes) -> bytes:
    """Set a value, if nobody has changed or deleted the item since this version of it."""
    return b"ms %b %d T%d F%d C%b %b\r\n%b\r\n" % (key.encode(), len(value), ttl_s, load_ms, version, number, value)


def delete(keys: Sequence[str], number: bytes, stale_s: int = 0) -> bytes:
    """Delete values; with `stale_s` keep them that long, marked stale. Either voids the leases out on them."""
    staleness = f" I T{stale_s}" if stale_s > 0 else ""
    flags = f" {number.decode()}{staleness}\r\n"
    return f"md {(flags + 'md ').join(keys)}{flags}".encode()


def delete_version(key: str, number: bytes, version: bytes) -> bytes:
    """Delete this version of an item."""
    return b"md %b %b C%b\r\n" % (key.encode(), number, version)


def stale_again(key: str, number: bytes, version: bytes, ttl_s: int) -> bytes:
    """Mark this version of a stale item as stale anew: the next one to ask gets the lease."""
    return b"md %b %b C%b I T%d\r\n" % (key.encode(), number, version, ttl_s)


def add(key: str, number: bytes, by: int, start: int, ttl_s: int) -> bytes:
    """Add to a number and ask for it; where there is none it becomes `start`. It is kept for `ttl_s` from now on."""
    return b"ma %b N%d J%d D%d T%d v c %b\r\n" % (key.encode(), ttl_s, start, by, ttl_s, number)


def subtract(key: str, number: bytes, by: int) -> bytes:
    """Subtract from a number, down to 0, if there is one."""
    return b"ma %b MD D%d %b\r\n" % (key.encode(), by, number)


def flush() -> bytes:
    """Delete everything."""
    return b"flush_all\r\n"


def noop() -> bytes:
    """Ask for a sign of life."""
    return b"mn\r\n"


_Batch = TypeVar("_Batch", bound=Batch)


class _Numbers(dict[bytes, int]):
    """The numbers in words such as `t60`: reading one that was seen before takes half the time."""

    def __init__(self, letter: bytes) -> None:
        super().__init__()
        self._letter = letter

    def __missing__(self, word: bytes) -> int:
        if word[:1] != self._letter:
            raise ValueError(f"{word[:20]!r} is not of the form {self._letter!r} and a number")
        number = int(word[1:])
        if len(self) < NUMBERS_MAX:
            self[word] = number
        return number


class Parser(Generic[_Batch]):
    """Cuts a stream of bytes into answers, and gives them to the batches that are expected, in order.

    Holds at most one unfinished answer, and what is there of one unfinished batch.
    """

    def __init__(self, node: str) -> None:
        """`node`: its address, for what is found there."""
        self._node = node
        self._expected: deque[_Batch] = deque()
        self._ttls = _Numbers(b"t")
        self._loads = _Numbers(b"f")
        self._pieces: list[bytes] = []
        self._missing = 0

    @property
    def expected(self) -> deque[_Batch]:
        """Batches whose answers are not complete, oldest first; append to it before sending."""
        return self._expected

    @property
    def waiting_for(self) -> int:
        """Bytes, at the least, without which the unfinished answer cannot be finished; 0 when there is none."""
        return self._missing if self._pieces else 0

    def feed(self, data: bytes) -> list[_Batch]:
        """Return the batches that `data` completes, no longer expected.

        Raises ProtocolViolation; then all that were expected before still are, whatever answers they have.
        """
        if self._pieces:
            self._pieces.append(data)
            self._missing -= len(data)
            if self._missing > 0:
                return []
            data = b"".join(self._pieces)
            self._pieces.clear()
        complete: list[_Batch] = []
        try:
            self._parse(data, complete)
        except (ProtocolViolation, ValueError, IndexError) as error:
            # What came just before it is not trusted either.
            self._expected.extendleft(reversed(complete))
            raise ProtocolViolation(f"an answer that makes no sense: {error}") from error
        return complete

    def _parse(self, data: bytes, complete: list[_Batch]) -> None:
        """Add the batches that are complete, and keep what is left over of `data`."""
        expected, at = self._expected, 0
        while expected:
            at = self._answer(expected[0], data, at)
            if not expected[0].is_complete:
                break
            complete.append(expected.popleft())
        if at < len(data):
            if not expected:
                raise ProtocolViolation(f"an answer to no question: {data[at:][:80]!r}")
            self._pieces.append(data[at:])

    def _answer(self, batch: Batch, data: bytes, at: int) -> int:
        """Give a batch its answers from `at` on, as far as they are here; return where they end.

        Every answer passes here, so a plain hit is dealt with on the spot.
        """
        answers, number, node, ttls, loads = batch.answers, batch.number, self._node, self._ttls, self._loads
        new, find, left = tuple.__new__, data.find, batch.count - len(batch.answers)
        while left:
            end = find(b"\r\n", at) + 2
            if end < 2:
                _check_line(len(data) - at)
                self._missing = 1
                break
            words = data[at : end - 2].split(b" ")
            if words[0] == b"VA":
                start, end = end, end + int(words[1]) + 2
                if data[end - 2 : end] != b"\r\n":
                    _check_value(end - start - 2, is_here=len(data) >= end)
                    self._missing = end - len(data)
                    break
                value = data[start : end - 2]
                if len(words) == 6:
                    if words[5] != number:
                        raise ProtocolViolation(f"answered {words[5][:20]!r} instead of {number!r}")
                    # Found(...), but for the call of its __new__, which would take another 0.2 us.
                    found = new(Found, (value, ttls[words[2]], loads[words[3]], False, None, False, node))
                    answers.append(found)
                elif len(words) == 4:
                    self._added(batch, words, value)
                else:
                    self._marked(batch, words, value)
            else:
                self._bare(batch, words)
            at = end
            left -= 1
        return at

    def _marked(self, batch: Batch, words: Sequence[bytes], value: bytes) -> None:
        """Take a value with marks. W: the lease is ours; Z: it is somebody else's; X: the value is stale."""
        _, _, ttl, load, version, number, *marks = words
        _check_number(batch, number)
        load_ms = self._loads[load]
        # Nobody stores a value with 0 ms: that is the empty item that holds the place of a lease.
        is_value = bool(value) or load_ms > 0
        is_won = b"W" in marks
        found: Answer = Found(
            value if is_value else None,
            self._ttls[ttl],
            load_ms,
            is_stale=is_value and b"X" in marks,
            is_leased=b"Z" in marks and not is_won,
            node=self._node,
        )
        if is_won:
            found = Won(cast(Found, found), _version(version))
        batch.special.append(len(batch.answers))
        batch.answers.append(found)

    def _added(self, batch: Batch, words: Sequence[bytes], value: bytes) -> None:
        """Take a number after an addition."""
        _, _, version, number = words
        _check_number(batch, number)
        batch.special.append(len(batch.answers))
        batch.answers.append(Added(int(value), _version(version)))

    def _bare(self, batch: Batch, words: Sequence[bytes]) -> None:
        """Take an answer without a value: to anything but a get, a miss, or the server's failure at this request."""
        status = words[0]
        if status in STATUSES:
            _check_number(batch, words[1])
        elif status not in BARE and status != FAILED:
            raise ProtocolViolation(f"answered {b' '.join(words)[:80]!r}")
        batch.special.append(len(batch.answers))
        batch.answers.append(Found(node=self._node) if status == b"EN" else status)


def _version(word: bytes) -> bytes:
    if word[:1] != b"c" or not word[1:].isdigit():
        raise ProtocolViolation(f"{word[:20]!r} is no version")
    return word[1:]


def _check_number(batch: Batch, number: bytes) -> None:
    if number != batch.number:
        raise ProtocolViolation(f"answered {number[:20]!r} instead of {batch.number!r}")


def _check_line(size: int) -> None:
    if size > LINE_BYTES_MAX:
        raise ProtocolViolation("a line does not end")


def _check_value(size: int, *, is_here: bool) -> None:
    """Check a value that is not followed by the end of a line: it may only be unfinished, and not endless."""
    if is_here or size < 0:
        raise ProtocolViolation("a value of another size than it says")
    if size > VALUE_BYTES_MAX:
        raise ProtocolViolation(f"a value of {size} bytes")
