"""What each method can be asked about: the table behind the tests of who may.

A row holds calls as the one would make them whose things they are: `$thing` stands for a thing of theirs (Things in
houses.py). A method without a row fails the test, and so does an argument that no row gives and that is not known to
name nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from svc.webapp.api import legacy
from tests.svc.webapp.api.apps.test_views import home, modal

__all__ = ["HIDDEN_FROM_ALL", "HIDDEN_FROM_OTHERS", "ROWS", "STAMPS", "THING", "WORDS", "Row", "things_in"]

THING = re.compile(r"\$([a-z_]+)")
STAMPS = frozenset({"message", "public_message", "im_message", "reply", "marked", "clickable", "new_name"})
"""Name nothing by themselves: they go with their conversation."""
HIDDEN_FROM_OTHERS = frozenset({"private", "private_name", "archived", "im", "mpim", "file", "bookmark"})
"""Known to members alone. What is in neither set is known to the whole workspace, and to nobody beyond it."""
HIDDEN_FROM_ALL = frozenset({"upload", "unshared", "scheduled", "reminder", "view"})
"""Known to their owner alone (a view of a person: to it and to its app)."""

WORDS = frozenset(
    """
    text markdown_text blocks attachments metadata link_names parse reply_broadcast username icon_emoji icon_url
    mrkdwn as_user client_msg_id unfurl_links unfurl_media unfurls
    limit cursor count page types exclude_archived include_num_members
    include_locale include_count include_users include_disabled include_all_metadata inclusive latest oldest force
    is_private name new_name topic purpose title link emoji type handle description return_im prevent_creation error
    test scope user_scope include_categories include_labels mpim_aware simple_latest no_latest no_unreads full
    file_comment redirect_uri grant_type refresh_token code presence prefs profile time recurrence num_minutes post_at
    filename length
    alt_txt snippet_type content filetype initial_comment ts_from ts_to batch_presence_aware presence_sub lazy_aware
    resume_aware resume reconnect avoid since prefix kinds inactive version command callback_id action_id block_id
    user_auth_message user_auth_blocks user_auth_url email real_name resend custom_message
    email_password_policy_enabled is_restricted is_ultra_restricted guest_expiration_ts value actions state hash
    view is_cleared url image_url query sort sort_dir highlight client_id client_secret crop_x crop_y crop_w
    """.split()  # noqa: SIM905 - a hundred words are read as lines, not as a list of a hundred lines
)
"""Arguments that name nothing which somebody might not be allowed to know of."""


@dataclass(frozen=True, slots=True)
class Row:
    """One method: what it is called with, and by whom."""

    calls: tuple[Mapping[str, Any], ...] = ()
    by: str = "ada"
    leaves_out: frozenset[str] = frozenset()
    """Things that the method passes over when they are not the caller's to know."""
    ends: tuple[str, ...] = ("ok",)
    """How the owner's own call may end, which proves the row."""


def things_in(value: object) -> set[str]:
    """Return the names of the things in a call."""
    return set(THING.findall(repr(value)))


def rows(*calls: Mapping[str, Any], **more: Any) -> Row:
    return Row(calls, **more)


NONE = rows()
ROOM = rows({"channel": "$private"}, {"channel": "$mpim"})
BOTH = rows({"channel": "$private"}, {"channel": "$public"}, {"channel": "$im"})
SAID = {"channel": "$private", "text": "hello"}
ON = {"channel": "$private", "timestamp": "$message"}
ON_MARKED = {"channel": "$private", "timestamp": "$marked"}
USER = rows({"user": "$user"})
GROUP = rows({"usergroup": "$usergroup"}, by="root")
REMINDER = rows({"reminder": "$reminder"})
MINUTES = {"num_minutes": "10"}
CLICK = [{"block_id": "b1", "action_id": "go", "type": "button"}]
IN_MESSAGE = {"type": "message", "channel_id": "$private", "message_ts": "$clickable"}
IN_VIEW = {"type": "view", "view_id": "$view"}
COMMANDS = (
    {"channel": "$private", "command": "/deploy", "thread_ts": "$message"},
    {"channel": "$private", "command": "/me", "text": "waves"},
    {"channel": "$private", "command": "/topic", "text": "news"},
    {"channel": "$private", "command": "/invite", "text": "<@$leaver>"},
    {"channel": "$private", "command": "/who"},
    {"channel": "$private", "command": "/join", "text": "<#$public>"},
    {"channel": "$private", "command": "/msg", "text": "<@$user> hello"},
)

_OWN: Mapping[str, Row] = {
    "admin.users.invite": rows(
        {"email": "new@example.org", "channel_ids": "$public", "team_id": "$team", "resend": "true"}, by="root"
    ),
    "admin.users.remove": rows({"user_id": "$leaver", "team_id": "$team"}, by="root"),
    "users.admin.setInactive": rows({"user": "$leaver"}, by="root"),
    "api.test": NONE,
    "admin.teams.settings.setIcon": rows(
        {"image_url": "x", "team_id": "$team"}, {"upload": "$upload"}, by="root", ends=("invalid_url", "bad_image")
    ),
    "apps.icon.set": rows(
        {"app_id": "$app", "url": "x"},
        {"app_id": "$app", "upload": "$upload"},
        by="root",
        ends=("unable_to_open_file", "error_bad_format"),
    ),
    "apps.install": rows({"app_id": "$app"}, by="root"),
    "apps.uninstall": NONE,
    "apps.connections.open": NONE,
    "commands.list": NONE,
    "auth.test": NONE,
    "auth.revoke": NONE,
    "auth.teams.list": NONE,
    "bookmarks.add": rows({"channel_id": "$private", "type": "link", "title": "t", "link": "https://example.org/"}),
    "bookmarks.edit": rows({"channel_id": "$private", "bookmark_id": "$bookmark", "title": "u"}),
    "bookmarks.list": rows({"channel_id": "$private"}),
    "bookmarks.remove": rows({"channel_id": "$private", "bookmark_id": "$bookmark"}),
    "bots.info": rows({"bot": "$bot"}),
    "chat.postMessage": rows(
        {**SAID, "thread_ts": "$message"},
        {**SAID, "channel": "#$private_name"},
        {**SAID, "channel": "$public"},
        {**SAID, "channel": "$im"},
        {**SAID, "channel": "$user"},
    ),
    "chat.meMessage": rows(SAID),
    "chat.update": rows(
        {**SAID, "ts": "$message"},
        {"channel": "$private", "ts": "$message", "file_ids": "$upload", "reply_broadcast": "1"},
    ),
    "chat.delete": rows({"channel": "$private", "ts": "$message"}),
    "chat.postEphemeral": rows({**SAID, "user": "$user", "thread_ts": "$message"}),
    "chat.getPermalink": rows({"channel": "$private", "message_ts": "$message"}),
    "chat.unfurl": rows(
        {"channel": "$private", "ts": "$clickable", "unfurls": {"https://e.org": {"text": "x"}}},
        {"unfurl_id": "$private.$clickable", "source": "conversations_history", "user_auth_required": "1"},
        by="app",
        ends=("ok", "cannot_unfurl_url"),
    ),
    "chat.command": rows(*COMMANDS),
    "chat.scheduleMessage": rows(
        {**SAID, "post_at": "4000000000", "thread_ts": "$message"}, ends=("ok", "time_too_far")
    ),
    "chat.deleteScheduledMessage": rows({"channel": "$private", "scheduled_message_id": "$scheduled"}),
    "chat.scheduledMessages.list": rows({"channel": "$private"}, leaves_out=frozenset({"private"})),
    "client.boot": rows({"channel": "$private"}, leaves_out=frozenset({"private"})),
    "client.objects": rows(
        {"ids": {"$public": 0, "$user": 0}},
        {"ids": {"$private": 0}},
        leaves_out=frozenset({"public", "private", "user"}),
    ),
    "client.search": rows({"prefix": "a", "near": "$user"}, leaves_out=frozenset({"user"})),
    "client.members": ROOM,
    "client.emoji": NONE,
    "conversations.archive": rows({"channel": "$private"}),
    "conversations.unarchive": rows({"channel": "$archived"}),
    "conversations.close": rows({"channel": "$im"}, {"channel": "$mpim"}),
    "conversations.create": rows({"name": "$new_name", "team_id": "$team"}),
    "conversations.history": BOTH,
    "conversations.info": BOTH,
    "conversations.invite": rows({"channel": "$private", "users": "$leaver"}),
    "conversations.join": rows(
        {"channel": "$public"}, {"channel": "$private"}, ends=("ok", "method_not_supported_for_channel_type")
    ),
    "conversations.kick": rows({"channel": "$private", "user": "$user"}),
    "conversations.leave": rows({"channel": "$private"}),
    "conversations.list": rows({"team_id": "$team"}),
    "conversations.mark": rows({"channel": "$private", "ts": "$message"}),
    "conversations.members": BOTH,
    "conversations.open": rows({"channel": "$im"}, {"channel": "$mpim"}, {"users": "$user,$leaver"}),
    "conversations.rename": rows({"channel": "$private", "name": "$new_name"}),
    "conversations.replies": rows({"channel": "$private", "ts": "$message"}),
    "conversations.setTopic": rows({"channel": "$private", "topic": "t"}),
    "conversations.setPurpose": rows({"channel": "$private", "purpose": "t"}),
    "dnd.info": USER,
    "dnd.teamInfo": rows({"users": "$user,$leaver"}, leaves_out=frozenset({"user", "leaver"})),
    "dnd.setSnooze": rows(MINUTES),
    "dnd.endSnooze": NONE,
    "dnd.endDnd": NONE,
    "emoji.list": NONE,
    "admin.emoji.add": rows({"name": "$new_name", "url": "https://example.org/e.png"}, by="root"),
    "admin.emoji.addAlias": rows({"name": "$new_name", "alias_for": "$emoji"}, by="root"),
    "admin.emoji.remove": rows({"name": "$emoji"}, by="root"),
    "admin.emoji.rename": rows({"name": "$emoji", "new_name": "$new_name"}, by="root"),
    "files.getUploadURLExternal": NONE,
    "files.completeUploadExternal": rows(
        {"files": [{"id": "$upload"}], "channel_id": "$private", "thread_ts": "$message"},
        {"files": [{"id": "$upload"}], "channels": "$private"},
    ),
    "files.upload": rows(
        {"content": "words", "channels": "$private", "thread_ts": "$message"},
        {"upload": "$upload", "channels": "$public"},
    ),
    "files.info": rows({"file": "$file"}, {"file": "$unshared"}, {"file": "$public_file"}),
    "files.list": rows({"channel": "$private"}, {"user": "$user"}, leaves_out=frozenset({"user"})),
    "files.delete": rows({"file": "$file"}, {"file": "$unshared"}, {"file": "$public_file"}),
    "blocks.actions": rows(
        {"container": IN_MESSAGE, "actions": CLICK},
        {"container": IN_VIEW, "actions": CLICK},
        ends=("ok", "invalid_action"),
    ),
    "blocks.suggestions": rows(
        {"container": IN_MESSAGE, "block_id": "b1", "action_id": "go"},
        {"container": IN_VIEW, "block_id": "b1", "action_id": "words"},
    ),
    "shortcuts.run": rows(
        {"app_id": "$app", "callback_id": "new"},
        {"app_id": "$app", "callback_id": "about", "channel": "$private", "message_ts": "$message"},
    ),
    "oauth.v2.access": NONE,
    "oauth.access": NONE,
    "pins.add": rows(ON, {"channel": "$private", "file": "$file"}, ends=("ok", "not_pinnable")),
    "pins.remove": rows(ON_MARKED, {"channel": "$private", "file": "$file"}, ends=("ok", "no_pin")),
    "pins.list": ROOM,
    "reactions.add": rows({**ON, "name": "wave"}, {"file": "$file", "name": "wave"}, ends=("ok", "not_reactable")),
    "reactions.remove": rows(
        {**ON_MARKED, "name": "tada"}, {"file": "$file", "name": "tada"}, ends=("ok", "no_reaction")
    ),
    "reactions.get": rows(ON, {"file": "$file"}, {"file": "$public_file"}),
    "reactions.list": USER,
    "reminders.add": rows(
        {"text": "t", "time": "in 2 days", "user": "$user"},
        {"text": "t", "time": "every friday"},
        {"text": "t", "time": "in 2 days", "recurrence": {"frequency": "weekly", "weekdays": ["friday"]}},
    ),
    "reminders.list": NONE,
    "reminders.info": REMINDER,
    "reminders.complete": REMINDER,
    "reminders.delete": REMINDER,
    "rtm.connect": NONE,
    "rtm.start": NONE,
    "search.all": NONE,
    "search.files": NONE,
    "search.messages": NONE,
    "stars.add": rows(ON, {"channel": "$private"}, {"file": "$file"}),
    "stars.remove": rows(ON_MARKED, {"file": "$file"}, ends=("ok", "not_starred")),
    "stars.list": NONE,
    "team.info": rows({"team": "$team"}, {"domain": "$domain"}),
    "team.profile.get": NONE,
    "usergroups.list": NONE,
    "usergroups.create": rows(
        {"name": "$new_name", "channels": "$public", "additional_channels": "$public", "enable_section": "1"},
        by="root",
    ),
    "usergroups.update": rows(
        {"usergroup": "$usergroup", "channels": "$public"},
        {"usergroup": "$usergroup", "additional_channels": "$public", "enable_section": "1"},
        by="root",
    ),
    "usergroups.enable": GROUP,
    "usergroups.disable": GROUP,
    "usergroups.users.list": GROUP,
    "usergroups.users.update": rows({"usergroup": "$usergroup", "users": "$user"}, by="root"),
    "users.list": NONE,
    "users.info": USER,
    "users.identity": NONE,
    "users.lookupByEmail": rows({"email": "$email"}),
    "users.conversations": USER,
    "users.setPresence": NONE,
    "users.setActive": NONE,
    "users.profile.get": USER,
    "users.profile.set": rows({"user": "$user", "name": "title", "value": "t"}, by="root"),
    "users.deletePhoto": NONE,
    "users.setPhoto": rows({"upload": "$upload"}, ends=("bad_image",)),
    "users.prefs.get": NONE,
    "users.prefs.set": NONE,
    "users.getPresence": USER,
    "views.open": rows(
        {"trigger_id": "$trigger", "view": modal()}, {"interactivity_pointer": "$trigger", "view": modal()}, by="app"
    ),
    "views.push": rows(
        {"trigger_id": "$trigger", "view": modal()},
        {"interactivity_pointer": "$trigger", "view": modal()},
        by="app",
        ends=("ok", "not_found"),
    ),
    "views.update": rows(
        {"view_id": "$view", "view": modal()}, {"external_id": "$external", "view": modal()}, by="app"
    ),
    "views.publish": rows({"user_id": "$user", "view": home()}, by="app"),
    "views.home": rows({"app_id": "$home", "tab": "messages"}),
    "views.submit": rows({"view_id": "$view"}),
    "views.close": rows({"view_id": "$view"}),
}


def _aliased(alias: legacy.Alias) -> Row:
    """Return the row of a method under an old name."""
    row, olds = _OWN[alias.now], {new: old for old, new in alias.renamed.items()}
    renamed = [{olds.get(name, name): value for name, value in call.items()} for call in row.calls]
    return replace(row, calls=tuple({name: call[name] for name in call if name not in alias.given} for call in renamed))


ROWS: Mapping[str, Row] = {
    **_OWN,
    **{alias.name: _aliased(alias) for alias in legacy.ALIASES},
    "channels.info": BOTH,
    "groups.info": BOTH,
    "channels.join": rows({"name": "$new_name"}),
}
