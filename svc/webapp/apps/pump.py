"""The pump of one app: follows what its bot's user follows, and brings what it subscribed to on its way, in order.

What is read and not delivered is bounded; what is beyond waits in the log. A live event that is the next one of its
channel is taken as it comes, everything else is read from the log when there is room. Up to where everything was
delivered is saved at most each second, by the one who took the place last: an owner that lost its app unnoticed finds
that out when it saves.
"""

from __future__ import annotations

import asyncio
import logging
from random import Random

import orjson

from svc.kit.backoff import Backoff
from svc.kit.clock import Clock
from svc.kit.errors import NotOwnerError, ParleyError, UnavailableError
from svc.kit.lifecycle import Tasks
from svc.webapp.apps.audience import Audience, Told
from svc.webapp.apps.hearing import Listener, hears
from svc.webapp.apps.items import Item
from svc.webapp.apps.place_keeper import PlaceKeeper
from svc.webapp.apps.places import Places
from svc.webapp.apps.poster import Poster
from svc.webapp.apps.pump_rules import PumpRules
from svc.webapp.apps.sockets import SocketWay
from svc.webapp.apps.sources import Sources
from svc.webapp.apps.tally import Tally
from svc.webapp.apps.verifying import Verifier
from svc.webapp.apps.ways import Outcome, PostWay, Way
from svc.webapp.apps.wrapping import Sender, envelope_id, event_callback
from svc.webapp.domain.apps.model import App
from svc.webapp.store.rows import ConversationKind

__all__ = ["Pump", "PumpRules"]

log = logging.getLogger(__name__)


class Pump:
    """One app in the hands of this process. `run` is its life; every call belongs to the event loop's thread."""

    def __init__(
        self,
        app: App,
        sources: Sources,
        audience: Audience,
        keeper: PlaceKeeper,
        poster: Poster,
        tasks: Tasks,
        clock: Clock,
        tally: Tally,
        rules: PumpRules | None = None,
        rng: Random | None = None,
    ) -> None:
        """Own nothing yet. `rng`: what waits between two tries are drawn from."""
        self.app = app
        self.rules = rules or PumpRules()
        self.is_leaving = False
        self._sources = sources
        self._audience = audience
        self._keeper = keeper
        self._clock = clock
        self._rng = rng
        self._tally = tally
        self._places = Places()
        self._kinds: dict[str, ConversationKind] = {}
        self._joins: dict[str, int] = {}
        self._own_bound = 0
        self._is_following = False
        self._has_begun = asyncio.Event()
        self._send_bell, self._read_bell = asyncio.Event(), asyncio.Event()
        self.sockets = SocketWay(clock.now, self._done, self.rules.window)
        self.posts = PostWay(app, poster, tasks, clock.now, self._done, self.rules.posting)
        self._verifier = Verifier(self.posts, keeper, poster, clock, rng)
        self.sockets.on_news = self.posts.on_news = self._send_bell.set
        self._listener, self._sender = _described(app)

    @property
    def _way(self) -> Way:
        return self.sockets if self.app.is_socket_mode else self.posts

    def changed(self, app: App) -> None:
        """Go by this version of the app from now on."""
        if app.revision_us == self.app.revision_us and app == self.app:
            return
        before, self.app, self.posts.app = self._way, app, app
        self._listener, self._sender = _described(app)
        if not app.is_socket_mode:
            self.sockets.disable()
        if self._way is not before:
            for item in before.clear():
                self._way.add(item)
        self._verifier.refresh()
        self._send_bell.set()
        self._read_bell.set()

    async def run(self) -> None:
        """Take the app over and serve it until cancelled. Raises NotOwnerError when another has taken it since."""
        await self._keeper.take()
        self._verifier.refresh()
        try:
            async with asyncio.TaskGroup() as loops:
                loops.create_task(self._follow())
                loops.create_task(self._send())
                loops.create_task(self._save())
                loops.create_task(self._verify())
        except* NotOwnerError as lost:
            raise lost.exceptions[0] from None
        finally:
            self._unfollow()
            self.sockets.end(NotOwnerError(f"{self.app.id} goes to another webapp"))

    async def begun(self, timeout_s: float) -> None:
        """Wait until everything that happens from then on is heard. Raises UnavailableError."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._has_begun.wait()
        except TimeoutError:
            raise UnavailableError(f"{self.app.id} is being taken over") from None

    async def leave(self) -> None:
        """Give the app back: begin nothing new, wait for answers for a while, save. `run` is cancelled after it."""
        self.is_leaving = True
        deadline = self._clock.now() + self.rules.leave_s
        while (self.sockets.under_way or self.posts.under_way) and self._clock.now() < deadline:
            await self._clock.sleep(0.02)
        if self._keeper.is_taken:
            await self._keeper.save(self._places, is_released=True)
        self.sockets.end(NotOwnerError(f"{self.app.id} goes to another webapp"))

    # What is heard.

    def hear(self, told: Told) -> None:
        """See audience.Follower."""
        event = told.event
        channel_id, offset = event.channel_id, event.offset
        if self.is_leaving or self._places.is_read(channel_id, offset):
            return
        if self._places.is_next(channel_id, offset) and self._has_room:
            self._take(told)
        else:
            self.reaches(channel_id, offset)

    def reaches(self, channel_id: str, offset: int) -> None:
        """See audience.Follower."""
        self._places.reaches(channel_id, offset)
        self._read_bell.set()

    @property
    def _has_room(self) -> bool:
        way, rules = self._way, self.rules
        return len(way) < rules.pending_max and way.size < rules.pending_bytes_max

    def _take(self, told: Told) -> None:
        """Read the next event of a channel."""
        event = told.event
        parts = 0
        if self.app.hears_events:
            for heard in hears(self._listener, told.json, self._kinds.get(event.channel_id)):
                if event.commit_unix_us < self._oldest_us:
                    self._tally.outcomes[Outcome.TOO_OLD] += 1
                    continue
                callback = event_callback(self._sender, heard, event.channel_id, event.offset, event.commit_unix_us)
                id_ = envelope_id(self.app.id, event.channel_id, event.offset, heard.name)
                place = (event.channel_id, event.offset, event.commit_unix_us)
                self._way.add(Item(id_, heard.name, *place, orjson.dumps(callback)))
                parts += 1
        self._places.take(event.channel_id, event.offset, parts)
        if parts:
            self._send_bell.set()
        if event.channel_id == self.app.user_id:
            self._apply(told)

    def _apply(self, told: Told) -> None:
        """Go by what the bot's user's own channel says about what it follows, and about its tokens."""
        event = told.event
        if event.HasField("revocation"):
            self.sockets.revoked(event.revocation.token_prefixes)
        # What was listed is newer than every change up to there.
        if not event.HasField("subscription_change") or event.offset <= self._own_bound:
            return
        for added in event.subscription_change.added:
            if added.channel_id not in self._places:
                self._joins[added.channel_id] = added.offset
                self._read_bell.set()
        for channel_id in event.subscription_change.removed_channel_ids:
            self._joins.pop(channel_id, None)
            self._audience.unfollow(self, channel_id)
            self._places.stop(channel_id)
            self._kinds.pop(channel_id, None)

    @property
    def _oldest_us(self) -> int:
        return self._clock.wall_us() - int(self.rules.age_max_s * 1_000_000)

    # The loops.

    async def _follow(self) -> None:
        """Follow while the app hears anything; read what is not had live."""
        backoff = Backoff(0.1, 2.0, self._rng)
        while True:
            try:
                await self._follow_on()
                backoff.reset()
            except ParleyError as error:
                log.warning("%s: what it missed could not be read: %s", self.app.id, error)
                await self._clock.sleep(backoff.next_s())
                continue
            await self._read_bell.wait()

    async def _follow_on(self) -> None:
        self._read_bell.clear()
        if self.app.hears_events and not self._is_following:
            await self._begin()
        elif not self.app.hears_events and (self._is_following or not len(self._places)):
            await self._begin_quietly()
        while self._joins:
            await self._join(*next(iter(self._joins.items())))
        while self._places.is_behind and self._has_room and not self.is_leaving:
            await self._read()

    async def _begin(self) -> None:
        """Follow everything: from the saved place on, or from now on when there is none."""
        listed = await self._sources.listed(self.app)
        had = self._keeper.positions()
        self._own_bound = listed.heads.get(self.app.user_id, 0)
        self._unfollow()
        self._kinds = dict(listed.kinds)
        for channel_id in listed.starts:
            head = listed.heads.get(channel_id, 0)
            start = head if had is None else listed.start(channel_id, had.get(channel_id))
            # Beyond the head: a database that lost its last moments. What comes now is to be heard.
            self._places.start(channel_id, min(start, head), head)
            self._audience.follow(self, channel_id, head)
        self._is_following = True
        if had is None:
            # From here on nothing is missed, also when nothing happens before this process dies.
            await self._keeper.save(self._places)
        self._has_begun.set()

    async def _begin_quietly(self) -> None:
        """Follow the bot's user's own channel alone, for the sake of its tokens."""
        head = await self._sources.head(self.app.user_id)
        self._unfollow()
        self._kinds.clear()
        self._joins.clear()
        self._own_bound = 1 << 62
        self._places.start(self.app.user_id, head)
        self._audience.follow(self, self.app.user_id, head)
        self._is_following = False
        await self._keeper.forget()
        self._has_begun.set()

    async def _join(self, channel_id: str, after: int) -> None:
        kind = await self._sources.kind(channel_id)
        if self._joins.pop(channel_id, None) is None or channel_id in self._places:
            return
        if kind is not None:
            self._kinds[channel_id] = kind
        self._places.start(channel_id, after)
        self._audience.follow(self, channel_id, after)

    async def _read(self) -> None:
        behind = self._places.behind(self.rules.read_channels_max)
        for page in await self._sources.logs(behind, self.rules.read_events_max):
            channel_id = page.channel_id
            if page.is_truncated and not self._places.is_read(channel_id, page.left_from - 1):
                log.warning("%s: events of %s are gone from the log", self.app.id, channel_id)
                # What is left of it is read next.
                self._tally.lost += page.left_from - 1 - self._places.read(channel_id)
                self._places.take(channel_id, page.left_from - 1, 0)
                self._places.reaches(channel_id, page.head)
            for told in page.events:
                if not self._has_room:
                    return
                if self._places.is_next(channel_id, told.event.offset):
                    self._take(told)
            if self._places.is_read(channel_id, page.head) and not page.events:
                self._places.level(channel_id)

    async def _send(self) -> None:
        while True:
            self._send_bell.clear()
            now = self._clock.now()
            due = None
            if not self.is_leaving:
                self._way.drop_older(self._oldest_us)
                due = self._way.turn(now)
            if self._places.is_behind and self._has_room:
                self._read_bell.set()
            # At least each minute: what waits for a connection gets too old without any news.
            patience = 60.0 if due is None else min(60.0, max(0.0, due - self._clock.now()))
            try:
                async with asyncio.timeout(patience):
                    await self._send_bell.wait()
            except TimeoutError:
                pass  # its time has come

    async def _save(self) -> None:
        while True:
            await self._clock.sleep(self._keeper.interval_s(len(self._places)))
            if self.is_leaving or not self._is_following or not self._places.is_changed:
                continue
            try:
                is_mine = await self._keeper.save(self._places)
            except ParleyError as error:
                log.warning("the place of %s could not be saved: %s", self.app.id, error)
                continue
            if not is_mine and not self.is_leaving:
                raise NotOwnerError(f"another webapp has taken {self.app.id}")

    async def _verify(self) -> None:
        # Whoever has answered the challenge is told everything from then on.
        await self._has_begun.wait()
        await self._verifier.run(lambda: self.is_leaving)

    def _done(self, item: Item, outcome: Outcome) -> None:
        """See ways.Done."""
        self._tally.outcomes[outcome] += 1
        if outcome is not Outcome.DELIVERED:
            log.info(
                "%s: %s at %s:%d is not delivered: %s", self.app.id, item.name, item.channel_id, item.offset, outcome
            )
        self._places.done(item.channel_id, item.offset)

    def _unfollow(self) -> None:
        for channel_id in self._places:
            self._audience.unfollow(self, channel_id)
            self._places.stop(channel_id)


def _described(app: App) -> tuple[Listener, Sender]:
    listener = Listener(app.user_id, frozenset(app.event_types))
    return listener, Sender(app.id, app.team_id, app.user_id, app.verification_token)
