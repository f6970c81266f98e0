"""Retention: the log keeps what a returning client may ask for, and no more. Messages themselves are kept for ever.

What a user was mentioned in and has not read for a season is not counted for it any more. Sessions of browsers go some
time after they have ended: until then who comes back is told so.

Every webapp trims, a little each minute; two at once only find less to do. A client that was away for longer than the
log is kept gets an explicit `resume_failed`, and reads history.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from svc.kit.clock import Clock
from svc.kit.config import setting
from svc.kit.errors import ParleyError
from svc.kit.lifecycle import background
from svc.webapp.priority import Priority, at
from svc.webapp.store.retention import RetentionStore

__all__ = ["RetentionConfig", "run_retention", "trim"]

log = logging.getLogger(__name__)

ROWS_A_STEP = 1_000
"""A transaction that deletes this many takes 10 ms, and holds nobody up."""
STEPS_A_ROUND = 200
"""At most 200,000 rows a minute: ten times what a webapp can write in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionConfig:
    """How long the log, idempotency keys, mentions and ended sessions are kept."""

    log_keep_s: float = setting(
        "PARLEY_WEBAPP_LOG_KEEP_S",
        default=7 * 86_400.0,
        minimum=60,
        help="seconds for which events are kept for clients that return; older ones answer resume_failed",
    )
    requests_keep_s: float = setting(
        "PARLEY_WEBAPP_REQUESTS_KEEP_S",
        default=86_400.0,
        minimum=60,
        help="seconds for which a repeated client_msg_id gives the first message again",
    )
    mentions_keep_s: float = setting(
        "PARLEY_WEBAPP_MENTIONS_KEEP_S",
        default=90 * 86_400.0,
        minimum=60,
        help="seconds for which an unread message that is meant for a user counts in its badge",
    )
    sessions_keep_s: float = setting(
        "PARLEY_WEBAPP_SESSIONS_KEEP_S",
        default=7 * 86_400.0,
        minimum=60,
        help="seconds for which a browser's session is kept after it would have ended",
    )
    interval_s: float = setting(
        "PARLEY_WEBAPP_RETENTION_INTERVAL_S", default=60.0, minimum=0.1, help="seconds between two looks for old rows"
    )


async def trim(store: RetentionStore, config: RetentionConfig, now_us: int) -> int:
    """Delete what is too old, in bounded steps; return how many rows went."""
    log_before = now_us - int(config.log_keep_s * 1_000_000)
    requests_before = now_us - int(config.requests_keep_s * 1_000_000)
    mentions_before = now_us - int(config.mentions_keep_s * 1_000_000)
    gone = await _in_steps(lambda: store.trim_log(log_before, ROWS_A_STEP))
    gone += await _in_steps(lambda: store.trim_requests(requests_before, ROWS_A_STEP))
    gone += await _in_steps(lambda: store.trim_mentions(mentions_before, ROWS_A_STEP))
    sessions_before_s = int(now_us / 1_000_000 - config.sessions_keep_s)
    return gone + await _in_steps(lambda: store.trim_sessions(sessions_before_s, ROWS_A_STEP))


async def _in_steps(step: Callable[[], Awaitable[int]]) -> int:
    gone = 0
    for _ in range(STEPS_A_ROUND):
        count = await step()
        gone += count
        if count < ROWS_A_STEP:
            break
    return gone


@asynccontextmanager
async def run_retention(store: RetentionStore, config: RetentionConfig, clock: Clock) -> AsyncIterator[None]:
    """Trim each `interval_s` while the block runs."""

    async def loop() -> None:
        while True:
            await clock.sleep(config.interval_s)
            try:
                gone = await trim(store, config, clock.wall_us())
            except ParleyError as error:
                log.warning("retention waits for the database: %s", error)
                continue
            if gone:
                log.info("retention: %d rows", gone)

    async with background("retention", at(Priority.BACKGROUND, loop())):
        yield
