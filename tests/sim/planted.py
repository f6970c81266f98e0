"""Defects to plant: patches of the source, each of which breaks one promise. The simulation must notice every one.

What these lines are for is written beside them in the source; here is what happens without them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Planted:
    """One defect: in `file`, `old` (which must occur exactly once) becomes `new`."""

    name: str
    file: str
    old: str
    new: str
    why: str
    """What goes wrong."""
    seeds: int = 300
    """Among so many it must be found: several times as many as were needed from each start that was tried."""
    more: tuple[tuple[str, str, str], ...] = ()
    """(file, old, new) of layers that alone would make up for it."""

    @property
    def edits(self) -> tuple[tuple[str, str, str], ...]:
        """Every (file, old, new)."""
        return ((self.file, self.old, self.new), *self.more)


PLANTED = (
    Planted(
        "ack before commit",
        "svc/webapp/commit/committer.py",
        "                    raise OutcomeUnknown(str(error)) from error\n                raise\n",
        "                    pass\n",
        "a post is promised although the transaction was lost on its way",
    ),
    Planted(
        "ack before the gateways acked",
        "svc/channel/table.py",
        "        self.audience.owe(ticket, publish.touched, now)\n",
        "",
        "a publish is answered while its events are still on their way to the gateways",
    ),
    Planted(
        "no dedupe at the channel server",
        "svc/channel/channel.py",
        "            return _DUPLICATE\n",
        "            return Accepted((data,))\n",
        "what was published twice is delivered twice",
    ),
    Planted(
        "no dedupe at the follower",
        "svc/feed/positions.py",
        "        if offset <= last:\n            self.duplicates += 1\n",
        "        if offset <= last:\n            self._lasts[channel_id] = offset\n            return (event,)\n",
        "what two servers send while a channel moves reaches the clients twice, or backwards",
    ),
    Planted(
        "no dedupe at the client",
        "client/parley_client/session.py",
        "        if offset <= had or offset in self._ahead.get(channel_id, ()):\n",
        "        if offset in self._ahead.get(channel_id, ()):\n",
        "what a new connection repeats is shown twice",
    ),
    Planted(
        "no fence",
        "svc/channel/ownership.py",
        "        return not self._is_contradicted\n",
        "        return True\n",
        "a server that the ring left behind goes on taking events for subscribers that are elsewhere",
    ),
    Planted(
        "nobody looks twice at a channel that moved",
        "svc/channel/table.py",
        "        self._rechecks.adopted(*self.ownership.take_adopted(), now)\n",
        "",
        "who never heard that a slot was elsewhere misses what it got there",
        seeds=1_000,
        more=(
            (
                "svc/admin/router.py",
                "        repeated = self._recent.moved(self._owner, now) if ring.members else []\n",
                "        repeated: list[event_pb2.Event] = []\n",
            ),
        ),
    ),
    Planted(
        "a head is vouched for at once",
        "svc/channel/states.py",
        "        vouch_us = max(self._ownership.adopted_us(place), self._forgotten_us)\n",
        "        vouch_us = 0\n",
        "a new owner that begins with a late event calls complete who misses the ones before",
        seeds=4_000,
    ),
    Planted(
        "replay off by one",
        "svc/channel/channel.py",
        "        return list(islice(self._tail, skip, None)), True\n",
        "        return list(islice(self._tail, skip + 1, None)), True\n",
        "who comes back misses the first event of the tail, and nobody tells",
    ),
    Planted(
        "outbox off",
        "svc/webapp/commit/plan.py",
        "        planned.outbox.append((channel_id, event.offset, due_us))\n",
        "",
        "what a killed webapp had committed is published by nobody",
    ),
    Planted(
        "resume skips the tail",
        "svc/gateway/resume.py",
        "            starts.append(Start(channel_id, after, head))\n",
        "            starts.append(Start(channel_id, head, head))\n",
        "a client that comes back gets what is new, and not what it missed",
    ),
    Planted(
        "re-subscription forgets a slot",
        "svc/feed/plan.py",
        "        for moved_slot in moved:\n",
        "        for moved_slot in list(moved)[1:]:\n",
        "one slot of each ring move stays at its former owner, who gets nothing more",
    ),
    Planted(
        "a hole is ignored",
        "svc/feed/positions.py",
        "            self._follower(channel_id, last).take(event, now)\n",
        "            self._lasts[channel_id] = offset\n            return (event,)\n",
        "events above a hole are handed on, and the hole is forgotten",
    ),
    Planted(
        "a defect that is only logged",
        "svc/feed/uplinks.py",
        "            handed.extend(take(event, now))\n",
        "            handed.extend(take(event, now) if event.offset != 5 else {}[event.offset])\n",
        "a line fails on an event, is opened again, and the event comes from the log: nobody would look",
    ),
    Planted(
        "client_msg_id ignored",
        "svc/webapp/domain/messages/posts.py",
        '        if not self.client_msg_id:\n            return ""\n',
        '        if self:\n            return ""\n',
        "a post that is tried again is stored again",
    ),
    Planted(
        "members are not checked in the transaction",
        "svc/webapp/commit/plan.py",
        "    if write.if_member and not is_member(write.if_member):\n        return False\n",
        "",
        "who has just left can still post",
    ),
    Planted(
        "an edit does not look at the revision",
        "svc/webapp/commit/changes.py",
        "            if standing is None or standing.revision != revision:\n",
        "            if standing is None:\n",
        "of two who edit one message at once the second undoes the first one's work, and nobody is told",
    ),
    Planted(
        "a refused reaction is written all the same",
        "svc/webapp/commit/plan.py",
        "    if refused_by is not None:\n",
        "    if refused_by is not None:\n"
        "        if write.annotated:\n"
        "            planned.altered.apply(state.known, planned.threads, write, 0, now_us)\n",
        "there are reactions that no event ever told",
    ),
    Planted(
        "a removed message goes on being the newest",
        "svc/webapp/commit/changes.py",
        "        if newest_us not in fading:\n",
        "        if newest_us in fading or newest_us not in fading:\n",
        "a conversation is unread for ever",
    ),
    Planted(
        "a removed reply is still counted",
        "svc/webapp/commit/changes.py",
        "        self.threads[parent] = (max(0, count - 1), latest_us)\n",
        "        self.threads[parent] = (count, latest_us)\n",
        "a thread says that it has replies that nobody finds",
    ),
    Planted(
        "a reply does not look at its parent",
        "svc/webapp/commit/plan.py",
        "        if message not in state.messages or planned.altered.is_gone(message):\n",
        "        if message is None:\n",
        "a reply that races its parent's removal hangs below nothing",
    ),
    Planted(
        "a joined channel is not followed",
        "svc/gateway/hub.py",
        "        self._begin(member, list(added.items()))\n",
        "",
        "who joins hears nothing of the conversation until the next connection",
    ),
    Planted(
        "a scheduled message has no key of its own",
        "svc/webapp/domain/messages/scheduled.py",
        'scheduled.post, request_id=f"scheduled:{scheduled.id}"\n',
        "scheduled.post\n",
        "two webapps that sweep at once, or one after another that died, post it twice",
    ),
    Planted(
        "a scheduled message is dropped before it is posted",
        "svc/webapp/domain/messages/scheduled.py",
        "        scheduled = Scheduled.of(row)\n        caller = scheduled.caller\n",
        "        scheduled = Scheduled.of(row)\n        caller = scheduled.caller\n        await self._drop(row)\n",
        "with the webapp that dies in between the message is gone",
        seeds=600,
    ),
    Planted(
        "a message is taken back while it is posted",
        "svc/webapp/domain/messages/scheduled.py",
        "row.due_us <= now_us + SETTLED_S * 1_000_000",
        "row.due_us < 0",
        "somebody is told that a message is taken back which is there",
        seeds=600,
    ),
    Planted(
        "a reminder's note undoes what its owner did",
        "svc/webapp/domain/messages/reminders.py",
        'request_id=f"settled:{reminder.occasion}"',
        'request_id=""',
        "what was marked as done is not, for somebody was just being reminded",
        seeds=1_000,
    ),
    Planted(
        "a reminder has no key of its own",
        "svc/webapp/domain/slackbot.py",
        "request_id=key, effects",
        'request_id="", effects',
        "two webapps remind somebody twice",
    ),
    Planted(
        "files are no key",
        "svc/webapp/domain/messages/posts.py",
        "        if not self.client_msg_id and self.files:\n",
        "        if not self.client_msg_id and not self.files and self.files:\n",
        "files that are completed again are posted again",
    ),
    Planted(
        "a deleted file is not looked for again",
        "svc/webapp/commit/file_step.py",
        "        if now is not None and now.state >= FileState.DELETED:\n",
        "        if now is not None and file.state >= FileState.DELETED:\n",
        "what a sweeper finishes of a file that was deleted since can be seen for ever",
        seeds=1_500,
    ),
    Planted(
        "a deleted file gives up when its message is edited",
        "svc/webapp/commit/file_step.py",
        "            if not (await self.commit(write)).refused:\n                return\n",
        "            await self.commit(write)\n            return\n",
        "a message goes on showing a file that is gone",
        seeds=1_000,
    ),
    Planted(
        "nobody looks whether a file's message is still there",
        "svc/webapp/commit/file_step.py",
        "            if effect.shared_as and not await self._is_shown(file.id, channel_id, shown_us):\n",
        "            if not effect.shared_as and not await self._is_shown(file.id, channel_id, shown_us):\n",
        "a file is seen by a message that was removed before its effect was done",
        seeds=2_000,
    ),
    Planted(
        "an app's place runs ahead of it",
        "svc/webapp/apps/places.py",
        "            yield channel_id, place.read if first is None else first - 1\n",
        "            yield channel_id, place.read if first is None else place.read\n",
        "what an owner had under way when it died reaches the app never",
    ),
    Planted(
        "an app's next owner begins with what is new",
        "svc/webapp/apps/pump.py",
        "            start = head if had is None else listed.start(channel_id, had.get(channel_id))\n",
        "            start = head\n",
        "an app misses what happened while nobody owned it",
    ),
    Planted(
        "an app's event has another id at each owner",
        "svc/webapp/apps/pump.py",
        "heard, event.channel_id, event.offset, event.commit_unix_us)\n",
        "heard, event.channel_id, event.offset + self._tally.taken - 1, event.commit_unix_us)\n",
        "an app cannot tell that it had an event before",
    ),
    Planted(
        "an app's live event hides a hole",
        "svc/webapp/apps/pump.py",
        "        if self._places.is_next(channel_id, offset) and self._has_room:\n",
        "        if self._has_room:\n",
        "what is to be read from the log is passed over",
        seeds=600,
    ),
    Planted(
        "an app loses the rest with what retention took",
        "svc/webapp/apps/pump.py",
        "                self._places.take(channel_id, page.left_from - 1, 0)\n",
        "                self._places.take(channel_id, page.head, 0)\n",
        "what the log still has is given up with what it has not",
        seeds=1_500,
    ),
    Planted(
        "a conversation that a bot joins is not heard",
        "svc/webapp/apps/pump.py",
        "                self._joins[added.channel_id] = added.offset\n",
        "                self._joins.pop(added.channel_id, None)\n",
        "an app hears nothing of it until another webapp owns it",
        seeds=800,
    ),
    Planted(
        "what an app's connection took along is forgotten",
        "svc/webapp/apps/sockets.py",
        "        for item in self._window.lost(gone, self._now()):\n",
        "        for item in map(self._window.acked, gone):\n",
        "events that were on a line that broke count as delivered",
        seeds=600,
    ),
    Planted(
        "a refused request counts as taken",
        "svc/webapp/apps/ways.py",
        "        if posted.is_ok:\n",
        "        if posted.status:\n",
        "what an endpoint answered with an error is not posted again",
    ),
    Planted(
        "requests of a conversation overtake each other",
        "svc/webapp/apps/posting.py",
        "            if item.channel_id not in self._busy:\n",
        "            if item.id not in self._busy:\n",
        "an app behind a URL hears what is said backwards",
    ),
)
