"""The page about the Web API says what the code says."""

from __future__ import annotations

from ops.dev import coverage
from ops.dev.methods import FAMILIES, known
from svc.webapp.api.arguments import Arg
from svc.webapp.api.call import Answer, Call, Method, Tier
from svc.webapp.api.registry import METHODS
from svc.webapp.store.rows import TokenKind


async def nothing(call: Call) -> Answer:
    """Answer nothing."""
    return {}


def test_the_page_is_what_the_methods_say() -> None:
    """Whoever changes a method says `make gen`."""
    assert coverage.PAGE.read_text(encoding="utf-8") == coverage.page(METHODS, list(known())), "run: make gen"


def test_each_name_is_listed_once() -> None:
    """As Slack writes it."""
    names = list(known())
    assert len(names) == len(set(names)) == sum(len(each.split()) for each in FAMILIES.values())
    assert {coverage.family_of(name) for name in names} == set(FAMILIES)


def test_a_page_tells_what_there_is_what_is_missing_and_what_is_not() -> None:
    """One of each state, one of ours, and a family of which there is nothing."""
    methods = [
        Method("a.whole", nothing, (Arg("x", required=True), Arg("y")), scopes=("a:read", "a:write"), tier=Tier.T2),
        Method("a.half", nothing, partly="the other half"),
        Method("b.own", nothing, tokens=frozenset({TokenKind.APP})),
    ]
    lines = coverage.page({each.name: each for each in methods}, ["a.half", "a.none", "a.whole", "c.none"]).splitlines()
    assert "Of 4 methods: 1 done, 1 partly, 2 not; and 1 of our own." in lines
    assert "| `a.whole` | done | `a:read` `a:write` | 2 | **x**, y |" in lines
    assert "| `a.half` | partly |  | 3 |  |" in lines
    assert "- `a.half`: the other half." in lines
    assert "| `a.none` | not | | | |" in lines
    assert "| `b.own` | done | an app's own token | 3 |  |" in lines
    assert "- c: `c.none`" in lines


def test_every_method_says_what_it_costs_and_needs() -> None:
    """A scope, or one of the few reasons for none."""
    free = {name for name, method in METHODS.items() if not method.scopes and not method.is_public}
    assert free <= NEED_NO_SCOPE, free - NEED_NO_SCOPE


NEED_NO_SCOPE = frozenset(
    [
        *("apps.install", "apps.uninstall", "auth.revoke", "auth.teams.list", "auth.test", "blocks.actions"),
        *("blocks.suggestions", "chat.command", "chat.getPermalink", "commands.list", "shortcuts.run", "views.close"),
        *("views.home", "views.open", "views.publish", "views.push", "views.submit", "views.update"),
    ]
)
"""About the token itself, what Slack asks no scope for, and what only people call."""
