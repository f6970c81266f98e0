"""What is likely not meant in an app's settings, in words for whoever made it. Pure."""

from __future__ import annotations

from svc.webapp.domain.apps.model import App

MESSAGE_EVENTS = ("message.channels", "message.groups", "message.im", "message.mpim")


def notes(app: App) -> list[str]:
    """Return a sentence for each; nothing is wrong with most apps."""
    found = []
    has_way = app.is_socket_mode or bool(app.request_url)
    if app.event_types and not has_way:
        found.append("It hears of no events: they come over Socket Mode (--socket-mode) or to a --request-url.")
    if has_way and not app.event_types and not app.commands:
        found.append("It hears of no events until some are named, such as --events message.channels,app_mention.")
    if not app.is_socket_mode and any(not command.url for command in app.commands):
        found.append("Its commands reach nobody without --socket-mode or an address (--command /NAME=URL).")
    unknown = [each for each in app.event_types if each.startswith("message.") and each not in MESSAGE_EVENTS]
    if unknown:
        found.append(f"There are no events called {', '.join(unknown)}; there are {', '.join(MESSAGE_EVENTS)}.")
    return found
