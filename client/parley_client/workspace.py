"""Pure: a workspace as a client holds it: the first screen from a boot, the rest as it is asked for, events on top.

    boot      self, team, preferences, the list of conversations with their unread state, the people of recent ones
    objects   users and channels, loaded by id when they are shown, each with its version (see `holding`)
    delta     after a reconnect: what changed; ids that changed make what is held old, a complete list replaces ours
    events    keep all of it right while the connection stands

A boot is true up to a position in each channel (its token). Events up to there are in it already, so whatever a
resumed connection replays from before them changes nothing here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from parley_client import tokens
from parley_client.actions import Event, ResumeFailed
from parley_client.conversations import KINDS, Conversation, Counted, from_event
from parley_client.holding import OBJECTS_MAX, Ask, Holding, Json, version_of

NEAR_MAX = 200
"""Users and channels named as near in a search, as the contract says."""


class Workspace:
    """What one client of one user holds. Empty before the first boot; belongs to whoever feeds it, in order."""

    def __init__(self, objects_max: int = OBJECTS_MAX) -> None:
        """`objects_max` bounds the users and channels held; the least used ones are forgotten first."""
        self.objects = Holding(objects_max)
        self.me: Json = {}
        """The user's own object."""
        self.team: Json = {}
        self.prefs: Json = {}
        self.is_away = False
        """Whether the user said to be away."""
        self.model: Json = {}
        """`version`, and how many `users` and `channels` the workspace has."""
        self.emoji: dict[str, str] | None = None
        """Custom emoji by name; None before they were loaded."""
        self.emoji_version = 0
        self.is_emoji_old = True
        """Whether emoji have to be asked for before they are shown for long."""
        self._emoji_told_at = 0
        self.is_booted = False
        self.is_broken = False
        """Whether events were missed that no event will make up for: a whole boot is needed."""
        self._counted: dict[str, Counted] = {}
        self._positions: dict[str, int] = {}

    @property
    def conversations(self) -> Mapping[str, Conversation]:
        """The conversations that the user is in, by id."""
        return {channel_id: counted.now for channel_id, counted in self._counted.items()}

    def conversation(self, channel_id: str) -> Conversation | None:
        """Return one of the user's conversations."""
        counted = self._counted.get(channel_id)
        return counted.now if counted is not None else None

    def near(self) -> list[str]:
        """Return whom and what the user deals with, the most recent first; searches rank them first."""
        recent = sorted(self._counted.values(), key=lambda each: each.now.latest, reverse=True)
        return [each.now.user_id or each.now.id for each in recent if each.now.kind != "mpim"][:NEAR_MAX]

    def boot(self, answer: Mapping[str, Any]) -> None:
        """Take an answer of client.boot: the whole first screen, or what changed since.

        Raises tokens.TokenMalformed, with nothing taken.
        """
        positions = tokens.decode(str(answer.get("token", "")))
        is_delta = answer.get("is_delta") is True and self.is_booted
        entries = answer.get("channels") or []
        if not is_delta or answer.get("complete") is True:
            self._counted = {}
        for entry in entries:
            self._counted[str(entry["id"])] = Counted.booted(entry)
        self.objects.age(self._outdated(answer, entries) if is_delta else None)
        self._replace(answer, is_delta=is_delta)
        for user in answer.get("users") or ():
            self.objects.put(user, version_of(user))
        self._positions = {**self._positions, **positions} if is_delta else positions
        self.is_booted, self.is_broken = True, False

    def _outdated(self, answer: Mapping[str, Any], entries: Iterable[Mapping[str, Any]]) -> list[str]:
        """Return what a delta says is old; private conversations have no versions, so all that is told of is."""
        told = [str(entry["id"]) for entry in entries if entry.get("kind") == "private"]
        return [*map(str, answer.get("changed") or ()), *told]

    def _replace(self, answer: Mapping[str, Any], *, is_delta: bool) -> None:
        self.me = answer.get("self") or (self.me if is_delta else {})
        self.team = answer.get("team") or (self.team if is_delta else {})
        self.model = answer.get("model") or (self.model if is_delta else {})
        if "prefs" in answer or not is_delta:
            self.prefs = dict(answer.get("prefs") or {})
        if "away" in answer or not is_delta:
            self.is_away = bool(answer.get("away"))
        if "emoji_version" in answer:
            self.is_emoji_old = self.emoji is None or answer["emoji_version"] != self.emoji_version
        elif not is_delta:
            self.is_emoji_old = True

    def ask(self, ids: Iterable[str]) -> Ask:
        """Return what has to be asked for so that these can be shown as they are; nothing for what is fresh."""
        return self.objects.ask(ids)

    def answered(self, ask: Ask, answer: Mapping[str, Any]) -> None:
        """Take the answer to a lazy query for objects (or, with an empty `ask`, what a search found)."""
        self.objects.answered(ask, [*(answer.get("users") or ()), *(answer.get("channels") or ())])

    def take_emoji(self, answer: Mapping[str, Any]) -> None:
        """Take the answer to a lazy query for emoji."""
        if not answer.get("unchanged"):
            self.emoji = dict(answer.get("emoji") or {})
        self.emoji_version = int(answer.get("version", 0))
        # An answer from before a change that was told meanwhile is old already.
        self.is_emoji_old = self.emoji_version < self._emoji_told_at

    def user(self, user_id: str) -> Json | None:
        """Return a user's object if it is held."""
        return self.me if user_id == self.me.get("id") else self.objects.get(user_id)

    def channel(self, channel_id: str) -> Json | None:
        """Return a channel's object if it is held."""
        held = self.objects.get(channel_id)
        # Whether the user is in it is our own to know, and needs no newer version.
        return {**held, "is_member": channel_id in self._counted} if held is not None else None

    def apply(self, event: Event | ResumeFailed) -> None:
        """Take what happened, in the order in which the connection brings it."""
        if isinstance(event, ResumeFailed):
            self._missed(event.starts)
            return
        if event.offset:
            if event.offset <= self._positions.get(event.channel_id, 0):
                return
            self._positions[event.channel_id] = event.offset
        reader = _READERS.get(event.type)
        if reader is not None:
            reader(self, event)

    def _missed(self, starts: Mapping[str, int]) -> None:
        """Learn that what happened in some channels before these offsets will never be told."""
        for channel_id, start in starts.items():
            if start <= self._positions.get(channel_id, 0):
                continue  # the boot has all that
            self._positions[channel_id] = start
            if channel_id.startswith("T"):
                self.objects.age()
                self.is_emoji_old = True
            elif channel_id.startswith("U") or channel_id in self._counted:
                self.is_broken = True

    def _message(self, event: Event) -> None:
        channel_id = str(event.json.get("channel", ""))
        counted = self._counted.get(channel_id)
        if counted is not None:
            counted.message(event.json, str(self.me.get("id", "")))
        if str(event.json.get("subtype", "")).endswith(("_topic", "_purpose", "_name")):
            self.objects.age([channel_id])

    def _marked(self, event: Event) -> None:
        counted = self._counted.get(str(event.json.get("channel", "")))
        if counted is not None:
            told = event.json.get("num_mentions", event.json.get("mention_count", 0))
            times = str(event.json.get("ts", "")), str(event.json.get("event_ts", ""))
            counted.marked(times[0], told if isinstance(told, int) else 0, times[1])

    def _user(self, event: Event) -> None:
        user = event.json.get("user")
        if isinstance(user, dict):
            self.objects.put(user, max(version_of(user), event.offset))
            if user.get("id") == self.me.get("id"):
                self.me = user

    def _users(self, event: Event) -> None:
        for user in event.json.get("users") or ():
            self.objects.put(user, version_of(user))

    def _joined(self, event: Event) -> None:
        shape = event.json.get("channel")
        if not isinstance(shape, dict) or "id" not in shape:
            return
        conversation = from_event(shape, KINDS.get(event.type.partition("_")[0], "public"))
        known = self._counted.get(conversation.id)
        if known is None:
            person = str(event.json.get("user", ""))
            is_im = conversation.kind == "im"
            self._counted[conversation.id] = Counted(
                replace(conversation, user_id=conversation.user_id or person) if is_im else conversation
            )

    def _left(self, event: Event) -> None:
        channel = event.json.get("channel")
        self._counted.pop(str(channel.get("id") if isinstance(channel, dict) else channel), None)

    def _renamed(self, event: Event) -> None:
        shape = event.json.get("channel")
        if isinstance(shape, dict):
            self._changed(str(shape.get("id", "")), name=str(shape.get("name", "")))

    def _archived(self, event: Event) -> None:
        is_archived = not event.type.endswith("unarchive")
        self._changed(str(event.json.get("channel", "")), is_archived=is_archived)

    def _changed(self, channel_id: str, **fields: Any) -> None:
        counted = self._counted.get(channel_id)
        if counted is not None:
            counted.now = replace(counted.now, **fields)
        self.objects.change(channel_id, **fields)

    def _pref(self, event: Event) -> None:
        self.prefs = {**self.prefs, str(event.json.get("name", "")): event.json.get("value")}

    def _away(self, event: Event) -> None:
        self.is_away = event.json.get("presence") == "away"

    def _emoji(self, event: Event) -> None:
        self._emoji_told_at = max(self._emoji_told_at, event.offset)
        self.is_emoji_old = True

    def _team(self, event: Event) -> None:
        name = event.json.get("name")
        if isinstance(name, str):
            self.team = {**self.team, "name": name}


_READERS: dict[str, Callable[[Workspace, Event], None]] = {
    "message": Workspace._message,
    "user_change": Workspace._user,
    "team_join": Workspace._user,
    "user_objects": Workspace._users,
    "pref_change": Workspace._pref,
    "manual_presence_change": Workspace._away,
    "emoji_changed": Workspace._emoji,
    "team_rename": Workspace._team,
    **{f"{kind}_marked": Workspace._marked for kind in KINDS},
    **dict.fromkeys(("channel_joined", "group_joined", "im_created", "mpim_created"), Workspace._joined),
    **dict.fromkeys(("im_open", "mpim_open", "mpim_joined"), Workspace._joined),
    **dict.fromkeys(("channel_left", "group_left", "channel_deleted", "group_deleted"), Workspace._left),
    **dict.fromkeys(("channel_rename", "group_rename"), Workspace._renamed),
    **{f"{kind}_{verb}": Workspace._archived for kind in ("channel", "group") for verb in ("archive", "unarchive")},
}
