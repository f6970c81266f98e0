"""Names that a text mentions made into what they name: `@ada` into `<@U…>`, `#general` into `<#C…|general>`.

For posts with `link_names` or `parse=full`; others mean what they write. What is inside `<…>` or code is left alone,
and so is a name that nobody in the workspace has.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from svc.webapp.domain.people.caller import Caller
from svc.webapp.store.rows import ConversationKind
from svc.webapp.store.workspace import WorkspaceStore

__all__ = ["NAMES_MAX", "Naming", "linked", "names_in", "urls_linked"]

NAMES_MAX = 20
"""Distinct names of one text that are looked up; the others stay as they are."""

_LEFT_ALONE = r"<[^<>]*>|```.*?```|`[^`]*`"
_NAMES = re.compile(rf"(?s:{_LEFT_ALONE})|(?<![\w/@#.])(?P<mark>[@#])(?P<name>[\w][\w.\-]{{0,79}})")
_URLS = re.compile(rf"(?s:{_LEFT_ALONE})|(?<!\w)(?P<url>https?://[^\s<>|]+[^\s<>|.,;:!?)\]}}'\"])")
_EVERYBODY = frozenset({"here", "channel", "everyone"})


def names_in(text: str) -> tuple[str, ...]:
    """Return the names with their marks (`@ada`, `#general`), in lower case, each once, at most NAMES_MAX."""
    found = (_bare(each["mark"], each["name"]) for each in _NAMES.finditer(text) if each["name"])
    return tuple(dict.fromkeys(found))[:NAMES_MAX]


def linked(text: str, known: Mapping[str, str]) -> str:
    """Return the text with the names that are `known` replaced: `@ada` or `#general` by what stands for it."""

    def replaced(found: re.Match[str]) -> str:
        if not found["name"]:
            return found[0]
        bare = _bare(found["mark"], found["name"])
        return known[bare] + found[0][len(bare) :] if bare in known else found[0]

    return _NAMES.sub(replaced, text)


def urls_linked(text: str) -> str:
    """Return the text with each address in it as a link."""
    return _URLS.sub(lambda found: f"<{found['url']}>" if found["url"] else found[0], text)


def _bare(mark: str, name: str) -> str:
    # A full stop behind a name ends the sentence.
    return mark + name.rstrip(".-").lower()


class Naming:
    """Looks names up. Raises UnavailableError when MySQL does not answer."""

    def __init__(self, workspaces: WorkspaceStore) -> None:
        self._workspaces = workspaces

    async def linked(self, caller: Caller, text: str, *, with_urls: bool = False) -> str:
        """Return the text with what it names in it. Private conversations stay names: they are nobody else's."""
        known: dict[str, str] = {}
        for name in names_in(text):
            stands_for = await self._found(caller.team_id, name)
            if stands_for:
                known[name] = stands_for
        text = linked(text, known)
        return urls_linked(text) if with_urls else text

    async def _found(self, team_id: str, name: str) -> str:
        mark, bare = name[0], name[1:]
        if mark == "@" and bare in _EVERYBODY:
            return f"<!{bare}>"
        if mark == "@":
            user = await self._workspaces.user_by_name(team_id, bare)
            return f"<@{user.id}>" if user is not None and not user.deleted else ""
        found = await self._workspaces.conversation_by_name(team_id, bare)
        is_public = found is not None and found.kind is ConversationKind.PUBLIC
        return f"<#{found.id}|{found.name}>" if found is not None and is_public else ""
