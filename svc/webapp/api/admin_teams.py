"""admin.teams.settings.*: what admins say of their workspace."""

from __future__ import annotations

from svc.webapp.api.arguments import Arg
from svc.webapp.api.call import Answer, Call, Method, Tier
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.rows import TokenKind

__all__ = ["METHODS", "picture_of"]


async def set_icon(call: Call) -> Answer:
    """Give the caller's workspace a picture."""
    if call.args.text("team_id") not in ("", call.caller.team_id):
        raise Refused("team_not_found")
    await call.services.pictures.check_admin(call.caller)
    file_id = await picture_of(call, call.args.text("image_url"))
    await call.services.pictures.set_team(call.caller, file_id, call.origin.base_url)
    return {}


async def picture_of(call: Call, url: str) -> str:
    """Return the upload that a call brings: the file of its form (api.file_routes), else a copy of what is at `url`.

    Refused `invalid_url`: it is no file of ours that the caller sees; nothing is fetched from elsewhere.
    """
    upload = call.args.text("upload")
    return upload or await call.services.pictures.copy(call.caller, url, call.origin.base_url)


METHODS = (
    Method(
        "admin.teams.settings.setIcon",
        set_icon,
        (Arg("image_url"), Arg("team_id"), Arg("upload")),
        writes=True,
        oversize="too_large",
        scopes=("admin.teams:write",),
        tier=Tier.T2,
        tokens=frozenset({TokenKind.USER}),
        partly="`image_url` is of a file of the workspace, or the picture is a form's: none is fetched from elsewhere",
    ),
)
