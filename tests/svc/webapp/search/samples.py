"""Messages and questions for tests of search."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from svc.webapp.search.documents import FILE, LINK, PIN, REACTION, THREAD, Document, for_user, reacted
from svc.webapp.search.questions import Conditions, Phrase, Question
from svc.webapp.store.rows import Conversation, ConversationKind, Message

TEAM, OTHER_TEAM = "T0000000001", "T0000000002"
ADA, GRACE = "U0000000001", "U0000000002"
GENERAL, SECRET, ABROAD = "C0000000001", "C0000000002", "C0000000003"
DAY_US = 86_400_000_000
VOCABULARY = (
    "deploy",
    "deploys",
    "deployed",
    "release",
    "lunch",
    "lunches",
    "the",
    "build",
    "builds",
    "日",
    "本",
    "red",
)
MARKS = (LINK, REACTION, PIN, FILE, THREAD, reacted("tada"), for_user(ADA))

PUBLIC = Conversation(GENERAL, TEAM, ConversationKind.PUBLIC, "general")
PRIVATE = Conversation(SECRET, TEAM, ConversationKind.PRIVATE, "secret")


def message(text: str, ts_us: int = 1, **changes: object) -> Message:
    """Return a row of a message of ada's in general."""
    row = Message(GENERAL, ts_us, ts_us, ADA, "", "", text, 0, False, "", b"", ts_us)
    return replace(row, **changes)  # type: ignore[arg-type]


def said(text: str, ts_us: int = 1, **changes: object) -> Document:
    """Return a document of ada's in general."""
    document = Document(GENERAL, ts_us, ADA, TEAM, tuple(text.split()), ())
    return replace(document, **changes)  # type: ignore[arg-type]


def asked(*phrases: str, **changes: object) -> Question:
    """Return a question for some words, by somebody who sees what is public alone."""
    made = tuple(Phrase(tuple(each.strip("*").split()), each.endswith("*"), is_exact=" " in each) for each in phrases)
    return replace(Question(TEAM, phrases=made), **changes)  # type: ignore[arg-type]


def any_document(rng: Random, ts_us: int) -> Document:
    """Return a message of anybody's anywhere."""
    channel_id = rng.choice((GENERAL, SECRET, ABROAD))
    public_in = {GENERAL: TEAM, SECRET: "", ABROAD: OTHER_TEAM}[channel_id]
    words = tuple(rng.choices(VOCABULARY, k=rng.randrange(0, 9)))
    marks = tuple(rng.sample(MARKS, k=rng.randrange(0, 4)))
    return Document(channel_id, ts_us, rng.choice((ADA, GRACE)), public_in, words, marks, rng.randrange(0, 5))


def any_question(rng: Random) -> Question:
    """Return anything that may be asked."""

    def some_ids(ids: tuple[str, ...]) -> frozenset[str]:
        return frozenset(rng.sample(ids, k=rng.choice((0, 0, 0, 1, 2))))

    def phrase() -> Phrase:
        words = tuple(rng.choices(VOCABULARY, k=rng.choice((1, 1, 1, 2))))
        is_prefix = words[-1].isascii() and rng.random() < 0.2
        return Phrase((*words[:-1], words[-1][:3]) if is_prefix else words, is_prefix, rng.random() < 0.2)

    def conditions(chance: float) -> Conditions:
        if rng.random() > chance:
            return Conditions()
        marks = frozenset(rng.sample(MARKS, k=rng.choice((0, 1))))
        return Conditions(some_ids((ADA, GRACE)), some_ids((GENERAL, SECRET, ABROAD)), marks)

    return Question(
        TEAM,
        some_ids((SECRET, GENERAL)),
        tuple(phrase() for _ in range(rng.randrange(0, 4))),
        tuple(phrase() for _ in range(rng.choice((0, 0, 1)))),
        conditions(0.5),
        conditions(0.3),
        rng.choice((0, 0, 100)),
        rng.choice((0, 0, 250)),
        rng.choice(("", "", "", ADA)),
        some_ids((SECRET, GENERAL)),
    )
