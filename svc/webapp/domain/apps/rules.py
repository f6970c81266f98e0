"""The rules of apps joined together: what the Web API, the addresses of webhooks and the operator's commands call."""

from __future__ import annotations

from dataclasses import dataclass

from svc.kit.clock import Clock
from svc.kit.ids import IdMint
from svc.kit.tokens import SECRET_BYTES_MIN, Signer
from svc.webapp.cache.lookups import Lookups
from svc.webapp.commit.effects import Stores, Writes
from svc.webapp.domain.apps.actions import Actions
from svc.webapp.domain.apps.commands import Commands
from svc.webapp.domain.apps.delivery import Delivery, DeliveryTwin
from svc.webapp.domain.apps.directory import AppDirectory
from svc.webapp.domain.apps.homes import Homes
from svc.webapp.domain.apps.installing import Installing
from svc.webapp.domain.apps.making import AppMaking
from svc.webapp.domain.apps.passes import Passes
from svc.webapp.domain.apps.responses import Responses
from svc.webapp.domain.apps.seals import Seals
from svc.webapp.domain.apps.speech import Speech
from svc.webapp.domain.apps.tokens import AppTokens
from svc.webapp.domain.apps.views import Views
from svc.webapp.domain.apps.webhooks import Webhooks
from svc.webapp.domain.conversations.direct import DirectMessages
from svc.webapp.domain.conversations.directory import Directory
from svc.webapp.domain.messages.edits import Edits
from svc.webapp.domain.messages.messages import Messages
from svc.webapp.domain.messages.notes import Notes
from svc.webapp.domain.messages.reading import Reading
from svc.webapp.domain.people.accounts import Accounts

__all__ = ["AppLinks", "AppRules", "Places", "alone", "app_rules"]


@dataclass(frozen=True, slots=True)
class AppLinks:
    """What the rules of apps have of the outside."""

    signer: Signer
    """Of trigger_ids and response_urls; the installation's, so that every webapp takes what another gave out."""
    delivery: Delivery
    """The way to apps."""


def alone() -> AppLinks:
    """Return links for commands, which reach no app and give out no pass that is ever shown."""
    return AppLinks(Signer("-" * SECRET_BYTES_MIN), DeliveryTwin())


@dataclass(frozen=True, slots=True)
class Places:
    """The rules of messages and conversations, on which these stand."""

    directory: Directory
    direct: DirectMessages
    messages: Messages
    notes: Notes
    edits: Edits
    reading: Reading
    accounts: Accounts


@dataclass(frozen=True, slots=True)
class AppRules:
    """Everything about apps."""

    directory: AppDirectory
    making: AppMaking
    installing: Installing
    webhooks: Webhooks
    commands: Commands
    actions: Actions
    views: Views
    homes: Homes
    responses: Responses


def app_rules(
    stores: Stores,
    lookups: Lookups,
    writes: Writes,
    places: Places,
    links: AppLinks,
    clock: Clock,
    mint: IdMint,
) -> AppRules:
    """Return the rules of apps. Makes objects only."""
    directory = AppDirectory(lookups, stores.apps)
    passes = Passes(links.signer, stores.apps, clock)
    speech = Speech(places.messages, places.notes, places.edits, writes)
    shown = Views(directory, stores.apps.views, lookups, links.delivery, passes, writes, clock, mint)
    webhooks = Webhooks(
        directory, stores.apps, stores.workspaces, places.directory, lookups, places.messages, clock, mint
    )
    tokens = AppTokens(stores.apps, stores.users, stores.workspaces, places.accounts, lookups, clock)
    return AppRules(
        directory=directory,
        making=AppMaking(directory, stores.apps, places.accounts, stores.workspaces, tokens, writes, clock, mint),
        installing=Installing(directory, stores.apps, stores.workspaces, tokens, webhooks, clock),
        webhooks=webhooks,
        commands=Commands(directory, places.directory, lookups, links.delivery, passes, speech),
        actions=Actions(
            directory,
            places.directory,
            stores.channels,
            stores.workspaces,
            places.reading,
            lookups,
            shown,
            links.delivery,
            passes,
            Seals(links.signer, clock),
            clock,
        ),
        views=shown,
        homes=Homes(directory, shown, places.direct, writes),
        responses=Responses(directory, passes, speech),
    )
