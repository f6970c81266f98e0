"""Workspaces of realistic shape: people with names, titles and states, channels with topics, emoji; the same for one
seed.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from parley.boot.v1 import boot_pb2 as boot
from parley.webapp.v1 import webapp_service_pb2 as webapp
from svc.kit.ids import id_from_number

TEAM_ID = "T0GQ3XB2A1N"
PAGE = 500
_FIRST_ID = 61_000_000_000_000
_ONSETS = [
    "b", "br", "ch", "d", "f", "g", "h", "j", "k", "kl", "l", "m",
    "n", "p", "r", "s", "sch", "st", "t", "v", "w", "z",
]  # fmt: skip
_VOWELS = ["a", "a", "e", "e", "i", "i", "o", "u", "é", "ö", "ei", "ia"]
_ENDS = ["n", "s", "r", "ll", "nd", "ta", "na", "mann", "son", "ski", "ro"]
_CJK = ["山田", "佐藤", "김민준", "이서연", "王伟", "李娜", "さくら", "ハルカ"]
_TITLES = ["Software Engineer", "Senior Account Executive", "Product Designer", "Engineering Manager, Platform", "", ""]
_STATES = [("", ""), ("", ""), (":palm_tree:", "Vacationing until Monday"), (":house:", "Working remotely")]
_ZONES = ["America/Los_Angeles", "Europe/Berlin", "Asia/Tokyo", "America/New_York"]
_TOPICS = [
    "proj", "team", "help", "ops", "eng", "sales", "design", "infra", "launch", "customer", "alerts", "emea",
    "apac", "tmp", "incident", "release",
]  # fmt: skip
_WORDS = [
    "the", "channel", "for", "all", "about", "work", "on", "our", "and", "what", "we", "plan",
    "to", "build", "ship", "measure", "discuss", "every", "week",
]  # fmt: skip


def _name(rng: Random) -> str:
    if rng.random() < 0.03:
        return rng.choice(_CJK)
    syllables = [rng.choice(_ONSETS) + rng.choice(_VOWELS) for _ in range(rng.choice((1, 2, 2, 2)))]
    return "".join([*syllables, rng.choice(_ENDS)]).capitalize()


def user(rng: Random, number: int) -> boot.User:
    """Return a person; one in fifty is deactivated."""
    first, last = _name(rng), _name(rng)
    handle = f"{first[:1]}{last}".lower() + (str(number % 97) if rng.random() < 0.3 else "")
    emoji, text = rng.choice(_STATES)
    return boot.User(
        id=id_from_number("U", _FIRST_ID + 977 * number),
        team_id=TEAM_ID,
        name=handle,
        real_name=f"{first} {last}",
        display_name=rng.choice((first, first, f"{first} {last}", "")),
        email=f"{handle}@example.com",
        title=rng.choice(_TITLES),
        status_text=text,
        status_emoji=emoji,
        tz=rng.choice(_ZONES),
        avatar_hash=f"{rng.getrandbits(48):012x}",
        deleted=rng.random() < 0.02,
        version=rng.choice((0, rng.randrange(1, 200_000))),
        updated_unix_s=1_780_000_000 + number,
    )


def channel(rng: Random, number: int) -> boot.Channel:
    """Return a public channel; one in five is archived."""
    words = [rng.choice(_TOPICS) for _ in range(rng.randint(1, 2))]
    return boot.Channel(
        id=id_from_number("C", _FIRST_ID + 1021 * number),
        team_id=TEAM_ID,
        name="-".join([*words, _name(rng).lower(), str(number)][: rng.randint(3, 4)]),
        kind=boot.CHANNEL_KIND_PUBLIC,
        creator_id=id_from_number("U", _FIRST_ID + 977 * rng.randrange(1000)),
        created_unix_s=1_700_000_000 + number,
        topic=" ".join(rng.choices(_WORDS, k=rng.choice((0, 0, 6, 12)))),
        purpose=" ".join(rng.choices(_WORDS, k=rng.choice((0, 8, 16, 24)))),
        is_archived=rng.random() < 0.2,
        version=rng.choice((0, rng.randrange(1, 200_000))),
        updated_unix_ms=1_780_000_000_000 + number,
    )


def emoji(rng: Random, number: int) -> boot.Emoji:
    """Return a custom emoji; one in ten is another name of one."""
    name = f"{_name(rng).lower()}-{number}"
    other = f"alias:{_name(rng).lower()}-{rng.randrange(number + 1)}"
    picture = f"https://emoji.example.com/{TEAM_ID}/{name}/{rng.getrandbits(64):016x}.png"
    return boot.Emoji(name=name, value=other if rng.random() < 0.1 else picture)


def parts(users: int, channels: int, emojis: int = 0, seed: int = 5) -> Iterator[webapp.LoadWorkspaceResponse]:
    """Stream the parts of a load; nothing is held beside the page that is sent."""
    rng = Random(seed)
    header = webapp.WorkspaceHeader(team=boot.Team(id=TEAM_ID, name="Acme", domain="acme"), model_offset=200_000)
    yield webapp.LoadWorkspaceResponse(header=header)
    for at in range(0, users, PAGE):
        people = [user(rng, number) for number in range(at, min(at + PAGE, users))]
        yield webapp.LoadWorkspaceResponse(users=webapp.UserPage(users=people))
    for at in range(0, channels, PAGE):
        rooms = [channel(rng, number) for number in range(at, min(at + PAGE, channels))]
        yield webapp.LoadWorkspaceResponse(channels=webapp.ChannelPage(channels=rooms))
    for at in range(0, emojis, PAGE):
        faces = [emoji(rng, number) for number in range(at, min(at + PAGE, emojis))]
        yield webapp.LoadWorkspaceResponse(emoji=webapp.EmojiPage(emoji=faces))
    counts = webapp.WorkspaceTrailer(user_count=users, channel_count=channels, emoji_count=emojis)
    yield webapp.LoadWorkspaceResponse(trailer=counts)
