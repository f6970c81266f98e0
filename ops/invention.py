"""Invented people, channels and sentences: plausible, never the same twice, the same for the same seed. Pure."""

from __future__ import annotations

from collections.abc import Iterator
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
