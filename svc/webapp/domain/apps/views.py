"""Views: modals that apps open for people, and what they show them at home.

They are rows, so a crash of any process loses none. A modal is gone an hour after its last change, a home stays.
People's sockets hear of each change on the user's own channel: view_opened, view_push, view_update, view_closed.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

import orjson

from parley.event.v1 import event_pb2
from svc.kit.clock import Clock
from svc.kit.errors import AlreadyExistsError
from svc.kit.ids import IdMint, is_id
from svc.webapp.cache.lookups import Lookups
from svc.webapp.commit.effects import Writes
from svc.webapp.commit.log import Draft, Json, Write
from svc.webapp.domain.apps import payloads
from svc.webapp.domain.apps.commands import who_and_where
from svc.webapp.domain.apps.delivery import Delivery
from svc.webapp.domain.apps.directory import AppDirectory
from svc.webapp.domain.apps.elements import checked_state
from svc.webapp.domain.apps.model import App
from svc.webapp.domain.apps.passes import Passes
from svc.webapp.domain.apps.view_shapes import HOME, MODAL, checked_view, home_id, shape
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.app_rows import ViewRow
from svc.webapp.store.views import ViewStore

__all__ = ["MODAL_S", "STACK_MAX", "Views"]

MODAL_S = 3_600
"""How long a modal is kept after its last change: longer than anybody fills one in."""
STACK_MAX = 3
"""Views of a stack; Slack's."""
_TRIES_MAX = 5
"""Times that a view may change while it is being changed by who does not say what it was."""


class Views:
    """Opens, changes and closes views. Methods raise Refused, and UnavailableError when MySQL does not answer."""

    def __init__(
        self,
        apps: AppDirectory,
        store: ViewStore,
        lookups: Lookups,
        delivery: Delivery,
        passes: Passes,
        writes: Writes,
        clock: Clock,
        mint: IdMint,
    ) -> None:
        self._apps = apps
        self._store = store
        self._lookups = lookups
        self._delivery = delivery
        self._passes = passes
        self._writes = writes
        self._clock = clock
        self._mint = mint

    async def open(self, caller: Caller, trigger_id: str, given: Mapping[str, object]) -> Json:
        """Open a modal for who caused the trigger.

        Refused `not_allowed_token_type`, `invalid_trigger_id`, `expired_trigger_id`, `exchanged_trigger_id`,
        `duplicate_external_id`, `view_too_large`, `invalid_arguments`.
        """
        app = await self._apps.of_caller(caller)
        view = checked_view(given, MODAL)
        passed = await self._passes.exchange(app.team_id, app.id, trigger_id)
        return await self._show(app, passed.user_id, view, None, "view_opened")

    async def push(self, caller: Caller, trigger_id: str, given: Mapping[str, object]) -> Json:
        """Put a modal upon the one that the trigger is of. Refused as `open`, `not_found`, `push_limit_reached`."""
        app = await self._apps.of_caller(caller)
        view = checked_view(given, MODAL)
        passed = await self._passes.exchange(app.team_id, app.id, trigger_id)
        below = await self._store.view(app.team_id, passed.view_id, self._now_s()) if passed.view_id else None
        if below is None or below.app_id != app.id or below.kind != MODAL:
            raise Refused("not_found")
        return await self._show(app, passed.user_id, view, below, "view_push")

    async def update(
        self, caller: Caller, given: Mapping[str, object], view_id: str = "", external_id: str = "", known: str = ""
    ) -> Json:
        """Replace what a view shows. `known`: the hash of the version that the app has seen; "" for whichever.

        Refused `not_found`, `hash_conflict`, `duplicate_external_id`, `view_too_large`, `invalid_arguments`.
        """
        app = await self._apps.of_caller(caller)
        row = await self._find(app, view_id, external_id)
        return await self._change(app, row, checked_view(given, row.kind), known, "view_update")

    async def publish(self, caller: Caller, user_id: str, given: Mapping[str, object], known: str = "") -> Json:
        """Show a person this at home. Refused `user_not_found`, and as `update`."""
        app = await self._apps.of_caller(caller)
        user = await self._lookups.user(caller.team_id, user_id) if is_id(user_id, "UW") else None
        if user is None or user.deleted:
            raise Refused("user_not_found")
        view = checked_view(given, HOME)
        view_id = home_id(app.id, user.id)
        row = await self._store.view(app.team_id, view_id, self._now_s())
        if row is not None:
            return await self._change(app, row, view, known, "view_update")
        if known:
            raise Refused("hash_conflict")
        first = self._row(app, user.id, view, view_id, None)
        await self._add(first)
        return await self._tell(user.id, "view_opened", shape(first, app))

    async def shown(self, caller: Caller, view_id: str) -> tuple[App, Json]:
        """Return a view that the caller has before it, and its app. Refused `view_not_found`."""
        app, row = await self._of_person(caller, view_id)
        return app, shape(row, app)

    async def home(self, caller: Caller, app_id: str) -> Json | None:
        """Return what an app shows the caller at home; None when it shows nothing. Refused `app_not_found`."""
        app = await self._apps.app(caller.team_id, app_id)
        if app is None:
            raise Refused("app_not_found")
        row = await self._store.view(app.team_id, home_id(app.id, caller.user_id), self._now_s())
        return shape(row, app) if row is not None else None

    async def submit(self, caller: Caller, view_id: str, state: Mapping[str, object]) -> Json:
        """Tell an app what the caller has filled in, and do what it answers within three seconds.

        Returns `response_action`: "errors" with `errors` (a sentence for each block that is wrong), "update" and "push"
        with the new `view`, "clear" when all of the stack are closed, "close" when this one is. Refused
        `view_not_found`, `operation_timeout`, `invalid_arguments` (also of an app's answer).
        """
        app, row = await self._of_person(caller, view_id)
        if row.kind != MODAL:
            raise Refused("view_not_found")
        filled = checked_state(state)
        team, user = await who_and_where(self._lookups, caller)
        trigger = self._passes.trigger(app.team_id, app.id, user.id, row.id)
        payload = payloads.interaction("view_submission", app, team, user, trigger)
        payload |= {"view": shape(row, app, filled), "response_urls": []}
        answer = await self._delivery.deliver(app, "interactive", payload) or {}
        action, given = answer.get("response_action"), answer.get("view")
        match action:
            case "errors":
                errors = answer.get("errors")
                if not isinstance(errors, dict) or not errors:
                    raise Refused("invalid_arguments")
                return {"response_action": action, "errors": {key: str(value) for key, value in errors.items()}}
            case "update" | "push" if isinstance(given, dict):
                view = checked_view(given, MODAL)
                if action == "push":
                    shown = await self._show(app, user.id, view, row, "view_push")
                else:
                    shown = await self._change(app, row, view, "", "view_update")
                return {"response_action": action, "view": shown}
            case "clear":
                await self._drop(app, row, is_cleared=True)
                return {"response_action": action}
        await self._drop(app, row, is_cleared=False)
        return {"response_action": "close"}

    async def close(self, caller: Caller, view_id: str, state: Mapping[str, object], *, is_cleared: bool) -> None:
        """Close a modal, or with `is_cleared` all of its stack; the app hears of it if it wants to, and if it can.

        Refused `view_not_found`, `invalid_arguments`.
        """
        app, row = await self._of_person(caller, view_id)
        if row.kind != MODAL:
            raise Refused("view_not_found")
        view = shape(row, app, checked_state(state))
        is_cleared = is_cleared or view["clear_on_close"]
        await self._drop(app, row, is_cleared=is_cleared)
        if view["notify_on_close"]:
            team, user = await who_and_where(self._lookups, caller)
            payload = payloads.interaction("view_closed", app, team, user)
            # It is closed, whether the app can be reached or not.
            with suppress(Refused):
                await self._delivery.deliver(app, "interactive", payload | {"view": view, "is_cleared": is_cleared})

    async def _of_person(self, caller: Caller, view_id: str) -> tuple[App, ViewRow]:
        row = await self._store.view(caller.team_id, view_id, self._now_s()) if is_id(view_id, "V") else None
        if row is None or row.user_id != caller.user_id:
            raise Refused("view_not_found")
        app = await self._apps.app(caller.team_id, row.app_id)
        if app is None:
            raise Refused("view_not_found")
        return app, row

    async def _find(self, app: App, view_id: str, external_id: str) -> ViewRow:
        now_s, row = self._now_s(), None
        if is_id(view_id, "V"):
            row = await self._store.view(app.team_id, view_id, now_s)
        elif external_id and not view_id:
            row = await self._store.view_by_external(app.team_id, app.id, external_id, now_s)
        if row is None or row.app_id != app.id:
            raise Refused("not_found")
        return row

    async def _show(self, app: App, user_id: str, view: Json, below: ViewRow | None, news: str) -> Json:
        row = self._row(app, user_id, view, self._mint.mint("V"), below)
        if below is not None:
            if below.user_id != user_id:
                raise Refused("not_found")
            if len(await self._store.stack(app.team_id, below.root_id, user_id, app.id)) >= STACK_MAX:
                raise Refused("push_limit_reached")
        await self._add(row)
        return await self._tell(user_id, news, shape(row, app))

    async def _change(self, app: App, row: ViewRow, view: Json, known: str, news: str) -> Json:
        for _ in range(_TRIES_MAX):
            if known and row.hash != known:
                raise Refused("hash_conflict")
            after = self._row(app, row.user_id, view, row.id, None)
            after = replace(after, root_id=row.root_id, previous_id=row.previous_id)
            try:
                if await self._store.change_view(after, row.hash):
                    return await self._tell(row.user_id, news, shape(after, app))
            except AlreadyExistsError:
                raise Refused("duplicate_external_id") from None
            row = await self._find(app, row.id, "")
        raise Refused("hash_conflict")

    async def _add(self, row: ViewRow) -> None:
        try:
            await self._store.add_view(row, self._now_s())
        except AlreadyExistsError:
            raise Refused("duplicate_external_id") from None

    async def _drop(self, app: App, row: ViewRow, *, is_cleared: bool) -> None:
        """Take a view away with all above it, or all of its stack, and tell."""
        stack = {each.id: each for each in await self._store.stack(row.team_id, row.root_id, row.user_id, app.id)}
        gone = {row.id} if not is_cleared else {row.id, *stack}
        for _ in stack:
            gone |= {each.id for each in stack.values() if each.previous_id in gone}
        await self._store.drop_views(row.team_id, tuple(sorted(gone)))
        closed: Json = {"type": "view_closed", "view_ids": sorted(gone), "app_id": app.id, "is_cleared": is_cleared}
        await self._write(row.user_id, closed)

    async def _tell(self, user_id: str, kind: str, view: Json) -> Json:
        await self._write(user_id, {"type": kind, "view": view})
        return view

    async def _write(self, user_id: str, event: Json) -> None:
        draft = Draft(event_pb2.EVENT_KIND_USER, lambda _: dict(event))
        await self._writes.commit(Write(user_id, (draft,)))

    def _row(self, app: App, user_id: str, view: Json, view_id: str, below: ViewRow | None) -> ViewRow:
        now_s = self._now_s()
        return ViewRow(
            team_id=app.team_id,
            id=view_id,
            user_id=user_id,
            app_id=app.id,
            kind=view["type"],
            root_id=below.root_id if below else view_id,
            previous_id=below.id if below else "",
            external_id=view["external_id"],
            hash=f"{now_s}.{secrets.token_hex(4)}",
            body=orjson.dumps(view),
            until_s=now_s + MODAL_S if view["type"] == MODAL else 0,
        )

    def _now_s(self) -> int:
        return self._clock.wall_us() // 1_000_000
