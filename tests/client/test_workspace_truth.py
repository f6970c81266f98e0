"""A client that boots, reconnects and hears of things late shows in the end what a fresh boot shows."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from parley_client import Conversation, Event, Workspace, tokens

ME, ANN = "U0000000001", "U0000000002"
TEAM = "T0000000001"
OPEN, SECRET, DIRECT = "C0000000001", "G0000000001", "D0000000001"
KINDS = {OPEN: "public", SECRET: "private", DIRECT: "im"}


def ts(number: int) -> str:
    """Return the time of the n-th thing that happened."""
    return f"17000000{number:02d}.000000" if number else ""


class Server:
    """Truth, and what a real server would tell of it: logs with dense offsets, boots, deltas."""

    def __init__(self) -> None:
        self.time = 0
        self.logs: dict[str, list[dict[str, Any]]] = {each: [] for each in (TEAM, ME, OPEN, SECRET, DIRECT)}
        self.read = dict.fromkeys(KINDS, 0)
        self.messages: dict[str, list[tuple[int, bool]]] = {each: [] for each in KINDS}
        self.joined = set(KINDS)
        self.names = {ME: (0, "me"), ANN: (0, "ann")}

    def tell(self, log: str, kind: str, **fields: Any) -> None:
        self.logs[log].append({"type": kind, "event_ts": ts(self.time), **fields})

    def post(self, channel: str, sender: str, names_me: bool) -> None:
        self.time += 1
        is_for_me = sender != ME and (names_me or channel == DIRECT)
        self.messages[channel].append((self.time, is_for_me))
        text = f"<@{ME}>" if names_me else "hello"
        self.tell(channel, "message", channel=channel, user=sender, text=text, ts=ts(self.time))

    def mark(self, channel: str, back: int) -> None:
        self.time += 1
        self.read[channel] = max(0, self.time - 1 - back)
        fields = {"channel": channel, "ts": ts(self.read[channel]), "num_mentions": self.mentions(channel)}
        self.tell(ME, "im_marked" if channel == DIRECT else "channel_marked", **fields)

    def rename(self, user: str) -> None:
        self.time += 1
        version = len(self.logs[TEAM]) + 1
        self.names[user] = (version, f"name {self.time}")
        self.tell(TEAM, "user_change", user=self.user(user))

    def leave(self) -> None:
        self.time += 1
        if SECRET in self.joined:
            self.joined.discard(SECRET)
            self.tell(ME, "group_left", channel=SECRET)

    def mentions(self, channel: str) -> int:
        return sum(is_for_me for time, is_for_me in self.messages[channel] if time > self.read[channel])

    def user(self, user: str) -> dict[str, Any]:
        version, name = self.names[user]
        return {"id": user, "real_name": name, "v": version}

    def heads(self) -> dict[str, int]:
        return {channel: len(log) for channel, log in self.logs.items() if channel in self.joined | {TEAM, ME}}

    def conversations(self) -> dict[str, Conversation]:
        return {
            channel: Conversation(
                channel,
                KINDS[channel],
                last_read=ts(self.read[channel]),
                latest=ts(max((time for time, _ in self.messages[channel]), default=0)),
                mentions=self.mentions(channel),
            )
            for channel in self.joined
        }

    def boot(self, since: dict[str, int] | None) -> dict[str, Any]:
        """Return an answer of client.boot: whole, or what changed since these positions."""
        heads, moved = self.heads(), set(self.joined)
        answer: dict[str, Any] = {"ok": True, "token": tokens.encode(heads), "is_delta": since is not None}
        if since is None or since[TEAM] < self.names[ME][0]:
            answer["self"] = self.user(ME)
        if since is not None:
            answer["changed"] = [user for user, (version, _) in self.names.items() if version > since[TEAM]]
            if since[ME] == heads[ME]:
                moved = {channel for channel in self.joined if heads[channel] > since.get(channel, 0)}
        answer["complete"] = since is None or since[ME] != heads[ME]
        answer["channels"] = [_entry(each) for each in self.conversations().values() if each.id in moved]
        return answer

    def objects(self, ids: dict[str, int | None]) -> dict[str, Any]:
        users = [self.user(each) for each, version in ids.items() if version is None or self.names[each][0] > version]
        return {"users": users, "channels": [], "unknown": []}


def _entry(conversation: Conversation) -> dict[str, Any]:
    fields = {name: getattr(conversation, name) for name in ("id", "kind", "last_read", "latest", "mentions")}
    return {name: value for name, value in fields.items() if value}


class Side:
    """A client of it: what it received so far, and what it holds."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.workspace = Workspace()
        self.had: dict[str, int] = {}
        self.reconnect()

    def reconnect(self) -> None:
        """Boot: as a delta when there is something to go by. The connection then goes on from what was received."""
        answer = self.server.boot(self.had or None)
        self.workspace.boot(answer)
        self.had = self.had or tokens.decode(answer["token"])

    def hear(self, channel: str) -> bool:
        """Take the next event of a channel, if there is one."""
        offset = self.had.get(channel, 0) + 1
        if channel not in self.had or offset > len(self.server.logs[channel]):
            return False
        event = self.server.logs[channel][offset - 1]
        self.had[channel] = offset
        self.workspace.apply(Event(event["type"], event, channel, offset))
        return True

    def load(self, *ids: str) -> None:
        ask = self.workspace.ask(ids)
        self.workspace.answered(ask, self.server.objects(dict(ask.ids)))


CHANNELS = st.sampled_from([OPEN, SECRET, DIRECT])
USERS = st.sampled_from([ME, ANN])
STEPS = st.one_of(
    st.tuples(st.just("post"), CHANNELS, USERS, st.booleans()),
    st.tuples(st.just("mark"), CHANNELS, st.integers(0, 4)),
    st.tuples(st.just("rename"), USERS),
    st.tuples(st.just("leave")),
    st.tuples(st.just("hear"), st.sampled_from([TEAM, ME, OPEN, SECRET, DIRECT])),
    st.tuples(st.just("load"), USERS),
    st.tuples(st.just("reconnect")),
)


PARTLY_READ = [("post", OPEN, ANN, True), ("post", OPEN, ANN, True), ("reconnect",), ("post", OPEN, ANN, True)]
"""A mark between mentions of the boot, told before a mention that it counts is heard."""


@settings(max_examples=500, deadline=None)
@example([*PARTLY_READ, ("mark", OPEN, 2), ("hear", ME)])
@given(st.lists(STEPS, max_size=30))
def test_whatever_happens_a_client_that_heard_all_shows_what_a_fresh_boot_shows(steps: list[tuple[Any, ...]]) -> None:
    """Posts, read marks, changes of users, reconnects with deltas, and events that come late, in any interleaving."""
    server = Server()
    client = Side(server)
    for step in steps:
        getattr(client if step[0] in ("hear", "load", "reconnect") else server, step[0])(*step[1:])
    for channel in server.logs:
        while client.hear(channel):
            pass
    fresh = Side(server).workspace
    assert client.workspace.conversations == server.conversations() == fresh.conversations
    client.load(ME, ANN)
    assert client.workspace.user(ANN) == server.user(ANN)
    assert client.workspace.me == fresh.me == server.user(ME)


@settings(max_examples=200, deadline=None)
@given(st.lists(STEPS, max_size=30))
def test_right_after_a_boot_all_that_is_shown_is_right_though_old_events_follow(steps: list[tuple[Any, ...]]) -> None:
    """What was replayed from before the boot changes nothing; nothing has to be heard first."""
    server = Server()
    client = Side(server)
    for step in steps:
        getattr(client if step[0] in ("hear", "load", "reconnect") else server, step[0])(*step[1:])
    client.reconnect()
    assert client.workspace.conversations == server.conversations()
    assert client.workspace.me == server.user(ME)
    client.load(ANN)
    assert client.workspace.user(ANN) == server.user(ANN)
