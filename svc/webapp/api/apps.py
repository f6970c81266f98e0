"""apps.* and commands.list: what a workspace's admins do with apps, and what people may ask of them."""

from __future__ import annotations

from svc.webapp.api.admin_teams import picture_of
from svc.webapp.api.arguments import Arg
from svc.webapp.api.call import Answer, Call, Method, Tier
from svc.webapp.domain.apps.installing import CODE_S
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.rows import TokenKind

PEOPLE = frozenset({TokenKind.USER})
OURS = ("client",)
"""The scope of what only a person's own client does: a token that an app was given by that person lacks it."""


async def install(call: Call) -> Answer:
    """Give an admin a code that the app's owner changes for a token, once, within ten minutes.

    With `user_scope` also for one of the admin's own.
    """
    caller, args, apps = call.caller, call.args, call.services.apps
    await apps.making.check_admin(caller)
    app = await apps.directory.app(caller.team_id, args.text("app_id"))
    if app is None:
        raise Refused("app_not_found")
    code = await apps.installing.install(
        app, caller.user_id, args.text("scope"), args.text("redirect_uri"), args.text("user_scope")
    )
    return {"code": code, "client_id": app.client_id, "app_id": app.id, "expires_in": CODE_S}


async def uninstall(call: Call) -> Answer:
    """Revoke all tokens and webhooks of the app whose token calls, and which knows its own secret."""
    apps, args = call.services.apps, call.args
    app = await apps.installing.authenticated(args.text("client_id"), args.text("client_secret"))
    if app.id != call.caller.app_id or app.team_id != call.caller.team_id:
        raise Refused("client_id_token_mismatch")
    await apps.making.uninstall(app)
    return {}


async def set_icon(call: Call) -> Answer:
    """Give an app, and so its bot, a picture. For admins."""
    caller, args, services = call.caller, call.args, call.services
    if args.has("url") and args.has("upload"):
        raise Refused("invalid_parameters")
    if not args.has("url") and not args.has("upload"):
        raise Refused("missing_arguments")
    await services.apps.making.check_admin(caller)
    app = await services.apps.directory.app(caller.team_id, args.text("app_id"))
    if app is None:
        raise Refused("invalid_app")
    try:
        file_id = await picture_of(call, args.text("url"))
        await services.pictures.set(caller, file_id, call.origin.base_url, of=app.user_id)
    except Refused as refusal:
        raise Refused(_ICON_ERRORS.get(refusal.code, refusal.code), refusal.extra) from None
    return {}


_ICON_ERRORS = {"bad_image": "error_bad_format", "too_large": "invalid_icon_size", "invalid_url": "unable_to_open_file"}


async def list_commands(call: Call) -> Answer:
    """List the slash commands and shortcuts of the workspace's apps, for a client to offer them."""
    commands: list[Answer] = []
    shortcuts: list[Answer] = []
    for app in await call.services.apps.directory.apps_of(call.caller.team_id):
        whose = {"app": app.id, "app_name": app.name}
        commands += [
            {"name": each.name, "desc": each.description, "usage": each.usage_hint, "type": "app", **whose}
            for each in app.commands
        ]
        shortcuts += [
            {
                "callback_id": each.callback_id,
                "name": each.name,
                "type": "message_action" if each.is_of_message else "global",
                **whose,
            }
            for each in app.shortcuts
        ]
    commands.sort(key=lambda each: str(each["name"]))
    return {"commands": commands, "shortcuts": shortcuts}


METHODS = (
    Method(
        "apps.icon.set",
        set_icon,
        (Arg("app_id", required=True, missing="invalid_app_id"), Arg("url"), Arg("upload")),
        writes=True,
        oversize="invalid_icon_size",
        scopes=("app_configurations:write",),
        tokens=PEOPLE,
        tier=Tier.T1,
        partly="`url` is of a file of the workspace: none is fetched from elsewhere; pictures have at most 1,024 pixels"
        " and may be small",
    ),
    Method(
        "apps.install",
        install,
        (Arg("app_id", required=True, missing="app_not_found"), Arg("scope"), Arg("user_scope"), Arg("redirect_uri")),
        writes=True,
        scopes=OURS,
        tokens=PEOPLE,
        tier=Tier.T2,
    ),
    Method(
        "apps.uninstall",
        uninstall,
        (
            Arg("client_id", required=True, missing="invalid_client_id"),
            Arg("client_secret", required=True, missing="bad_client_secret"),
        ),
        writes=True,
        tier=Tier.T1,
    ),
    Method("commands.list", list_commands, scopes=OURS, tokens=PEOPLE, tier=Tier.T2),
)
