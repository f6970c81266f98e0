"""A call of every method of the store of apps' places."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from svc.webapp.store.app_places import AppPlaceStore

BOT = "U0000000B07"
APP = "A0000000001"


def of_places(store: AppPlaceStore) -> dict[str, list[Callable[[], Awaitable[Any]]]]:
    """Return the calls, in an order in which they find something to do."""
    return {
        "AppPlaceStore.app_place": [lambda: store.app_place(BOT, APP)],
        "AppPlaceStore.take_app_place": [lambda: store.take_app_place(BOT, APP, "webapp-a-1")],
        "AppPlaceStore.save_app_place": [
            lambda: store.save_app_place(BOT, APP, 1, b"place"),
            lambda: store.save_app_place(BOT, APP, 1, b"place", is_released=True),
            lambda: store.save_app_place(BOT, APP, 7, b"place"),
        ],
        "AppPlaceStore.verify_app_url": [lambda: store.verify_app_url(BOT, APP, 1, "https://bot.example.org/")],
    }
