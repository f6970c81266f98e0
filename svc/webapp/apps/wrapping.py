"""Pure: what an app is sent: an event in its event_callback, and either one in a Socket Mode envelope.

Ids are functions of the place of what they name: whoever owns the app makes the same ones, so that an app that is sent
something twice can tell by its event_id, and an acknowledgement fits whichever owner hears it.
"""

from __future__ import annotations

import base64
import uuid
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, TypeAlias

import orjson

from svc.webapp.apps.hearing import Heard

__all__ = ["Sender", "envelope", "envelope_id", "event_callback", "event_id"]

Json: TypeAlias = dict[str, Any]

_ID_BYTES = 10
"""80 bits, of which an app that remembers a million meets the same twice once in 10^12."""


@dataclass(frozen=True, slots=True)
class Sender:
    """What an app is told of itself in each event."""

    app_id: str
    team_id: str
    user_id: str
    """Its bot's user."""
    verification_token: str


def event_id(app_id: str, channel_id: str, offset: int, name: str) -> str:
    """Return `Ev` and 16 characters: of this app, this place and this type, always the same."""
    return "Ev" + base64.b32encode(_digest(app_id, channel_id, offset, name, _ID_BYTES)).decode()


def envelope_id(app_id: str, channel_id: str, offset: int, name: str) -> str:
    """Return the UUID of the envelope that carries an event."""
    return str(uuid.UUID(bytes=_digest(app_id, channel_id, offset, name, 16), version=4))


def event_callback(sender: Sender, heard: Heard, channel_id: str, offset: int, commit_us: int) -> Json:
    """Return the payload of one event that was committed at `commit_us` at this place."""
    context: Json = {"et": heard.name, "tid": sender.team_id, "aid": sender.app_id}
    if heard.channel_id:
        context["cid"] = heard.channel_id
    return {
        "type": "event_callback",
        "token": sender.verification_token,
        "team_id": sender.team_id,
        "context_team_id": sender.team_id,
        "context_enterprise_id": None,
        "api_app_id": sender.app_id,
        "event": heard.event,
        "event_id": event_id(sender.app_id, channel_id, offset, heard.name),
        "event_time": commit_us // 1_000_000,
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": sender.team_id,
                "user_id": sender.user_id,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": "4-" + base64.urlsafe_b64encode(orjson.dumps(context)).rstrip(b"=").decode(),
    }


def envelope(
    kind: str, id_: str, payload: bytes, *, accepts_payload: bool, attempt: int = 0, reason: str = ""
) -> bytes:
    """Return a Socket Mode envelope. `payload`: encoded JSON; clients drop whatever lacks a field of these."""
    return orjson.dumps(
        {
            "envelope_id": id_,
            "type": kind,
            "accepts_response_payload": accepts_payload,
            "payload": orjson.Fragment(payload),
            "retry_attempt": attempt,
            "retry_reason": reason,
        }
    )


def _digest(app_id: str, channel_id: str, offset: int, name: str, size: int) -> bytes:
    return blake2b(f"{app_id}/{channel_id}/{offset}/{name}".encode(), digest_size=size).digest()
