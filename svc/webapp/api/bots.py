"""bots.*: what posts through bot tokens."""

from __future__ import annotations

from svc.kit.ids import is_id
from svc.shapes import icons
from svc.webapp.api.arguments import Arg
from svc.webapp.api.call import Answer, Call, Method, Tier
from svc.webapp.domain.refusal import Refused


async def info(call: Call) -> Answer:
    """Describe a bot; without one, the caller's own."""
    bot_id = call.args.text("bot") or call.caller.bot_id
    bot = await call.services.workspaces.bot(call.caller.team_id, bot_id) if is_id(bot_id, "B") else None
    if bot is None:
        raise Refused("bot_not_found")
    user = await call.services.lookups.user(bot.team_id, bot.user_id)
    return {
        "bot": {
            "id": bot.id,
            "deleted": bot.deleted,
            "name": bot.name,
            "updated": bot.updated_s,
            "app_id": bot.app_id,
            "user_id": bot.user_id,
            "icons": icons(user.picture_url if user is not None else ""),
        }
    }


METHODS = (Method("bots.info", info, (Arg("bot"),), scopes=("users:read",), tier=Tier.T3),)
