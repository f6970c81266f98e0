"""Slash commands of apps: told to the app, whose answer is said at once."""

from __future__ import annotations

from svc.webapp.cache.lookups import Lookups
from svc.webapp.domain.apps import payloads
from svc.webapp.domain.apps.delivery import Delivery
from svc.webapp.domain.apps.directory import AppDirectory
from svc.webapp.domain.apps.passes import Passes, ResponsePass
from svc.webapp.domain.apps.speech import Speech, said
from svc.webapp.domain.connect import Origin
from svc.webapp.domain.conversations.directory import Directory
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.rows import Team, User

__all__ = ["COMMAND_CHARS_MAX", "Commands", "who_and_where"]

COMMAND_CHARS_MAX = 8_000
"""Of what follows a command."""


class Commands:
    """Hands slash commands to apps. Methods raise Refused, and UnavailableError when MySQL does not answer."""

    def __init__(
        self,
        apps: AppDirectory,
        directory: Directory,
        lookups: Lookups,
        delivery: Delivery,
        passes: Passes,
        speech: Speech,
    ) -> None:
        self._apps = apps
        self._directory = directory
        self._lookups = lookups
        self._delivery = delivery
        self._passes = passes
        self._speech = speech

    async def run(
        self, caller: Caller, origin: Origin, channel_id: str, name: str, text: str, thread_ts_us: int = 0
    ) -> None:
        """Tell an app's command to it, and say what it answers within three seconds.

        Refused `command_not_found`, `channel_not_found`, `not_in_channel`, `is_archived`, `too_long`,
        `operation_timeout`, and as posting does.
        """
        app = await self._apps.with_command(caller.team_id, name)
        if app is None:
            raise Refused("command_not_found")
        if len(text) > COMMAND_CHARS_MAX:
            raise Refused("too_long")
        sight = await self._directory.see(caller, channel_id)
        sight.check_writable()
        team, user = await who_and_where(self._lookups, caller)
        asked = ResponsePass(app.team_id, app.id, channel_id, user.id, thread_ts_us=thread_ts_us)
        payload = payloads.slash_command(
            app,
            team,
            user,
            sight.conversation,
            name,
            text,
            self._passes.response_url(origin, asked),
            self._passes.trigger(app.team_id, app.id, user.id),
        )
        acked = await self._delivery.deliver(app, "slash_commands", payload)
        answer = said(acked or {})
        if not answer.is_empty:
            await self._speech.answer(app, asked, answer)


async def who_and_where(lookups: Lookups, caller: Caller) -> tuple[Team, User]:
    """Return the workspace and the person behind a call. Refused `invalid_auth` when one of them is gone."""
    team = await lookups.team(caller.team_id)
    user = await lookups.user(caller.team_id, caller.user_id)
    if team is None or user is None:
        raise Refused("invalid_auth")
    return team, user
