"""The rules joined to the stores: what a webapp process, the operator's commands and the tests all stand on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random, SystemRandom

from parley.event.v1 import event_pb2
from svc.kit.clock import Clock
from svc.kit.ids import IdMint
from svc.webapp.boot_gate import BootGate
from svc.webapp.cache.lookups import Lookups
from svc.webapp.commit.effects import Stores, Writes
from svc.webapp.domain.apps.rules import AppLinks, AppRules, Places, alone, app_rules
from svc.webapp.domain.apps.seals import Seals
from svc.webapp.domain.boot.boots import Boots
from svc.webapp.domain.boot.full import FullBoots
from svc.webapp.domain.boot.models import EdgeFirst, Models, NoEdge
from svc.webapp.domain.boot.rate import BootRules
from svc.webapp.domain.boot.rows import RowModels
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
from svc.webapp.domain.files.seeing import SeenFiles
from svc.webapp.domain.files.uploading import Files
from svc.webapp.domain.messages.authorship import Authorship
from svc.webapp.domain.messages.edits import Edits
from svc.webapp.domain.messages.mentions import Audience
from svc.webapp.domain.messages.messages import Messages
from svc.webapp.domain.messages.naming import Naming
from svc.webapp.domain.messages.notes import Notes, Seal, Tell
from svc.webapp.domain.messages.reading import Reading
from svc.webapp.domain.messages.reminders import Reminders
from svc.webapp.domain.messages.scheduled import ScheduledMessages
from svc.webapp.domain.people.accounts import Accounts
from svc.webapp.domain.people.bots import Bots
from svc.webapp.domain.people.dnd import DoNotDisturb
from svc.webapp.domain.people.hashing import Hasher
from svc.webapp.domain.people.invitations import INVITATION_S, Invitations
from svc.webapp.domain.people.passwords import Passwords
from svc.webapp.domain.people.people import People
from svc.webapp.domain.people.pictures import Pictures
from svc.webapp.domain.people.preferences import Preferences
from svc.webapp.domain.people.presence import PresenceSource
from svc.webapp.domain.people.sessions import Sessions
from svc.webapp.domain.people.usergroups import UserGroups
from svc.webapp.domain.search.asking import Asking
from svc.webapp.domain.search.searching import MessageIndex, NoIndex, Searching
from svc.webapp.domain.services import Services
from svc.webapp.domain.slackbot import Slackbot
from svc.webapp.files.vault import Vault, closed_vault
from svc.webapp.store.apps import AppStore
from svc.webapp.store.channel import ChannelStore
from svc.webapp.store.files import FileStore
from svc.webapp.store.outbox import OutboxStore
from svc.webapp.store.pools import Pools
from svc.webapp.store.user import UserStore
from svc.webapp.store.workspace import WorkspaceStore
from svc.webapp.unfurl.offers import Offer, to_nobody


def stores_of(pools: Pools) -> Stores:
    """Return the stores of the three keyspaces."""
    return Stores(
        workspaces=WorkspaceStore(pools.workspace),
        channels=ChannelStore(pools.channel),
        users=UserStore(pools.user),
        outbox=OutboxStore(pools.channel),
        apps=AppStore(pools.workspace),
        files=FileStore(pools.workspace),
    )


def assemble(
    stores: Stores,
    lookups: Lookups,
    writes: Writes,
    clock: Clock,
    connector: Connector,
    presence: PresenceSource,
    rng: Random | None = None,
    *,
    edges: Models | None = None,
    boot_gate: BootGate | None = None,
    tell: Tell | None = None,
    vault: Vault | None = None,
    app_links: AppLinks | None = None,
    index: MessageIndex | None = None,
    hasher: Hasher | None = None,
    invitation_s: int = INVITATION_S,
    previews: Offer = to_nobody,
) -> Services:
    """Return the rules over these stores. Makes objects only; starts nothing. `rng` decides ids, not secrets.

    Without `edges`, boots are served from the rows. `tell` takes transient events; without it nobody hears them.
    Without a `vault`, no files are taken in; without an `index`, nothing is searched. `previews` takes messages with
    links; without it nobody looks at them.
    """
    mint = IdMint(clock, rng or SystemRandom())
    links = app_links or alone()
    ground = _Ground(stores, lookups, writes, clock, mint, hasher or Hasher(), invitation_s, previews)
    talk = _talk(ground, presence, tell or _to_nobody, Seals(links.signer, clock).seal)
    seen = SeenFiles(stores.files, lookups, talk.directory)
    shelves = vault or closed_vault(clock)
    directory, direct, messages, workspaces = talk.directory, talk.direct, talk.messages, stores.workspaces
    files = Files(shelves, stores.files, seen, directory, direct, messages, workspaces, writes, clock, mint)
    gate = boot_gate or BootGate(BootRules(), clock, Random())
    rows = RowModels(lookups, stores.workspaces, stores.channels, talk.directory)
    models = EdgeFirst(edges or NoEdge(), rows, clock, gate.note_served)
    asking = Asking(talk.directory, lookups, stores.workspaces, clock)
    places = Places(talk.directory, talk.direct, talk.messages, talk.notes, talk.edits, talk.reading, talk.accounts)
    return _services(
        ground,
        talk,
        files=files,
        apps=app_rules(stores, lookups, writes, places, links, clock, mint),
        connector=connector,
        presence=presence,
        models=models,
        boot_gate=gate,
        searching=Searching(asking, index or NoIndex(), lookups, stores.channels, seen),
    )


@dataclass(frozen=True, slots=True)
class _Ground:
    """What all rules stand on."""

    stores: Stores
    lookups: Lookups
    writes: Writes
    clock: Clock
    mint: IdMint
    hasher: Hasher
    invitation_s: int
    previews: Offer


@dataclass(frozen=True, slots=True)
class _Talk:
    """The rules of who is where and what is said there, which stand on one another."""

    directory: Directory
    conversations: Conversations
    direct: DirectMessages
    reading: Reading
    messages: Messages
    edits: Edits
    notes: Notes
    usergroups: UserGroups
    accounts: Accounts
    passwords: Passwords
    invitations: Invitations


def _talk(ground: _Ground, presence: PresenceSource, tell: Tell, seal: Seal) -> _Talk:
    stores, lookups, writes, clock, mint = ground.stores, ground.lookups, ground.writes, ground.clock, ground.mint
    channels, workspaces = stores.channels, stores.workspaces
    directory = Directory(lookups, channels, workspaces)
    conversations = Conversations(directory, lookups, channels, workspaces, writes, clock, mint)
    direct = DirectMessages(directory, lookups, channels, writes, clock)
    reading = Reading(directory, lookups, channels)
    naming, authorship = Naming(workspaces), Authorship(Bots(workspaces, clock))
    usergroups = UserGroups(workspaces, lookups, writes, clock, mint)
    audience = Audience(lookups, channels, presence, usergroups)
    offer = ground.previews
    messages = Messages(directory, direct, channels, workspaces, authorship, naming, audience, reading, writes, offer)
    accounts = Accounts(workspaces, stores.users, lookups, writes, conversations, clock, mint)
    passwords = Passwords(workspaces, stores.users, writes, ground.hasher, clock)
    return _Talk(
        directory=directory,
        conversations=conversations,
        direct=direct,
        reading=reading,
        messages=messages,
        edits=Edits(directory, channels, workspaces, naming, audience, reading, writes, clock, offer),
        notes=Notes(messages, channels, authorship, tell, clock, seal),
        usergroups=usergroups,
        accounts=accounts,
        passwords=passwords,
        invitations=Invitations(
            workspaces, channels, directory, conversations, accounts, passwords, clock, mint, ground.invitation_s
        ),
    )


def _services(
    ground: _Ground,
    talk: _Talk,
    *,
    files: Files,
    apps: AppRules,
    connector: Connector,
    presence: PresenceSource,
    models: Models,
    boot_gate: BootGate,
    searching: Searching,
) -> Services:
    stores, lookups, writes, clock, mint = ground.stores, ground.lookups, ground.writes, ground.clock, ground.mint
    channels, users, directory, reading = stores.channels, stores.users, talk.directory, talk.reading
    boots = Boots(lookups, users, models, reading, clock)
    people = People(stores.workspaces, writes, clock)
    slackbot, emoji = Slackbot(talk.direct, writes), CustomEmoji(stores.workspaces, writes)
    return Services(
        clock=clock,
        lookups=lookups,
        shared=lookups.shared,
        workspaces=stores.workspaces,
        channels=channels,
        users=users,
        sessions=Sessions(lookups, clock),
        directory=directory,
        conversations=talk.conversations,
        conversation_changes=ConversationChanges(directory, lookups, stores.workspaces, writes, clock),
        direct=talk.direct,
        messages=talk.messages,
        reading=reading,
        edits=talk.edits,
        notes=talk.notes,
        scheduled=ScheduledMessages(talk.messages, slackbot, lookups, channels, writes, clock, mint),
        reminders=Reminders(slackbot, lookups, channels, writes, clock, mint),
        reactions=Reactions(directory, channels, reading, emoji, writes),
        pins=Pins(directory, channels, reading, writes, clock),
        saved=Saved(directory, channels, reading, files.seen, writes, clock),
        marks=ReadMarks(directory, lookups, channels, users, writes),
        preferences=Preferences(users, lookups, writes),
        emoji=emoji,
        files=files,
        accounts=talk.accounts,
        passwords=talk.passwords,
        invitations=talk.invitations,
        apps=apps,
        people=people,
        pictures=Pictures(files, people, stores.workspaces, writes),
        usergroups=talk.usergroups,
        dnd=DoNotDisturb(users, lookups, writes, clock),
        connector=connector,
        presence=presence,
        models=models,
        bookmarks=Bookmarks(directory, channels, writes, clock, mint),
        boot_gate=boot_gate,
        boots=boots,
        searching=searching,
        full_boots=FullBoots(boots, lookups, models, talk.usergroups, clock),
    )


def _to_nobody(_: Sequence[event_pb2.Event]) -> None:
    """Drop transient events: for commands, which have no line to those who are connected."""
