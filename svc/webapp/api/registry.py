"""Every method of the Web API by name. A new family is a file beside this one, and a line here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from svc.webapp.api import (
    admin_teams,
    admin_users,
    api_test,
    apps,
    auth,
    bookmarks,
    bots,
    chat,
    client,
    commands,
    conversation_changes,
    conversations,
    dnd,
    emoji,
    files,
    history,
    interactions,
    legacy,
    oauth,
    pins,
    reactions,
    reminders,
    rtm,
    scheduled,
    search,
    socket_mode,
    stars,
    team,
    usergroups,
    users,
    views,
)
from svc.webapp.api.call import Method

FAMILIES: tuple[tuple[Method, ...], ...] = (
    admin_teams.METHODS,
    admin_users.METHODS,
    api_test.METHODS,
    apps.METHODS,
    auth.METHODS,
    bookmarks.METHODS,
    bots.METHODS,
    chat.METHODS,
    client.METHODS,
    commands.METHODS,
    conversation_changes.METHODS,
    conversations.METHODS,
    dnd.METHODS,
    emoji.METHODS,
    files.METHODS,
    history.METHODS,
    interactions.METHODS,
    legacy.METHODS,
    oauth.METHODS,
    pins.METHODS,
    reactions.METHODS,
    reminders.METHODS,
    rtm.METHODS,
    scheduled.METHODS,
    search.METHODS,
    socket_mode.METHODS,
    stars.METHODS,
    team.METHODS,
    usergroups.METHODS,
    users.METHODS,
    views.METHODS,
)

METHODS: Mapping[str, Method] = MappingProxyType({method.name: method for family in FAMILIES for method in family})
"""What the server answers; anything else is `unknown_method`."""
