"""Custom emoji of a workspace: names of pictures, and other names of these. Admins and owners change them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from svc.webapp.commit.effects import Writes
from svc.webapp.commit.log import PutEmoji, Write
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.domain.standard_emoji import standard_emoji
from svc.webapp.store.workspace import WorkspaceStore

__all__ = ["EMOJI_MAX", "CustomEmoji", "emoji_name", "picture"]

EMOJI_MAX = 10_000
"""Of a workspace, other names included: 1 MB in a model of 40."""
NAME_CHARS_MAX = 100
"""Slack's limit, and the width of the column."""
VALUE_CHARS_MAX = 1_000
"""The width of the column."""
EMOJI_A_STEP = 50
"""Emoji that one step of a write sets: an event each, of the hundred that a write may have."""
PAGE = 1_000
"""Emoji read at once, when all are listed."""
ALIAS = "alias:"
"""What the value of another name begins with; the name of the emoji follows."""

_PUNCTUATION = "_-+'"
_UNFIT = re.compile(r"[\s\x00-\x1f\x7f\"<>]")


class CustomEmoji:
    """Lists and changes emoji. Methods raise Refused, and UnavailableError when MySQL does not answer.

    Two admins who change one name at the same instant both succeed; the later one's word holds, and is told last.
    """

    def __init__(self, workspaces: WorkspaceStore, writes: Writes) -> None:
        self._workspaces = workspaces
        self._writes = writes

    async def all(self, team_id: str) -> dict[str, str]:
        """Return the workspace's emoji: value by name, in order of name. At most EMOJI_MAX, or a few more."""
        found: dict[str, str] = {}
        after = ""
        while page := await self._workspaces.emoji(team_id, after, PAGE):
            found.update((each.name, each.value) for each in page)
            after = page[-1].name
        return found

    async def is_known(self, team_id: str, name: str) -> bool:
        """Tell whether a name is that of one of Unicode's emoji, or of one of the workspace's own."""
        return name in standard_emoji().names or bool(await self._value(team_id, name))

    async def add(self, caller: Caller, wanted: str, url: str) -> None:
        """Add an emoji with a picture's address, or another name of one (`alias:NAME`)."""
        if url.startswith(ALIAS):
            await self.add_alias(caller, wanted, url.removeprefix(ALIAS))
            return
        await self._check_rights(caller)
        name = await self._new_name(caller.team_id, wanted)
        await self._set(caller.team_id, {name: picture(url)})

    async def add_alias(self, caller: Caller, wanted: str, wanted_for: str) -> None:
        """Add another name of an emoji; of another name it is one of what that stands for."""
        await self._check_rights(caller)
        original = _bare(wanted_for)
        if not original:
            raise Refused("no_alias_selected")
        value = await self._value(caller.team_id, original)
        if not value:
            raise Refused("error_invalid_alias")
        name = await self._new_name(caller.team_id, wanted)
        await self._set(caller.team_id, {name: value if value.startswith(ALIAS) else ALIAS + original})

    async def remove(self, caller: Caller, wanted: str) -> None:
        """Remove an emoji, and its other names with it."""
        await self._check_rights(caller)
        name = _bare(wanted)
        if not await self._value(caller.team_id, name):
            raise Refused("emoji_not_found")
        aliases = await self._workspaces.emoji_aliases(caller.team_id, name, EMOJI_MAX)
        await self._set(caller.team_id, dict.fromkeys([name, *(each.name for each in aliases)], ""))

    async def rename(self, caller: Caller, wanted: str, new: str) -> None:
        """Give an emoji a new name; its other names go on standing for it."""
        await self._check_rights(caller)
        name = _bare(wanted)
        if not name:
            raise Refused("error_missing_name")
        value = await self._value(caller.team_id, name)
        if not value:
            raise Refused("error_invalid_emoji_to_rename")
        new_name = await self._new_name(caller.team_id, new, is_more=False)
        aliases = await self._workspaces.emoji_aliases(caller.team_id, name, EMOJI_MAX)
        # In this order, as far as a step goes, whoever hears of one after the other has no name of nothing.
        moved = {new_name: value} | {each.name: ALIAS + new_name for each in aliases} | {name: ""}
        await self._set(caller.team_id, moved)

    async def _check_rights(self, caller: Caller) -> None:
        # From the database: who was an admin a moment ago is none.
        user = await self._workspaces.user(caller.team_id, caller.user_id)
        if user is None or user.deleted or not (user.is_admin or user.is_owner):
            raise Refused("not_an_admin")

    async def _new_name(self, team_id: str, wanted: str, *, is_more: bool = True) -> str:
        name = emoji_name(wanted)
        if await self._value(team_id, name):
            raise Refused("error_name_taken")
        if is_more and await self._workspaces.count_emoji(team_id) >= EMOJI_MAX:
            raise Refused("emoji_limit_reached")
        return name

    async def _value(self, team_id: str, name: str) -> str:
        """Return what a name stands for; "" for no emoji's name."""
        found = await self._workspaces.emoji_by_name(team_id, [name]) if name else {}
        return found[name].value if name in found else ""

    async def _set(self, team_id: str, emoji: Mapping[str, str]) -> None:
        await self._writes.commit(Write(team_id, effects=tuple(map(PutEmoji, _steps(emoji)))))


def emoji_name(wanted: str) -> str:
    """Return `wanted` as an emoji's name: NFC, without colons and blanks around it.

    Raises Refused with `error_missing_name`, `error_lower_case_names_only` or `error_bad_name_i18n` (longer than 100
    characters, or anything but lower-case letters of any script, digits, `_`, `-`, `+` and `'`).
    """
    name = _bare(wanted)
    if not name:
        raise Refused("error_missing_name")
    if name != name.lower():
        raise Refused("error_lower_case_names_only")
    if len(name) > NAME_CHARS_MAX or not all(map(_is_allowed, name)):
        raise Refused("error_bad_name_i18n")
    return name


def picture(url: str) -> str:
    """Return the address of a picture. Raises Refused: `error_no_image`, `error_bad_format` (not http, or too long)."""
    url = url.strip()
    if not url:
        raise Refused("error_no_image")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise Refused("error_bad_format") from None
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise Refused("error_bad_format")
    if len(url) > VALUE_CHARS_MAX or _UNFIT.search(url):
        raise Refused("error_bad_format")
    return url


def _bare(name: str) -> str:
    return unicodedata.normalize("NFC", name.strip().strip(":").strip())


def _is_allowed(letter: str) -> bool:
    return letter in _PUNCTUATION or unicodedata.category(letter)[0] in "LMN"


def _steps(emoji: Mapping[str, str]) -> Iterator[dict[str, str]]:
    items = list(emoji.items())
    for start in range(0, len(items), EMOJI_A_STEP):
        yield dict(items[start : start + EMOJI_A_STEP])
