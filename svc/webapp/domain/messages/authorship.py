"""Under which name a message is said: a person's, a bot's, or another that the bot gives itself."""

from __future__ import annotations

from svc.webapp.commit.log import Json
from svc.webapp.domain import shapes
from svc.webapp.domain.messages.posts import Post
from svc.webapp.domain.people.bots import Bots
from svc.webapp.domain.people.caller import Caller

__all__ = ["CUSTOMIZE", "Authorship", "has_scope"]

CUSTOMIZE = "chat:write.customize"
"""The scope of bots that may speak under another name; classic bots have no scopes of this kind, and may."""
_CLASSIC = frozenset({"bot:basic", "bot"})
_NAME_CHARS_MAX = 80


def has_scope(caller: Caller, scope: str) -> bool:
    """Tell whether a scope was given to the caller in so many words."""
    return scope in caller.scopes.split(",")


class Authorship:
    """Knows what a message says of who wrote it. Raises UnavailableError when MySQL does not answer."""

    def __init__(self, bots: Bots) -> None:
        self._bots = bots

    async def of(self, caller: Caller, post: Post) -> tuple[str, Json]:
        """Return the subtype and the fields that say which bot speaks, and under which name.

        A name that the caller may not give itself is left out, as Slack does, and nothing is refused.
        """
        if not caller.is_bot:
            return "", {}
        known = await self._bots.get(caller.team_id, caller.bot_id)
        more: Json = {"app_id": known.bot.app_id} if known else {}
        if not post.username or not _may_customize(caller):
            return "", more | ({"bot_profile": shapes.bot_profile(*known)} if known else {})
        more["username"] = post.username[:_NAME_CHARS_MAX]
        icons = {"emoji": post.icon_emoji} if post.icon_emoji else {"image_48": post.icon_url} if post.icon_url else {}
        return "bot_message", more | ({"icons": icons} if icons else {})


def _may_customize(caller: Caller) -> bool:
    given = set(caller.scopes.split(",")) - {""}
    return not given or CUSTOMIZE in given or not given.isdisjoint(_CLASSIC)
