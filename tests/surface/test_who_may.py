"""Who may: over all methods, what is another's is refused as if it were not there, and stays as it was."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from svc.kit.ids import is_id
from svc.webapp.api.call import Method
from svc.webapp.api.registry import METHODS
from svc.webapp.store.rows import TokenKind
from tests.surface.houses import Houses, Things
from tests.surface.matrix import HIDDEN_FROM_ALL, HIDDEN_FROM_OTHERS, ROWS, STAMPS, WORDS, Row, things_in
from tests.svc.webapp.api.office import Someone

Call = Mapping[str, Any]
PRIVATE = [method for method in METHODS.values() if not method.is_public]
NAMING = [method for method in METHODS.values() if any(map(things_in, ROWS.get(method.name, Row()).calls))]

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.parametrize("method", METHODS.values(), ids=lambda method: method.name)
async def test_every_method_and_argument_has_a_row(method: Method) -> None:
    """A new one is thought about: give it a row in tests/surface/matrix.py, or say that its argument is but a word."""
    assert method.name in ROWS, f"{method.name} needs a row in tests/surface/matrix.py"
    given = {name for call in ROWS[method.name].calls for name in call}
    assert {arg.name for arg in method.args} <= given | WORDS


async def filled(value: object, things: Mapping[str, Things], made_up: Mapping[str, str]) -> Any:
    """Return a call with things in it: of whom `things` says, by name ("" for all others), or `made_up` ones."""
    text = json.dumps(value)
    for name in sorted(things_in(value), key=len, reverse=True):
        thing = made_up.get(name) or await things.get(name, things[""]).get(name)
        text = text.replace(f"${name}", thing)
    return json.loads(text)


def other_than(town: Houses, thing: str) -> str:
    """Return what looks like a thing, and is none."""
    if is_id(thing):
        return town.mint.mint(thing[0])
    head, at, tail = thing.partition("@")
    if at:
        return f"nobody@{tail}"
    return (
        "".join(str(9 - int(each)) if each.isdigit() else each for each in head)
        if any(map(str.isdigit, head))
        else f"{thing}x"
    )


def without(answer: Mapping[str, Any], *names: str) -> Any:
    """Return an answer without what it repeats of the call."""
    text = json.dumps(answer, sort_keys=True)
    for name in names:
        text = text.replace(name, "NAME")
    return json.loads(text)


def foreign(row: Row, call: Call, hidden: frozenset[str] | None) -> Iterator[tuple[str, set[str]]]:
    """Yield each thing of a call that is to be another's, with what goes along with it."""
    names = things_in(call)
    for name in sorted(names - STAMPS):
        if hidden is None or name in hidden:
            yield name, {name} | (names & STAMPS)


def intruders(town: Houses, row: Row, method: Method) -> Iterator[tuple[str, Someone, Things, frozenset[str] | None]]:
    """Yield who is not to know: what to call them, who they are, what is theirs, and what is hidden from them."""
    home, other = town.home, town.other
    people = TokenKind.USER in method.tokens and row.by != "app"
    bot = "app" if row.by == "app" else "helper"
    if people:
        yield "a stranger", other.root, town.kept_things(other, "root", "helper"), None
        if row.by != "root":
            yield (
                "an outsider",
                home["eve"],
                town.kept_things(home, "eve", "helper"),
                HIDDEN_FROM_OTHERS | HIDDEN_FROM_ALL,
            )
            yield "a friend", home["grace"], town.kept_things(home, "grace", "helper"), HIDDEN_FROM_ALL
    if TokenKind.BOT in method.tokens:
        yield "a stranger's bot", other[bot], town.kept_things(other, "root", "helper"), None
        if row.by != "root":
            things = town.kept_things(home, "eve", "helper")
            yield "an outsider's bot", home["helper"], things, HIDDEN_FROM_OTHERS | HIDDEN_FROM_ALL


@asynccontextmanager
async def unchanged(town: Houses, what: object) -> AsyncIterator[None]:
    """See that no channel's log has grown when the block ends."""
    before = await town.heads()
    yield
    after = await town.heads()
    grown = {each: (before.get(each), at) for each, at in after.items() if at != before.get(each)}
    assert not grown, (what, grown)


async def _refused(
    town: Houses,
    method: Method,
    call: Call,
    who: tuple[str, Someone, Things],
    theirs: Things,
    name: str,
    along: set[str],
) -> None:
    """See that one who must not know of a thing gets the answer that he would get if there were no such thing."""
    title, caller, own = who
    row = ROWS[method.name]
    hidden = await filled(call, {"": own, **dict.fromkeys(along, theirs)}, {})
    thing = await theirs.get(name)
    nothing = other_than(town, thing)
    unknown = await filled(call, {"": own, **dict.fromkeys(along, theirs)}, {name: nothing})
    if name in row.leaves_out:
        told = await caller.call(method.name, **hidden)
    else:
        async with unchanged(town, (title, method.name, hidden)):
            told = await caller.call(method.name, **hidden)
    answer = await caller.call(method.name, **unknown)
    what = (title, method.name, name, hidden, told, answer)
    if name not in row.leaves_out:
        assert told["ok"] is False, what
    assert told["ok"] == answer["ok"], what
    assert told.get("error") == answer.get("error"), what
    if not told["ok"] or method.name not in ("client.boot", "client.search"):
        assert without(told, thing) == without(answer, nothing), what


@pytest.mark.parametrize("method", NAMING, ids=lambda method: method.name)
async def test_what_is_anothers_is_as_if_it_were_not(town: Houses, method: Method) -> None:
    """To another workspace, to who is not a member, to bots; and what the owner may proves that it was there."""
    row = ROWS[method.name]
    theirs = town.kept_things(town.home)
    for call in row.calls:
        for title, caller, own, hidden in intruders(town, row, method):
            for name, along in foreign(row, call, hidden):
                await _refused(town, method, call, (title, caller, own), theirs, name, along)
    for call in row.calls:
        caller = town.home[row.by]
        answer = await caller.call(method.name, **await filled(call, {"": town.things(town.home)}, {}))
        assert ("ok" if answer["ok"] else answer["error"]) in row.ends, (call, answer)


@pytest.mark.parametrize("method", PRIVATE, ids=lambda method: method.name)
async def test_tokens_that_open_nothing(town: Houses, method: Method) -> None:
    """Revoked ones, those of who is gone, of other kinds, without the scope, none: each has its code."""
    tokens = await _spent(town, method)
    call: Call = next(iter(ROWS[method.name].calls), {})
    arguments = await filled(call, {"": town.kept_things(town.home)}, {})
    async with unchanged(town, method.name):
        for code, someone in tokens:
            assert await someone.error(method.name, **arguments) == code


_SPENT: dict[int, list[tuple[str, Someone]]] = {}


async def _spent(town: Houses, method: Method) -> list[tuple[str, Someone]]:
    """Return people whose tokens must not do, each with the code that says why."""
    home = town.home
    if id(town) not in _SPENT:
        revoked = [await town.again(home["eve"]), await town.again(home.app_bot)]
        revoked.append(await town.token(home.app_bot, TokenKind.APP, "connections:write", "xapp"))
        for each in revoked:
            await each.ok("auth.revoke")
        _SPENT[id(town)] = [
            *(("token_revoked", each) for each in revoked),
            ("account_inactive", home["zed"]),
            ("not_authed", Someone(home["eve"].user, "", home["eve"].base, home["eve"].http)),
            ("invalid_auth", Someone(home["eve"].user, home["eve"].token + "0", home["eve"].base, home["eve"].http)),
            ("invalid_auth", Someone(home["eve"].user, "xoxb-1-2-3", home["eve"].base, home["eve"].http)),
            ("missing_scope", await town.token(home["ada"], TokenKind.USER, "nothing:read", "xoxp")),
            ("missing_scope", await town.token(home.app_bot, TokenKind.BOT, "nothing:read", "xoxb")),
            ("not_allowed_token_type", await town.token(home.app_bot, TokenKind.APP, "connections:write", "xapp")),
        ]
    found = _SPENT[id(town)]
    is_apps = method.tokens == {TokenKind.APP}
    if not method.scopes or is_apps:
        found = [each for each in found if each[0] != "missing_scope"]
    if TokenKind.APP in method.tokens:
        found = [each for each in found if each[0] != "not_allowed_token_type"]
    return [(_code(method, code, each), each) for code, each in found]


def _code(method: Method, code: str, someone: Someone) -> str:
    """Return what a method says of a token: whose kind it does not take comes before what else is wrong with it."""
    if someone.token.startswith("xapp-") and TokenKind.APP not in method.tokens:
        return "not_allowed_token_type"
    if code == "missing_scope":
        kind = TokenKind.BOT if someone.user.is_bot else TokenKind.USER
        return code if kind in method.tokens else "not_allowed_token_type"
    return code
