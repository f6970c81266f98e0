"""Group commit: a lane takes all pending writes of its channels and makes them true in one transaction.

Nothing waits for company: an idle lane commits a lone write at once, and while it does the next batch gathers. A write
that MySQL refuses is found by halving its batch, so the others succeed. When the connection is lost during COMMIT
nobody knows whether it happened: writes with a request id are tried again, which either finds or repeats them; the
others are answered UnavailableError, never ok.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from random import Random

import pymysql
from opentelemetry import metrics

from svc.kit.backoff import Backoff
from svc.kit.clock import Clock
from svc.kit.errors import ResourceExhaustedError, UnavailableError
from svc.kit.lifecycle import background
from svc.kit.mailbox import Mailbox
from svc.webapp.commit.aftermath import Aftermath, Batch, Forget, Publish
from svc.webapp.commit.changes import Known, asked
from svc.webapp.commit.guarded import asked_of
from svc.webapp.commit.log import Committed, OutcomeUnknownError, Write
from svc.webapp.commit.pace import Pace
from svc.webapp.commit.plan import Plan, State, check_write, plan
from svc.webapp.priority import Priority, at
from svc.webapp.store import commit as statements
from svc.webapp.store.admission import retry_after_s
from svc.webapp.store.alter import look
from svc.webapp.store.failures import is_duplicate, is_passing, is_refused_commit, translate
from svc.webapp.store.lanes import lane_of
from svc.webapp.store.pools import Database, Transaction

__all__ = ["Committer", "CommitterLimits", "run_committer"]

log = logging.getLogger(__name__)

_STOPPING = "this webapp is stopping; the outcome is not known"


@dataclass(frozen=True, slots=True)
class CommitterLimits:
    """Bounds of group commit."""

    lanes: int = 1
    """Transactions at a time; a channel's writes are all in one lane. One keeps up with one MariaDB on two cores."""
    pending_max: int = 4096
    """Writes that may wait in a lane; the next gets ResourceExhaustedError. At 2,000 a second, 2 s of waiting."""
    pending_bytes_max: int = 32 * 1024 * 1024
    """Text that may wait in a lane."""
    wait_max_s: float = 2.0
    """Who would wait longer for his commit, as far as can be told, gets ResourceExhaustedError at once. A gateway gives
    a post 3.5 s."""
    batch_max: int = 256
    """Writes in a transaction: beyond it a write's share of the cost falls no more, and all wait for the last."""
    batch_bytes_max: int = 2 * 1024 * 1024
    """Text in a transaction; with events about twice that, under MySQL's default packet of 16 MiB."""
    tries_max: int = 4
    """Times a transaction is tried after deadlocks, lock timeouts and lost connections."""
    retry_base_s: float = 0.01
    retry_cap_s: float = 0.5


class OutcomeUnknown(Exception):
    """The connection was lost during COMMIT."""


@dataclass(frozen=True, slots=True)
class _Pending:
    """A write and whom to tell."""

    write: Write
    done: asyncio.Future[Committed]

    def resolve(self, result: Committed | Exception) -> None:
        """Tell, unless the caller has gone: then the write is true all the same, and its events go out."""
        if self.done.done():
            return
        if isinstance(result, Committed):
            self.done.set_result(result)
        else:
            self.done.set_exception(result)


class Committer:
    """Makes writes durable. A crash loses none that was answered; one that was not may have happened."""

    def __init__(self, lanes: Sequence[Lane]) -> None:
        """See `run_committer`."""
        self._lanes = lanes

    async def commit(self, write: Write) -> Committed:
        """Return once the write is durable. Effects are not yet carried out: effects.Writes does that.

        Writes of one channel are committed in the order of the calls. Cancelling stops the waiting, not the write.
        Raises ResourceExhaustedError (too many wait), UnavailableError (not known to be written; safe to try again with
        the same request id), InvalidArgumentError (over a limit, or refused by MySQL).
        """
        check_write(write)
        lane = self._lanes[lane_of(write.channel_id, len(self._lanes))]
        return await lane.submit(write)


@asynccontextmanager
async def run_committer(
    database: Database,
    publish: Publish,
    clock: Clock,
    rng: Random,
    limits: CommitterLimits | None = None,
    forget: Forget | None = None,
) -> AsyncIterator[Committer]:
    """Yield a committer of the channel keyspace; on the way out what is pending is answered UnavailableError.

    `forget` makes caches forget what was changed, before anybody hears of it; None where nothing is cached.
    """
    limits = limits or CommitterLimits()
    async with AsyncExitStack() as stack:
        lanes = []
        for number in range(limits.lanes):
            aftermath = Aftermath(publish, has_caches=forget is not None)
            stack.callback(aftermath.abandon)
            if forget is not None:
                forgetting = at(Priority.POST, aftermath.run(forget))
                await stack.enter_async_context(background(f"aftermath-{number}", forgetting))
            lane = Lane(database, aftermath, clock, rng, limits)
            lanes.append(lane)
            stack.callback(lane.abandon)
            await stack.enter_async_context(background(f"commit-{number}", at(Priority.POST, lane.run())))
        yield Committer(lanes)


class Lane:
    """One transaction at a time, for all writes that wait."""

    def __init__(
        self, database: Database, aftermath: Aftermath, clock: Clock, rng: Random, limits: CommitterLimits
    ) -> None:
        """See `run_committer`."""
        self._database = database
        self._aftermath = aftermath
        self._clock = clock
        self._rng = rng
        self._limits = limits
        self._mailbox: Mailbox[_Pending] = Mailbox(limits.pending_max, limits.pending_bytes_max)
        self._pace = Pace(limits.batch_max)
        self._taken: list[_Pending] = []
        meter = metrics.get_meter(__name__)
        self._batch_size = meter.create_histogram("parley.webapp.commit.batch", description="writes in a transaction")
        self._commit_ms = meter.create_histogram("parley.webapp.commit.ms", unit="ms", description="of a transaction")
        self._retries = meter.create_counter("parley.webapp.commit.retries", description="transactions tried again")
        self._refused = meter.create_counter("parley.webapp.commit.refused", description="writes for which it was full")

    async def submit(self, write: Write) -> Committed:
        """Queue a write and wait for it."""
        pending = _Pending(write, asyncio.get_running_loop().create_future())
        if self._mailbox.closed:
            raise UnavailableError("this webapp is stopping")
        wait_s = self._pace.wait_s(len(self._mailbox), self._clock.now())
        if wait_s > self._limits.wait_max_s or not self._mailbox.put(pending, _size(write)):
            self._refused.add(1)
            raise ResourceExhaustedError(
                f"too many writes wait to be committed, for {wait_s:.1f} s",
                subject="commit.pending",
                limit=self._limits.pending_max,
                actual=len(self._mailbox),
                retry_after_s=retry_after_s(Priority.POST, wait_s, self._rng),
            )
        return await pending.done

    async def run(self) -> None:
        """Commit what is pending, for ever."""
        while True:
            self._taken = await self._mailbox.take(self._limits.batch_max, self._limits.batch_bytes_max)
            self._pace.begin(self._clock.now())
            # A caller that left before its write was begun does not want it any more.
            await self._settle([pending for pending in self._taken if not pending.done.done()])
            self._pace.end(self._clock.now())
            self._taken = []

    def abandon(self) -> None:
        """Answer everything that is still waiting; called when nothing runs any more."""
        self._mailbox.close()
        for pending in (*self._taken, *self._mailbox.take_nowait()):
            pending.resolve(OutcomeUnknownError(_STOPPING))

    async def _settle(self, batch: Sequence[_Pending], unknown: Exception | None = None) -> None:
        """Answer every write of a batch, one way or the other. `unknown`: an earlier try may have succeeded."""
        backoff = Backoff(self._limits.retry_base_s, self._limits.retry_cap_s, self._rng)
        for attempt in range(1, self._limits.tries_max + 1):
            if not batch:
                return
            writes = [pending.write for pending in batch]
            try:
                results = await self._transact(writes)
            except OutcomeUnknown as error:
                failure: Exception = OutcomeUnknownError(f"connection lost during commit: {error}")
                batch, unknown = _only_repeatable(batch, failure), failure
            except Exception as error:  # whatever one write brings about must not take the others down
                failure = translate(error, "channel")
                if not is_passing(error):
                    await self._split(batch, failure, unknown)
                    return
            else:
                await self._aftermath.follow(Batch(writes, results, partial(_answer, batch)))
                return
            self._retries.add(1)
            log.warning("commit of %d writes failed, try %d: %s", len(batch), attempt, failure)
            if attempt < self._limits.tries_max:
                await self._clock.sleep(backoff.next_s())
        for pending in batch:
            # A try that failed cleanly says nothing about an earlier one whose answer was lost.
            pending.resolve(unknown or failure)

    async def _split(self, batch: Sequence[_Pending], failure: Exception, unknown: Exception | None) -> None:
        """Find the write that MySQL refuses: commit each half by itself, in order."""
        if len(batch) == 1:
            batch[0].resolve(unknown or failure)
            return
        middle = len(batch) // 2
        await self._settle(batch[:middle], unknown)
        await self._settle(batch[middle:], unknown)

    async def _transact(self, writes: Sequence[Write]) -> list[Committed | Exception]:
        """Plan and write a batch in one transaction. Raises the driver's errors, OutcomeUnknown."""
        began = self._clock.now()
        async with self._database.begun() as transaction:
            planned = await self._written(transaction, writes)
            try:
                await transaction.commit()
            except (pymysql.err.MySQLError, OSError, EOFError) as error:
                # Some refusals are known for what they are; silence is not, nor is any other error.
                if not is_refused_commit(error):
                    raise OutcomeUnknown(str(error)) from error
                raise
        self._batch_size.record(len(writes))
        self._commit_ms.record((self._clock.now() - began) * 1000)
        return planned.results

    async def _written(self, transaction: Transaction, writes: Sequence[Write]) -> Plan:
        """Write a batch's rows and return its plan."""
        try:
            return await self._write(transaction, writes)
        except pymysql.err.IntegrityError as error:
            if not is_duplicate(error):
                raise
        await transaction.rollback()
        return await self._write(transaction, writes, is_doubtful=True)

    async def _write(self, transaction: Transaction, writes: Sequence[Write], *, is_doubtful: bool = False) -> Plan:
        """Write a batch's rows and return its plan. `is_doubtful`: a request id may have been used before."""
        heads, stand = await statements.lock(transaction, {write.channel_id for write in writes}, asked_of(writes))
        altering = [write for write in writes if write.alters]
        known = await look(transaction, asked(altering), heads) if altering else Known()
        now_us = self._clock.wall_us()
        planned = plan(State(heads, {}, stand.members, known, stand.conversations, stand.messages), writes, now_us)
        # Of a write that is repeated the guards may not hold any more, by what it did itself: that is no refusal.
        if is_doubtful or any(map(_is_refused_with_key, writes, planned.results)):
            # Rare, so looked up only now: the heads are locked, so nothing can be added to what is found.
            keys = [(write.channel_id, write.request_id) for write in writes if write.request_id]
            used = await statements.used_requests(transaction, keys)
            planned = plan(
                State(heads, used, stand.members, known, stand.conversations, stand.messages), writes, now_us
            )
        await statements.write_plan(transaction, planned)
        return planned


def _answer(batch: Sequence[_Pending], results: Sequence[Committed | Exception] | None) -> None:
    """Tell the writers of a committed batch their results; None: this process stops before its caches were told."""
    for index, pending in enumerate(batch):
        pending.resolve(OutcomeUnknownError(_STOPPING) if results is None else results[index])


def _is_refused_with_key(write: Write, result: Committed | Exception) -> bool:
    return bool(write.request_id) and isinstance(result, Committed) and result.refused


def _only_repeatable(batch: Sequence[_Pending], failure: Exception) -> list[_Pending]:
    """Answer the writes that must not be repeated blindly, and return the others."""
    for pending in batch:
        if not pending.write.request_id:
            pending.resolve(failure)
    return [pending for pending in batch if pending.write.request_id]


def _size(write: Write) -> int:
    """Estimate a write's bytes by the text that it stores."""
    size = sum(len(d.message.text) + len(d.message.extra) for d in write.drafts if d.message is not None)
    if write.alters:
        size += sum(len(each.text or "") + len(each.extra or b"") for each in write.changed)
        size += sum(len(item.body) for item in write.items)
    return size
