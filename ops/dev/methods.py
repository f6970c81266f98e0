"""The names of Slack's Web API methods, by family, so that the coverage page can say which of them there are."""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["known"]

FAMILIES: dict[str, str] = {
    "admin.analytics": "getFile",
    "admin.apps": "activities.list approve approved.list clearResolution config.lookup config.set requests.cancel "
    "requests.list restrict restricted.list uninstall",
    "admin.auth": "policy.assignEntities policy.getEntities policy.removeEntities",
    "admin.barriers": "create delete list update",
    "admin.conversations": "archive bulkArchive bulkDelete bulkMove convertToPrivate convertToPublic create "
    "createForObjects delete disconnectShared ekm.listOriginalConnectedChannelInfo getConversationPrefs "
    "getCustomRetention getTeams invite linkObjects lookup removeCustomRetention rename restrictAccess.addGroup "
    "restrictAccess.listGroups restrictAccess.removeGroup search setConversationPrefs setCustomRetention setTeams "
    "unarchive unlinkObjects",
    "admin.emoji": "add addAlias list remove rename",
    "admin.functions": "list permissions.lookup permissions.set",
    "admin.inviteRequests": "approve approved.list denied.list deny list",
    "admin.roles": "addAssignments listAssignments removeAssignments",
    "admin.teams": "admins.list create list owners.list settings.info settings.setDefaultChannels "
    "settings.setDescription settings.setDiscoverability settings.setIcon settings.setName",
    "admin.usergroups": "addChannels addTeams listChannels removeChannels",
    "admin.users": "assign getExpiration invite list remove session.clearSettings session.getSettings "
    "session.invalidate session.list session.reset session.resetBulk session.setSettings setAdmin setExpiration "
    "setOwner setRegular unsupportedVersions.export",
    "admin.workflows": "collaborators.add collaborators.remove permissions.lookup search unpublish",
    "api": "test",
    "apps": "auth.external.delete auth.external.get connections.open icon.set datastore.bulkDelete datastore.bulkGet "
    "datastore.bulkPut datastore.count datastore.delete datastore.get datastore.put datastore.query datastore.update "
    "event.authorizations.list manifest.create manifest.delete manifest.export manifest.update manifest.validate "
    "uninstall",
    "assistant": "search.context search.info threads.setStatus threads.setSuggestedPrompts threads.setTitle",
    "auth": "revoke teams.list test",
    "bookmarks": "add edit list remove",
    "bots": "info",
    "calls": "add end info participants.add participants.remove update",
    "canvases": "access.delete access.set create delete edit sections.lookup",
    "channels": "archive create history info invite join kick leave list mark rename replies setPurpose setTopic "
    "unarchive",
    "chat": "appendStream delete deleteScheduledMessage getPermalink meMessage postEphemeral postMessage "
    "scheduleMessage scheduledMessages.list startStream stopStream unfurl update",
    "client": "counts",
    "conversations": "acceptSharedInvite approveSharedInvite archive canvases.create close create "
    "declineSharedInvite externalInvitePermissions.set history info invite inviteShared join kick leave list "
    "listConnectInvites mark members open rename replies requestSharedInvite.approve requestSharedInvite.deny "
    "requestSharedInvite.list setPurpose setTopic unarchive",
    "dialog": "open",
    "dnd": "endDnd endSnooze info setSnooze teamInfo",
    "emoji": "list",
    "entity": "presentDetails",
    "files": "comments.delete completeUploadExternal delete getUploadURLExternal info list remote.add remote.info "
    "remote.list remote.remove remote.share remote.update revokePublicURL sharedPublicURL upload",
    "functions": "completeError completeSuccess distributions.permissions.add distributions.permissions.list "
    "distributions.permissions.remove distributions.permissions.set workflows.steps.list "
    "workflows.steps.responses.export",
    "groups": "archive close create createChild history info invite kick leave list mark open rename replies "
    "setPurpose setTopic unarchive",
    "im": "close history list mark open replies",
    "migration": "exchange",
    "mpim": "close history list mark open replies",
    "oauth": "access token v2.access v2.exchange",
    "openid": "connect.token connect.userInfo",
    "pins": "add list remove",
    "reactions": "add get list remove",
    "reminders": "add complete delete info list",
    "rtm": "connect start",
    "search": "all files messages",
    "slackLists": "access.delete access.set create download.get download.start items.create items.delete "
    "items.deleteMultiple items.info items.list items.update update",
    "stars": "add list remove",
    "subscriptions": "thread.add thread.get thread.mark thread.remove",
    "team": "accessLogs billableInfo billing.info externalTeams.disconnect externalTeams.list info integrationLogs "
    "preferences.list profile.get",
    "tooling": "tokens.rotate",
    "usergroups": "create disable enable list update users.list users.update",
    "users": "admin.setInactive conversations deletePhoto discoverableContacts.lookup getPresence identity info list "
    "lookupByEmail prefs.get prefs.set profile.get profile.set setActive setPhoto setPresence",
    "views": "open publish push update",
    "workflows": "featured.add featured.list featured.remove featured.set stepCompleted stepFailed updateStep",
}


def known() -> Iterator[str]:
    """Yield the names in the order of the alphabet."""
    yield from sorted(f"{family}.{name}" for family, names in FAMILIES.items() for name in names.split())
