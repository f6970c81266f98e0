"""Apps in the workspace keyspace: their rows, webhooks, codes, and the passes that are good for a few uses."""

from svc.webapp.store.app_rows import AppCode, AppGrant, AppRow, Webhook
from svc.webapp.store.decode import columns, decode, decode_all, encode
from svc.webapp.store.pools import Database
from svc.webapp.store.query import query
from svc.webapp.store.sql import insert_rows, upsert_newer
from svc.webapp.store.views import ViewStore

__all__ = ["AppStore"]

_OLD_MAX = 50
"""Expired rows taken away with each new one: more than come, so that none is left for long, and little work."""


class AppStore:
    """Reads and writes of apps. UnavailableError or DeadlineError when MySQL does not answer."""

    def __init__(self, database: Database) -> None:
        """`database`: the workspace keyspace's pool; lifetime is the caller's."""
        self._db = database
        self.views = ViewStore(database)
        """What apps show to people."""

    @query("workspace")
    async def app(self, team_id: str, app_id: str) -> AppRow | None:
        """Return an app, a removed one too."""
        rows = await self._db.rows(
            f"SELECT {columns(AppRow)} FROM apps WHERE team_id = %s AND id = %s", (team_id, app_id)
        )
        return decode(AppRow, rows[0]) if rows else None

    @query("workspace")
    async def apps_of(self, team_id: str, limit: int) -> list[AppRow]:
        """Return the workspace's apps that were not removed, in order of id."""
        rows = await self._db.rows(
            f"SELECT {columns(AppRow)} FROM apps WHERE team_id = %s AND deleted = 0 ORDER BY id LIMIT %s",
            (team_id, limit),
        )
        return decode_all(AppRow, rows)

    @query("workspace", scatter="asked by each webapp when it starts, to find the apps that it owns")
    async def all_apps(self, after: tuple[str, str], limit: int) -> list[AppRow]:
        """Return apps of all workspaces above (team id, app id), in this order; not the removed ones."""
        rows = await self._db.rows(
            f"SELECT {columns(AppRow)} FROM apps WHERE (team_id > %s OR (team_id = %s AND id > %s)) AND deleted = 0"
            " ORDER BY team_id, id LIMIT %s",
            (after[0], after[0], after[1], limit),
        )
        return decode_all(AppRow, rows)

    @query("workspace", scatter="a look into an index that is nearly always empty there, by each webapp once a second")
    async def changed_since(self, revision_us: int, limit: int) -> list[AppRow]:
        """Return apps of all workspaces whose revision is above this, the oldest change first, the removed ones too."""
        rows = await self._db.rows(
            f"SELECT {columns(AppRow)} FROM apps WHERE revision_us > %s ORDER BY revision_us LIMIT %s",
            (revision_us, limit),
        )
        return decode_all(AppRow, rows)

    @query("workspace")
    async def put_app(self, app: AppRow) -> None:
        """Insert an app or replace it, unless a version of a higher `revision_us` is there. Idempotent.

        Tells nobody: svc.webapp.commit.log.PutApp does.
        """
        sql, args = upsert_newer("apps", AppRow, [encode(app)], keep=("version",))
        await self._db.execute(sql, args)

    @query("workspace")
    async def set_app_version(self, team_id: str, app_id: str, version: int) -> None:
        """Note the offset of the workspace's channel at which an app was told. Never lowers one."""
        await self._db.execute(
            "UPDATE apps SET version = GREATEST(version, %s) WHERE team_id = %s AND id = %s",
            (version, team_id, app_id),
        )

    @query("workspace")
    async def put_webhook(self, webhook: Webhook) -> None:
        """Insert a webhook. Idempotent."""
        sql, args = insert_rows("webhooks", columns(Webhook), [encode(webhook)])
        await self._db.execute(f"{sql} ON DUPLICATE KEY UPDATE name = VALUES(name)", args)

    @query("workspace")
    async def webhook(self, team_id: str, webhook_id: str) -> Webhook | None:
        """Return a webhook, a disabled one too."""
        rows = await self._db.rows(
            f"SELECT {columns(Webhook)} FROM webhooks WHERE team_id = %s AND id = %s", (team_id, webhook_id)
        )
        return decode(Webhook, rows[0]) if rows else None

    @query("workspace")
    async def webhooks(self, team_id: str, app_id: str, limit: int) -> list[Webhook]:
        """Return an app's webhooks in order of id, the disabled ones too."""
        rows = await self._db.rows(
            f"SELECT {columns(Webhook)} FROM webhooks WHERE team_id = %s AND app_id = %s ORDER BY id LIMIT %s",
            (team_id, app_id, limit),
        )
        return decode_all(Webhook, rows)

    @query("workspace")
    async def disable_webhooks(self, team_id: str, app_id: str, now_s: int, webhook_id: str = "") -> int:
        """Disable an app's webhooks, or the one named; return how many worked until now."""
        only, args = (" AND id = %s", (webhook_id,)) if webhook_id else ("", ())
        return await self._db.execute(
            f"UPDATE webhooks SET disabled_s = %s WHERE team_id = %s AND app_id = %s AND disabled_s = 0{only}",
            (now_s, team_id, app_id, *args),
        )

    @query("workspace")
    async def add_code(self, code: AppCode, now_s: int) -> None:
        """Insert a code, and take expired ones away."""
        await self._forget_old("app_codes", code.team_id, now_s)
        await self._db.execute(*insert_rows("app_codes", columns(AppCode), [encode(code)]))

    @query("workspace")
    async def take_code(self, team_id: str, code_hash: bytes) -> AppCode | None:
        """Return a code, expired or not, and let nobody else ever have it; None when it was taken or never was."""
        where = "WHERE team_id = %s AND code_hash = %s"
        rows = await self._db.rows(f"SELECT {columns(AppCode)} FROM app_codes {where}", (team_id, code_hash))
        if not rows or not await self._db.execute(f"DELETE FROM app_codes {where}", (team_id, code_hash)):
            return None
        return decode(AppCode, rows[0])

    @query("workspace")
    async def add_grant(self, grant: AppGrant) -> None:
        """Note that a person gives an app tokens of its own. Idempotent."""
        sql, args = insert_rows("app_grants", columns(AppGrant), [encode(grant)])
        await self._db.execute(f"{sql} ON DUPLICATE KEY UPDATE given_s = LEAST(given_s, VALUES(given_s))", args)

    @query("workspace")
    async def grants(self, team_id: str, app_id: str, after: str, limit: int) -> list[AppGrant]:
        """Return who gave an app tokens of their own, in order of the user's id, above `after`."""
        rows = await self._db.rows(
            f"SELECT {columns(AppGrant)} FROM app_grants WHERE team_id = %s AND app_id = %s AND user_id > %s"
            " ORDER BY user_id LIMIT %s",
            (team_id, app_id, after, limit),
        )
        return decode_all(AppGrant, rows)

    @query("workspace")
    async def use_pass(self, team_id: str, pass_id: str, uses_max: int, until_s: int, now_s: int) -> bool:
        """Use a pass once more; False when it was used `uses_max` times already. Holds for all webapps together.

        `until_s`: from when on its count may be forgotten, because the pass itself has expired. A crash in between
        loses the use, never gains one.
        """
        await self._forget_old("app_passes", team_id, now_s)
        async with self._db.transaction() as transaction:
            await transaction.execute(
                "INSERT INTO app_passes (team_id, id, uses, until_s) VALUES (%s, %s, 1, %s)"
                " ON DUPLICATE KEY UPDATE uses = uses + 1",
                (team_id, pass_id, until_s),
            )
            rows = await transaction.rows(
                "SELECT uses FROM app_passes WHERE team_id = %s AND id = %s FOR UPDATE", (team_id, pass_id)
            )
        return int(rows[0][0]) <= uses_max

    async def _forget_old(self, table: str, team_id: str, now_s: int) -> None:
        await self._db.execute(
            f"DELETE FROM {table} WHERE team_id = %s AND until_s < %s ORDER BY until_s LIMIT {_OLD_MAX}",
            (team_id, now_s),
        )

    @query("workspace")
    async def count_apps(self, team_id: str) -> int:
        """Return how many apps the workspace has."""
        rows = await self._db.rows("SELECT COUNT(*) FROM apps WHERE team_id = %s AND deleted = 0", (team_id,))
        return int(rows[0][0])
