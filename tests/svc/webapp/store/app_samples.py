"""Calls of every method of the stores of apps and views, for `samples`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from svc.webapp.store.app_rows import AppCode, AppGrant, AppRow, ViewRow, Webhook
from svc.webapp.store.apps import AppStore
from svc.webapp.store.views import ViewStore
from tests.svc.webapp.writes import ALICE, BOB, CHANNEL, TEAM

APP = "A0000000001"
HASH = bytes(range(32))

Calls = dict[str, list[Callable[[], Awaitable[Any]]]]


def of_apps(store: AppStore) -> Calls:
    """Return the calls by the method's name."""
    row = AppRow(TEAM, APP, "ci", BOB, "B0000000001", ALICE, HASH, "s", "v", "chat:write", b"{}", revision_us=1)
    hook = Webhook(TEAM, "B0000000002", APP, BOB, CHANNEL, "ci", HASH)
    code = AppCode(TEAM, HASH, APP, ALICE, "chat:write", "", 9, "users:read", CHANNEL)
    return {
        "AppStore.put_app": [lambda: store.put_app(row)],
        "AppStore.app": [lambda: store.app(TEAM, APP)],
        "AppStore.apps_of": [lambda: store.apps_of(TEAM, 9)],
        "AppStore.all_apps": [lambda: store.all_apps(("", ""), 9)],
        "AppStore.changed_since": [lambda: store.changed_since(0, 9)],
        "AppStore.count_apps": [lambda: store.count_apps(TEAM)],
        "AppStore.set_app_version": [lambda: store.set_app_version(TEAM, APP, 7)],
        "AppStore.put_webhook": [lambda: store.put_webhook(hook)],
        "AppStore.webhook": [lambda: store.webhook(TEAM, hook.id)],
        "AppStore.webhooks": [lambda: store.webhooks(TEAM, APP, 9)],
        "AppStore.disable_webhooks": [
            lambda: store.disable_webhooks(TEAM, APP, 9, hook.id),
            lambda: store.disable_webhooks(TEAM, APP, 9),
        ],
        "AppStore.add_code": [lambda: store.add_code(code, 1)],
        "AppStore.take_code": [lambda: store.take_code(TEAM, HASH), lambda: store.take_code(TEAM, HASH)],
        "AppStore.add_grant": [lambda: store.add_grant(AppGrant(TEAM, APP, ALICE, 9))],
        "AppStore.grants": [lambda: store.grants(TEAM, APP, "", 9)],
        "AppStore.use_pass": [lambda: store.use_pass(TEAM, "p", 1, 9, 1)],
    }


def of_views(store: ViewStore) -> Calls:
    """Return the calls by the method's name."""
    view = ViewRow(TEAM, "V0000000001", ALICE, APP, "modal", "V0000000001", "", "mine", "h1", b"{}", 9)
    return {
        "ViewStore.add_view": [lambda: store.add_view(view, 1)],
        "ViewStore.view": [lambda: store.view(TEAM, view.id, 1)],
        "ViewStore.view_by_external": [lambda: store.view_by_external(TEAM, APP, "mine", 1)],
        "ViewStore.stack": [lambda: store.stack(TEAM, view.id, ALICE, APP)],
        "ViewStore.change_view": [lambda: store.change_view(replace(view, hash="h2"), "h1")],
        "ViewStore.drop_views": [lambda: store.drop_views(TEAM, (view.id,))],
    }
