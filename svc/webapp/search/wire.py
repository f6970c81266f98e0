"""Between the contract and questions: limits are checked here. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sized

from parley.search.v1 import search_service_pb2 as pb
from svc.kit.errors import InvalidArgumentError
from svc.webapp.search.answering import Answer, Asked
from svc.webapp.search.documents import FILE, LINK, PIN, REACTION, THREAD, reacted
from svc.webapp.search.questions import Conditions, Phrase, Question, phrase
from svc.webapp.search.ranking import Nearness, hash_of

__all__ = ["MARKS", "asked", "response"]

CHANNELS_MAX = 100_000
PHRASES_MAX = 50
PHRASE_CHARS_MAX = 500
NAMED_MAX = 100
REACTIONS_MAX = 20
NEAR_MAX = 1_000
OFFSET_MAX = 10_000
LIMIT_MAX = 100

MARKS = {
    pb.MARK_LINK: LINK,
    pb.MARK_REACTION: REACTION,
    pb.MARK_PIN: PIN,
    pb.MARK_FILE: FILE,
    pb.MARK_THREAD: THREAD,
}


def asked(request: pb.SearchRequest) -> Asked:
    """Return what a request asks. Raises InvalidArgumentError."""
    if not request.team_id or not request.user_id:
        raise InvalidArgumentError("team_id and user_id are needed", subject="team_id")
    _check("member_channel_ids", request.member_channel_ids, CHANNELS_MAX)
    _check("direct_channel_ids", request.direct_channel_ids, CHANNELS_MAX)
    _check("phrases", [*request.phrases, *request.lacking_phrases], PHRASES_MAX)
    _check("near_channels", request.near_channels, NEAR_MAX)
    _check("near_users", request.near_users, NEAR_MAX)
    for name, value, limit in (("offset", request.offset, OFFSET_MAX), ("limit", request.limit, LIMIT_MAX)):
        if value > limit:
            raise InvalidArgumentError(f"{name} is {value}", subject=name, limit=limit, actual=value)
    return Asked(
        Question(
            request.team_id,
            frozenset(request.member_channel_ids),
            tuple(_phrases(request.phrases)),
            tuple(_phrases(request.lacking_phrases)),
            _conditions("having", request.having),
            _conditions("lacking", request.lacking),
            max(0, request.oldest_us),
            max(0, request.latest_us),
            request.addressed_user_id,
            frozenset(request.direct_channel_ids),
        ),
        request.order == pb.ORDER_BEST,
        request.offset,
        request.limit,
        Nearness(
            {hash_of(each): _share(value) for each, value in request.near_channels.items()},
            {hash_of(each): _share(value) for each, value in request.near_users.items()},
        ),
    )


def response(answer: Answer) -> pb.SearchResponse:
    """Return an answer as the contract has it."""
    hits = [pb.Hit(channel_id=channel_id, ts_us=ts_us, score=score) for (channel_id, ts_us), score in answer.hits]
    return pb.SearchResponse(hits=hits, total=answer.total, is_whole=answer.is_whole)


def _phrases(found: Iterable[pb.Phrase]) -> Iterable[Phrase]:
    for each in found:
        if len(each.text) > PHRASE_CHARS_MAX:
            raise InvalidArgumentError(
                "a phrase is too long", subject="phrases", limit=PHRASE_CHARS_MAX, actual=len(each.text)
            )
        made = phrase(each.text, is_prefix=each.is_prefix, is_exact=each.is_exact)
        if made is not None:
            yield made


def _conditions(name: str, found: pb.Conditions) -> Conditions:
    _check(f"{name}.author_ids", found.author_ids, NAMED_MAX)
    _check(f"{name}.channel_ids", found.channel_ids, NAMED_MAX)
    _check(f"{name}.reactions", found.reactions, REACTIONS_MAX)
    unknown = [mark for mark in found.marks if mark not in MARKS]
    if unknown:
        raise InvalidArgumentError(f"{unknown[0]} is no mark", subject=f"{name}.marks")
    marks = {MARKS[mark] for mark in found.marks} | {reacted(each) for each in found.reactions}
    return Conditions(frozenset(found.author_ids), frozenset(found.channel_ids), frozenset(marks))


def _check(name: str, values: Sized, limit: int) -> None:
    if len(values) > limit:
        raise InvalidArgumentError(f"{name} has {len(values)}", subject=name, limit=limit, actual=len(values))


def _share(value: float) -> float:
    return min(1.0, max(0.0, value))
