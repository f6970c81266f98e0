"""Write docs/web-api.md: which of Slack's methods there are. `python -m ops.dev.coverage`; `--check` only compares.

The page is made of the methods themselves and of a list of Slack's names, so it cannot say what is not so for long.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from ops.dev.methods import known
from svc.webapp.api.arguments import Arg
from svc.webapp.api.call import Method
from svc.webapp.api.registry import METHODS
from svc.webapp.limits.tiers import Tier
from svc.webapp.store.rows import TokenKind

__all__ = ["PAGE", "family_of", "page"]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "web-api.md"

DONE, PARTLY, NOT = "done", "partly", "not"
_TIERS: Mapping[Tier, str] = {
    Tier.T1: "1",
    Tier.T2: "2",
    Tier.T3: "3",
    Tier.T4: "4",
    Tier.POSTING: "posting",
    Tier.SPECIAL: "special",
}
_INTRODUCTION = """# Web API

Which methods of Slack's Web API there are, and what is missing of them. This page is generated from the code
(`make gen`); `make check` fails while it is not what the code says.

Every method takes its arguments as query, form, multipart form or JSON, and ignores those that it does not know. A
method that there is not answers `unknown_method`. **done**: the arguments, answers and errors of Slack's method.
**partly**: the same but for what stands below the table. **not**: there is none. In **bold**: an argument that must be
given. A token with scopes needs any one of those named; a person's own token, and a classic bot's
(`identify,bot:basic`), may do all that its owner may. Tiers are Slack's; [limits.md](limits.md) says how often that is.
"""
_OURS = """## Ours

Methods of our own clients, and what Slack's clients use but Slack does not document.
"""


def state(method: Method | None) -> str:
    """Return how much of a method there is."""
    if method is None:
        return NOT
    return PARTLY if method.partly else DONE


def family_of(name: str) -> str:
    """Return what a method's name begins with; two words of those for administrators."""
    words = name.split(".")
    return ".".join(words[:2]) if words[0] == "admin" else words[0]


def page(methods: Mapping[str, Method], names: Sequence[str]) -> str:
    """Return the page about `methods`, with `names` as all that Slack has."""
    states = [state(methods.get(name)) for name in names]
    counts = ", ".join(f"{states.count(each)} {each}" for each in (DONE, PARTLY, NOT))
    parts = [_INTRODUCTION, f"Of {len(names)} methods: {counts}; and {len(methods.keys() - set(names))} of our own.\n"]
    families: dict[str, list[str]] = {}
    for name in names:
        families.setdefault(family_of(name), []).append(name)
    present = [each for each in families if any(name in methods for name in families[each])]
    absent = [name for each in families if each not in present for name in families[each]]
    parts += [f"## {each}\n\n{_table(families[each], methods)}" for each in present]
    parts.append(_OURS + "\n" + _table(sorted(methods.keys() - set(names)), methods))
    parts.append("## Families of which there is nothing\n\n" + "\n".join(_listed(absent)) + "\n")
    return "\n".join(parts)


def _table(names: Sequence[str], methods: Mapping[str, Method]) -> str:
    lines = ["| method | | any scope of | tier | arguments |", "|---|---|---|---|---|"]
    lines += [_row(name, methods[name]) for name in names if name in methods]
    missing = [name for name in names if name not in methods]
    lines += [f"| `{name}` | {NOT} | | | |" for name in missing]
    lacks = [f"- `{name}`: {methods[name].partly}." for name in names if name in methods and methods[name].partly]
    return "\n".join([*lines, *([""] if lacks else []), *lacks]) + "\n"


def _row(name: str, method: Method) -> str:
    scopes = " ".join(f"`{each}`" for each in dict.fromkeys(method.scopes))
    cells = (f"`{name}`", state(method), _whose(method) or scopes, _TIERS[method.tier], _arguments(method.args))
    return f"| {' | '.join(cells)} |"


def _whose(method: Method) -> str:
    if method.is_public:
        return "no token needed"
    return "an app's own token" if method.tokens == {TokenKind.APP} else ""


def _arguments(args: Iterable[Arg]) -> str:
    return ", ".join(f"**{arg.name}**" if arg.required else arg.name for arg in args)


def _listed(names: Iterable[str]) -> Iterator[str]:
    families: dict[str, list[str]] = {}
    for name in names:
        families.setdefault(family_of(name), []).append(name)
    for family, found in families.items():
        yield f"- {family}: " + ", ".join(f"`{name}`" for name in found)


def main() -> int:
    """Write the page, or compare; return the exit code."""
    fresh = page(METHODS, list(known()))
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(fresh, encoding="utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == fresh:
        return 0
    sys.stdout.write(f"{PAGE.name} is stale: it is not what the methods say of themselves. Run: make gen\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
