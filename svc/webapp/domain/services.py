"""Everything that a Web API method or an RPC may call on, made once by the composition root."""

from __future__ import annotations

from dataclasses import dataclass, field

from svc.kit.clock import Clock
from svc.webapp.boot_gate import BootGate
from svc.webapp.cache.lookups import Lookups
from svc.webapp.domain.apps.rules import AppRules
from svc.webapp.domain.boot.boots import Boots
from svc.webapp.domain.boot.full import FullBoots
from svc.webapp.domain.boot.models import Models
from svc.webapp.domain.connect import Connector
from svc.webapp.domain.conversations.bookmarks import Bookmarks
from svc.webapp.domain.conversations.changes import ConversationChanges
from svc.webapp.domain.conversations.conversations import Conversations
from svc.webapp.domain.conversations.direct import DirectMessages
from svc.webapp.domain.conversations.directory import Directory
from svc.webapp.domain.conversations.marks import ReadMarks
from svc.webapp.domain.conversations.pins import Pins
from svc.webapp.domain.conversations.reactions import Reactions
from svc.webapp.domain.conversations.saved import Saved
from svc.webapp.domain.emoji import CustomEmoji
from svc.webapp.domain.files.uploading import Files
from svc.webapp.domain.messages.edits import Edits
from svc.webapp.domain.messages.messages import Messages
from svc.webapp.domain.messages.notes import Notes
from svc.webapp.domain.messages.reading import Reading
from svc.webapp.domain.messages.reminders import Reminders
from svc.webapp.domain.messages.scheduled import ScheduledMessages
from svc.webapp.domain.people.accounts import Accounts
from svc.webapp.domain.people.dnd import DoNotDisturb
from svc.webapp.domain.people.invitations import Invitations
from svc.webapp.domain.people.passwords import Passwords
from svc.webapp.domain.people.people import People
from svc.webapp.domain.people.pictures import Pictures
from svc.webapp.domain.people.preferences import Preferences
from svc.webapp.domain.people.presence import PresenceSource
from svc.webapp.domain.people.sessions import Sessions
from svc.webapp.domain.people.usergroups import UserGroups
from svc.webapp.domain.search.searching import Searching
from svc.webapp.gathering.reads import SharedReads
from svc.webapp.limits.limiter import Limits, Unlimited
from svc.webapp.store.channel import ChannelStore
from svc.webapp.store.user import UserStore
from svc.webapp.store.workspace import WorkspaceStore


@dataclass(frozen=True, slots=True)
class Services:
    """The rules, and the stores for reads that need no rule."""

    clock: Clock
    lookups: Lookups
    shared: SharedReads
    workspaces: WorkspaceStore
    channels: ChannelStore
    users: UserStore
    sessions: Sessions
    directory: Directory
    conversations: Conversations
    conversation_changes: ConversationChanges
    direct: DirectMessages
    messages: Messages
    reading: Reading
    edits: Edits
    notes: Notes
    scheduled: ScheduledMessages
    reminders: Reminders
    reactions: Reactions
    pins: Pins
    saved: Saved
    marks: ReadMarks
    preferences: Preferences
    emoji: CustomEmoji
    files: Files
    accounts: Accounts
    apps: AppRules
    people: People
    pictures: Pictures
    passwords: Passwords
    invitations: Invitations
    usergroups: UserGroups
    dnd: DoNotDisturb
    connector: Connector
    presence: PresenceSource
    models: Models
    bookmarks: Bookmarks
    boot_gate: BootGate
    boots: Boots
    full_boots: FullBoots
    searching: Searching
    limits: Limits = field(default_factory=Unlimited)
    """How often each method may be called; without any, as often as anybody likes."""
