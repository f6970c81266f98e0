"""What is around a hub, for tests: a member that notes what it gets, an onlooker, and a feed that only remembers."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson

from parley.event.v1 import event_pb2 as event_pb
from svc.gateway.crowd import Ids
from svc.gateway.frames import text_frame
from svc.gateway.members import Member
from svc.gateway.prefetch.memory import HeldOutput, Met


@dataclass(eq=False)
class FakeMember:
    id: str
    user_id: str = ""
    is_aware: bool = False
    team_id: str = "T0000000001"
    met: Met | None = None
    channels: Ids = field(default_factory=Ids)
    got: list[Any] = field(default_factory=list)

    def push(self, frame: bytes) -> None:
        said = orjson.loads(frame[2:])
        if "is" in said:
            self.got.append(str(said["is"]))

    def revoke(self, token_prefixes: Iterable[bytes]) -> None:
        self.got += [f"revoked {each.decode()}" for each in token_prefixes]

    def hold(self) -> HeldOutput:
        raise NotImplementedError

    def release(self, held: HeldOutput) -> None:
        raise NotImplementedError


class FakeOnlooker:
    """Remembers what passed, and introduces users by saying so."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.unheard: list[str] = []
        self.asked = 0
        self.can_introduce = True

    def introduce(self, event: event_pb.Event, user_ids: Iterable[str], members: Iterable[Member]) -> bool:
        self.asked += 1
        for member in members:
            if self.can_introduce:
                member.push(text_frame(orjson.dumps({"is": " ".join(user_ids)})))
        return self.can_introduce

    def passed(self, event: event_pb.Event) -> None:
        self.seen.append(f"{event.channel_id[0]}{event.offset}")

    def moved(self, member: Member) -> None:
        pass

    def unfollowed(self, channel_id: str) -> None:
        self.unheard.append(channel_id)


class FakeFeed:
    """Remembers what is followed, and from where."""

    def __init__(self) -> None:
        self.followed: dict[str, int] = {}
        self.are_level = True

    def follow(self, channel_id: str, after: int) -> None:
        assert channel_id not in self.followed
        self.followed[channel_id] = after

    def is_level(self, channel_id: str) -> bool:
        return self.are_level

    def unfollow(self, channel_id: str) -> None:
        del self.followed[channel_id]
