"""Invented people, channels and sentences: plausible, never the same twice, the same for the same seed. Pure."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from itertools import accumulate
from random import Random


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST = _words(
    """
    Ada Agnes Alan Alice Amara Amir Ana Anders Anika Arjun Astrid Barbara Bianca Boris Carlos Chen Chloe Clara
    Dana Daniel David Diego Dmitri Edith Elena Elias Emil Emma Erik Esther Eva Farid Fatima Felix Finn Freya
    Gabriel Grace Greta Hana Hassan Helen Hiro Hugo Ida Igor Ines Iris Isaac Ivan Jada Jan Jasmin Jean Jonas Julia
    Kai Karin Katya Kenji Lara Lea Leon Lin Linus Luca Lucia Magnus Maja Marco Maria Marie Mateo Maya Mei Mika
    Mina Miriam Mohamed Nadia Naomi Nia Nils Nina Noah Nora Olga Oliver Omar Oscar Paula Pedro Petra Priya Rafael
    Ravi Rosa Ruth Samir Sara Sofia Stefan Sven Tara Theo Tim Tomas Uma Vera Victor Viktor Wanda Wei Yara Yuki
    Yusuf Zoe
    """
)
LAST = _words(
    """
    Adeyemi Alvarez Andersen Bakker Bauer Becker Berg Bianchi Brandt Castro Chandra Chen Costa Cruz Dahl Davies
    Diaz Dubois Eriksen Evans Fischer Fontaine Garcia Gomez Haddad Hansen Hashimoto Hoffmann Ibrahim Ivanova
    Jansen Jensen Johansson Kaya Keller Khan Kim Kowalski Kumar Larsen Lefevre Lehmann Li Lindberg Lopez Maier
    Marin Martin Mendes Meyer Moreau Mueller Nakamura Nguyen Nielsen Novak Okafor Olsen Park Patel Pereira Petrov
    Popescu Ramirez Rao Rossi Sato Schmidt Schneider Silva Singh Sokolov Suzuki Tanaka Taylor Torres Vargas Wagner
    Walker Wang Weber Yamamoto Yilmaz Zhang Zimmer
    """
)
TITLES = ("Engineer", "Designer", "Product manager", "Support", "Sales", "Data analyst", "Operations", "Team lead")
ZONES = _words(
    """
    Europe/Berlin Europe/London America/New_York America/Sao_Paulo Asia/Tokyo Asia/Kolkata UTC
    """
)
TEAMS = _words(
    """
    backend billing data design docs events finance frontend growth hiring infra legal mobile ops platform privacy
    product quality research sales search security support web
    """
)
ABOUT = ("", *_words("alerts announcements ask bugs deploys incidents news oncall planning review social"))
SENTENCES = (
    "Good morning, everyone.",
    "The deploy is out, please keep an eye on the graphs.",
    "Does anybody know who owns this job?",
    "I pushed a fix, can somebody have a look?",
    "Lunch at half past twelve?",
    "The numbers for last week are in the usual place.",
    "That test is flaky again; I will look into it this afternoon.",
    "Thank you, that was it.",
    "We talked about it yesterday and decided to wait for a week.",
    "Release notes are ready for review.",
    "I am out tomorrow, ask me today if you need something.",
    "Latency is back to normal.",
)


def people(count: int, rng: Random) -> Iterator[tuple[str, str]]:
    """Yield `count` pairs of a handle, unique among them, and a full name."""
    used: dict[str, int] = {}
    for _ in range(count):
        first, last = rng.choice(FIRST), rng.choice(LAST)
        handle = f"{first}.{last}".lower()
        used[handle] = number = used.get(handle, 0) + 1
        yield handle if number == 1 else f"{handle}{number}", f"{first} {last}"


def channels(count: int, rng: Random) -> Iterator[str]:
    """Yield `count` different names of channels: `infra-oncall`, later `infra-oncall-2`."""
    names = [f"{team}-{about}".rstrip("-") for team in TEAMS for about in ABOUT]
    rng.shuffle(names)
    for number in range(count):
        turn, place = divmod(number, len(names))
        yield names[place] if turn == 0 else f"{names[place]}-{turn + 1}"


def channel_sizes(channels_count: int, users_count: int) -> list[int]:
    """Return how many members each channel has: the first nearly half of all, the n-th a share that falls as 1/n.

    So it is in real workspaces: few large channels, a long tail of small ones. At least two, where there are two.
    """
    least = min(2, users_count)
    return [max(least, round(0.4 * users_count / rank)) for rank in range(1, channels_count + 1)]


def sentence(rng: Random) -> str:
    """Return something that a colleague might say."""
    return rng.choice(SENTENCES)


EMOJI = _words(
    """
    acorn badge bingo blob bongo cactus cheer comet confetti corgi crab cursor dance dino disco facepalm flame ghost
    gopher hammer hug kraken llama lgtm nod noodle octopus otter parrot party penguin pixel popcorn raccoon robot
    shipit shrug sloth snail snek sparkle stonks taco thanks tumbleweed unicorn wave whale yak zap
    """
)
PICTURES = _words(
    """
    100 bee beer boom bulb butterfly cake cherry_blossom clap coffee dolphin eyes fire four_leaf_clover fox_face gift
    hatching_chick heart hedgehog joy muscle ok_hand pizza pray rainbow raised_hands rocket smile snowflake sparkles
    star sunny tada trophy turtle zzz
    """
)
"""Names of Unicode's that no invented one has."""
STATUSES = (
    (":house_with_garden:", "Working from home"),
    (":palm_tree:", "On holiday"),
    (":face_with_thermometer:", "Out sick"),
    (":calendar:", "In a meeting"),
    (":headphones:", "Focus time"),
    (":baby:", "On parental leave until spring"),
    (":bus:", "Commuting"),
)
TOPICS = (
    "Questions and answers; read the pinned guide first",
    "On call this week: see the rota. Incidents go to the incident channel, please do not page people here",
    "Next review on Thursday at 14:00",
    "Weekly numbers, and what we make of them",
    "Everything about the migration: plan, dates, who does what",
    "Please thread your replies",
)
PURPOSES = (
    "Where the team plans its work and says what is done",
    "Announcements that concern more than one team; discussions go elsewhere",
    "A place to ask before you build it a second time",
    "Alerts of the production systems, posted by bots",
    "For everything that has nothing to do with work",
)

SIGMA = 0.6
"""Spread of how many channels somebody is in: one in forty is in more than three times the median."""

HEAD = 8
"""The popularity of the n-th channel falls as 1/(n + HEAD): the most popular ones do not take everybody."""


def avatar_hash(email: str) -> str:
    """Return the name of somebody's picture, as Gravatar has it: 32 hexadecimal digits."""
    return hashlib.md5(email.encode(), usedforsecurity=False).hexdigest()


def status(rng: Random) -> tuple[str, str]:
    """Return an emoji and a text; for 15 in 100 people, nothing for the rest."""
    return rng.choice(STATUSES) if rng.random() < 0.15 else ("", "")


def topic(rng: Random) -> str:
    """Return a topic, for 6 in 10 channels."""
    return rng.choice(TOPICS) if rng.random() < 0.6 else ""


def purpose(rng: Random) -> str:
    """Return a purpose, for 4 in 10 channels."""
    return rng.choice(PURPOSES) if rng.random() < 0.4 else ""


def custom_emoji(users_count: int, rng: Random) -> Iterator[tuple[str, str]]:
    """Yield names and values: two for every 15 people, at most 2,000; one in 20 is another name for one before it, all
    others stand for one of Unicode's: a picture would be somebody else's to serve.
    """
    names: list[str] = []
    for number in range(min(2_000, round(users_count * 2 / 15))):
        turn, place = divmod(number, len(EMOJI))
        name = EMOJI[place] if turn == 0 else f"{EMOJI[place]}-{turn + 1}"
        is_alias = bool(names) and rng.random() < 0.05
        yield name, f"alias:{rng.choice(names) if is_alias else PICTURES[number % len(PICTURES)]}"
        names.append(name)


def skewed(median: float, most: int, rng: Random) -> int:
    """Return how many of something somebody has: log-normal around `median`, between 1 and `most`."""
    return max(1, min(most, round(median * math.exp(rng.gauss(0.0, SIGMA)))))


def favourites(count: int, weights: Sequence[float], rng: Random) -> list[int]:
    """Return `count` different places of a list of cumulative weights, each as likely as its share of them.

    Fewer when it keeps drawing what it has: somebody who wants nearly all of a short list.
    """
    chosen: dict[int, None] = {}
    for _ in range(4):
        places = rng.choices(range(len(weights)), cum_weights=weights, k=count)
        chosen.update(dict.fromkeys(places))
        if len(chosen) >= count:
            break
    return list(chosen)[:count]


def popularity(count: int, head: int = HEAD) -> list[float]:
    """Return cumulative weights of `count` channels, the most popular first. Source: Mandelbrot (1953)."""
    return list(accumulate(1 / (rank + head) for rank in range(1, count + 1)))


def age_us(rng: Random) -> int:
    """Return how long ago something was said: between a minute and a month, any order of magnitude alike."""
    return round(60_000_000 * math.exp(rng.uniform(0.0, math.log(30 * 24 * 60))))


def preferences(rng: Random) -> dict[str, object]:
    """Return what somebody has set: some ten things, 300 bytes of JSON."""
    return {
        "messages_theme": rng.choice(("default", "compact")),
        "sidebar_theme": rng.choice(("aubergine", "ocean", "chocolate", "monument")),
        "emoji_use": rng.randrange(500),
        "emoji_mode": "default",
        "time24": rng.random() < 0.5,
        "highlight_words": rng.choice(TEAMS),
        "muted_channels": "",
        "push_idle_wait": rng.choice((0, 60, 120)),
        "enter_is_special_in_tbt": False,
        "display_real_names_override": rng.choice((-1, 0, 1)),
        "frecency_jumper": "",
    }
