"""What apps are told of people and places, in Slack's words. Pure."""

from __future__ import annotations

from svc.webapp.commit.log import Json
from svc.webapp.domain.apps.model import App
from svc.webapp.store.rows import Conversation, ConversationKind, Team, User

__all__ = ["channel_name", "interaction", "slash_command"]

_NAMES = {
    ConversationKind.IM: "directmessage",
    ConversationKind.MPIM: "mpdm",
    ConversationKind.PRIVATE: "privategroup",
}


def channel_name(conversation: Conversation) -> str:
    """Return how an app hears of a place: public ones by name, others by what they are."""
    return _NAMES.get(conversation.kind, conversation.name)


def slash_command(
    app: App,
    team: Team,
    user: User,
    conversation: Conversation,
    command: str,
    text: str,
    response_url: str,
    trigger: str,
) -> Json:
    """Return the payload of a slash command: flat, and all its values text, for it may become a form."""
    return {
        "token": app.verification_token,
        "team_id": team.id,
        "team_domain": team.domain,
        "channel_id": conversation.id,
        "channel_name": channel_name(conversation),
        "user_id": user.id,
        "user_name": user.name,
        "command": command,
        "text": text,
        "api_app_id": app.id,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": trigger,
    }


def interaction(kind: str, app: App, team: Team, user: User, trigger: str = "") -> Json:
    """Return what the payloads of all interactions begin with."""
    payload: Json = {
        "type": kind,
        "team": {"id": team.id, "domain": team.domain},
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": team.id},
        "api_app_id": app.id,
        "token": app.verification_token,
        "enterprise": None,
        "is_enterprise_install": False,
    }
    return payload | ({"trigger_id": trigger} if trigger else {})
