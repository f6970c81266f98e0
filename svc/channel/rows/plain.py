"""The rows in Python: what _rows.c does where no compiler was, and the text to read it by. Pure.

A row is what is known of one channel: who follows it, and, while nobody keeps a `ChannelState` of it, the run of
offsets that was delivered (`low` to `head`), in which generation that run began, and whether its head is vouched for.
A run is trusted while its slot was not adopted since (`since`, a number for each slot, which the caller changes).
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from discovery.ring import slot
from parley.channel.v1 import channel_service_pb2 as channel_pb2

A = TypeVar("A")

NOT_OWNED = 1 << 62
"""Later than every generation: no run is ever as young."""

NUMBERS = 2_047
"""Attachments that have a number at a time."""

STAMPS = 15
"""Stamps are 1 to STAMPS."""

Left: TypeAlias = Sequence[object]
"""What `leave` began, for `let_go`; what it is made of is the rows' own affair. Empty when it began nothing."""


class Run(NamedTuple):
    """Offsets without a hole that were delivered, since which generation, and whether the head is vouched for."""

    low: int
    head: int
    born: int
    is_vouched: bool


class Heading(NamedTuple):
    """What a Subscribe says beside its positions; `shortest` and `longest` are characters of ids."""

    request_number: int
    ring_fingerprint: int
    positions: int
    shortest: int
    longest: int


class Standing(NamedTuple, Generic[A]):
    """A subscription whose beginning nobody vouches for; `is_active`: the caller keeps the channel's state."""

    attachment: A
    channel_id: str
    head: int
    is_active: bool


class _Row:
    __slots__ = ("is_active", "run", "stamps")

    def __init__(self) -> None:
        self.stamps: dict[int, int] = {}  # number of who follows: 0, or the stamp with which it leaves
        self.run: Run | None = None
        self.is_active = False


class Rows(Generic[A]):
    """The rows of all channels, `rows_max` at most; beyond, runs of channels that nobody follows are given up."""

    def __init__(self, since: array[int], rows_max: int) -> None:
        """`since`: the generation in which each slot was adopted, NOT_OWNED for those of others."""
        self.heads_dropped = 0
        """Trusted runs that were given up for want of room."""
        self._since = since
        self._rows_max = rows_max
        self._rows: dict[str, _Row] = {}
        self._by_slot: dict[int, dict[str, _Row]] = {}
        self._members: dict[int, A] = {}
        self._follows: dict[int, set[str]] = {}
        self._wants_sweep = False

    def __len__(self) -> int:
        """How many channels have a row."""
        return len(self._rows)

    @property
    def followed(self) -> int:
        """Channels that somebody follows, or did until lately."""
        return sum(1 for row in self._rows.values() if row.stamps)

    def add(self, attachment: A) -> int:
        """Give an attachment a number. Raises IndexError when all are taken; some come free by `sweep`."""
        number = next((each for each in range(NUMBERS) if each not in self._members), None)
        if number is None:
            raise IndexError("every number is taken")
        self._members[number], self._follows[number] = attachment, set()
        return number

    def drop(self, number: int) -> None:
        """Forget an attachment and what it follows."""
        del self._members[number]
        for channel_id in self._follows.pop(number):
            del self._rows[channel_id].stamps[number]
        self._wants_sweep = True

    def count(self, number: int) -> int:
        """Return how many channels an attachment follows, those that it is leaving included."""
        return len(self._follows[number])

    def heading(self, data: bytes) -> Heading:
        """Return what an encoded Subscribe says. Raises ValueError when it is none; to be called before `subscribe`."""
        frame = _parsed(channel_pb2.Subscribe(), data)
        sizes = [len(each.channel_id) for each in frame.positions]
        return Heading(
            frame.request_number, frame.ring_fingerprint, len(sizes), min([64, *sizes]), max(sizes, default=0)
        )

    def subscribe(
        self, data: bytes, number: int, limit: int, is_refused: bool
    ) -> tuple[bytes, Sequence[tuple[str, int]]]:
        """Let an attachment follow the channels of an encoded Subscribe, at most `limit` in all.

        Returns the encoded `unproven` and `refused_channel_ids` of the answer, and the (channel, offset) of which the
        caller keeps the state and has to say itself what becomes of them. `is_refused`: refuse them all.
        """
        answer = channel_pb2.Subscribed()
        active: list[tuple[str, int]] = []
        for position in _parsed(channel_pb2.Subscribe(), data).positions:
            channel_id = position.channel_id
            row = None if is_refused else self._followed(channel_id, number, limit)
            if row is None:
                answer.refused_channel_ids.append(channel_id)
            elif row.is_active:
                active.append((channel_id, position.offset))
            else:
                run = self._trusted(channel_id, row)
                if run is None or not run.is_vouched or run.head != position.offset:
                    answer.unproven.add(channel_id=channel_id, head_offset=run.head if run else 0)
        return answer.SerializeToString(), active

    def leave(self, data: bytes, number: int, stamp: int) -> Left:
        """Let an attachment begin to leave the channels of an encoded Unsubscribe; return what `let_go` is to end.

        A channel that it follows again before that is not left, one that it is leaving already keeps its stamp.
        """
        frame = _parsed(channel_pb2.Unsubscribe(), data)
        left = [each for each in frame.channel_ids if each in self._rows and not self._rows[each].stamps.get(number, 1)]
        for channel_id in left:
            self._rows[channel_id].stamps[number] = stamp
        return left

    def let_go(self, left: Left, number: int, stamp: int) -> None:
        """End the subscriptions that are being left with this stamp."""
        for channel_id in left:
            assert isinstance(channel_id, str)
            row = self._rows.get(channel_id)
            if row is not None and row.stamps.get(number) == stamp:
                del row.stamps[number]
                self._follows[number].discard(channel_id)
                self._drop_if_idle(channel_id, row)

    def followers(self, channel_id: str) -> tuple[A, ...]:
        """Return the attachments that follow a channel, in the order of their subscribing."""
        row = self._rows.get(channel_id)
        return tuple(map(self._members.__getitem__, row.stamps)) if row is not None else ()

    def activate(self, channel_id: str) -> Run | None:
        """Let the caller keep a channel's state from now on; return the run that was kept here, if it is trusted."""
        row = self._row(channel_id)
        if row is None:
            return None
        run = self._trusted(channel_id, row)
        row.run, row.is_active = None, True
        return run

    def settle(self, channel_id: str, low: int, head: int, born: int, is_vouched: bool) -> bool:
        """Keep a channel's run here again; False when there is no room for a row."""
        row = self._row(channel_id)
        if row is None:
            return False
        row.run, row.is_active = Run(low, head, born, is_vouched), False
        return True

    def forget(self, channel_id: str) -> None:
        """Keep no run of a channel, and no state."""
        row = self._rows.get(channel_id)
        if row is not None:
            row.run, row.is_active = None, False
            self._drop_if_idle(channel_id, row)

    def standing(self, place: int) -> tuple[int, Sequence[Standing[A]]]:
        """Return the subscriptions in a slot, without those being left, whose head is not vouched for here.

        And how many rows were looked at to find them.
        """
        rows = self._by_slot.get(place, {})
        return len(rows), [
            Standing(self._members[number], channel_id, run.head if run else 0, row.is_active)
            for channel_id, row in rows.items()
            if not ((run := self._trusted(channel_id, row)) is not None and run.is_vouched)
            for number, stamp in row.stamps.items()
            if not stamp
        ]

    def want_sweep(self) -> None:
        """Have every row looked at, whether it is still needed: slots were lost."""
        self._wants_sweep = True

    def sweep(self, how_many: int) -> bool:
        """Look at some `how_many` rows, if that was asked for; return whether there is more to do."""
        if self._wants_sweep:
            self._wants_sweep = False
            for channel_id, row in tuple(self._rows.items()):
                self._drop_if_idle(channel_id, row)
        return False

    def _followed(self, channel_id: str, number: int, limit: int) -> _Row | None:
        if self._since[slot(channel_id)] == NOT_OWNED:
            return None
        if channel_id not in self._follows[number] and len(self._follows[number]) >= limit:
            return None
        row = self._row(channel_id)
        if row is not None:
            row.stamps[number] = 0
            self._follows[number].add(channel_id)
        return row

    def _row(self, channel_id: str) -> _Row | None:
        """Return a channel's row, made if need be; None when there are too many."""
        row = self._rows.get(channel_id)
        if row is None and (len(self._rows) < self._rows_max or self._reclaim()):
            row = self._rows[channel_id] = _Row()
            self._by_slot.setdefault(slot(channel_id), {})[channel_id] = row
        return row

    def _reclaim(self) -> bool:
        for channel_id, row in self._rows.items():
            if not row.stamps and not row.is_active:
                self.heads_dropped += self._trusted(channel_id, row) is not None
                self._delete(channel_id)
                return True
        return False

    def _trusted(self, channel_id: str, row: _Row) -> Run | None:
        return row.run if row.run is not None and self._since[slot(channel_id)] <= row.run.born else None

    def _drop_if_idle(self, channel_id: str, row: _Row) -> None:
        if not row.stamps and not row.is_active and self._trusted(channel_id, row) is None:
            self._delete(channel_id)

    def _delete(self, channel_id: str) -> None:
        del self._rows[channel_id]
        of_slot = self._by_slot[slot(channel_id)]
        del of_slot[channel_id]
        if not of_slot:
            del self._by_slot[slot(channel_id)]


F = TypeVar("F", channel_pb2.Subscribe, channel_pb2.Unsubscribe)


def _parsed(frame: F, data: bytes) -> F:
    try:
        frame.ParseFromString(data)
    except Exception as error:
        raise ValueError("not what the contract says") from error
    return frame
