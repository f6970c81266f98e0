"""What apps say later: answers to a response_url, at most five within half an hour."""

from __future__ import annotations

from collections.abc import Mapping

from svc.webapp.domain.apps.directory import AppDirectory
from svc.webapp.domain.apps.passes import Passes
from svc.webapp.domain.apps.speech import Speech, said
from svc.webapp.domain.refusal import Refused

__all__ = ["Responses"]


class Responses:
    """Takes answers. Methods raise Refused, and UnavailableError when MySQL does not answer."""

    def __init__(self, apps: AppDirectory, passes: Passes, speech: Speech) -> None:
        self._apps = apps
        self._passes = passes
        self._speech = speech

    async def respond(self, ticket: str, payload: Mapping[str, object]) -> None:
        """Say what an app answers. What is refused for its content counts as a use all the same.

        Refused `invalid_url`, `expired_url`, `used_url`, `no_text`, `invalid_payload`, and as posting does.
        """
        asked = await self._passes.respond(ticket)
        app = await self._apps.app(asked.team_id, asked.app_id)
        if app is None:
            raise Refused("expired_url")
        answer = said(payload)
        if answer.is_empty and not answer.deletes:
            raise Refused("no_text")
        await self._speech.answer(app, asked, answer)
