"""Every method of the Web API by name. A new family is a file beside this one, and a line here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from svc.webapp.api import (
    api_test,
    auth,
    bookmarks,
    chat,
    client,
    conversation_changes,
    conversations,
    emoji,
    files,
    history,
    legacy,
    reminders,
    rtm,
    scheduled,
    team,
    users,
)
from svc.webapp.api.call import Method

FAMILIES: tuple[tuple[Method, ...], ...] = (
    api_test.METHODS,
    auth.METHODS,
    bookmarks.METHODS,
    chat.METHODS,
    client.METHODS,
    conversation_changes.METHODS,
    conversations.METHODS,
    emoji.METHODS,
    files.METHODS,
    history.METHODS,
    reminders.METHODS,
    legacy.METHODS,
    rtm.METHODS,
    scheduled.METHODS,
    team.METHODS,
    users.METHODS,
)

METHODS: Mapping[str, Method] = MappingProxyType({method.name: method for family in FAMILIES for method in family})
"""What the server answers; anything else is `unknown_method`."""
