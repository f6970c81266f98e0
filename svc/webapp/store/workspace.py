"""The workspace keyspace, sharded by team_id: teams, users, bots, names, the directory of conversations, emoji."""

from collections.abc import Sequence

from svc.kit.errors import AlreadyExistsError
from svc.webapp.store.decode import columns, decode, decode_all, encode
from svc.webapp.store.groups import GroupStore
from svc.webapp.store.pools import Database
from svc.webapp.store.profiles import ProfileStore
from svc.webapp.store.query import query
from svc.webapp.store.rows import Bot, Conversation, ConversationKind, Emoji, Team, User
from svc.webapp.store.sign_ins import SignInStore
from svc.webapp.store.sql import insert_rows, upsert_newer

__all__ = ["RESERVATION_S", "WorkspaceStore"]

RESERVATION_S = 60
"""How long a reserved, never confirmed name is kept. The conversation behind it confirms it at once, or within 2 s
after a crash (the sweeper), so a minute means that there is none."""


class WorkspaceStore:
    """Reads and writes of the workspace keyspace. UnavailableError or DeadlineError when MySQL does not answer."""

    def __init__(self, database: Database) -> None:
        """`database`: the keyspace's pool; lifetime is the caller's."""
        self._db = database
        self.profiles = ProfileStore(database)
        self.groups = GroupStore(database)
        self.sign_ins = SignInStore(database)

    @query("workspace")
    async def team(self, team_id: str) -> Team | None:
        """Return a workspace."""
        rows = await self._db.rows(f"SELECT {columns(Team)} FROM teams WHERE id = %s", (team_id,))
        return decode(Team, rows[0]) if rows else None

    @query("workspace", scatter="looked up by domain or listed at sign-in and by operators, never for a message")
    async def teams(self, limit: int = 1000) -> list[Team]:
        """Return workspaces in order of id."""
        rows = await self._db.rows(f"SELECT {columns(Team)} FROM teams ORDER BY id LIMIT %s", (limit,))
        return decode_all(Team, rows)

    @query("workspace")
    async def put_team(self, team: Team) -> None:
        """Insert a workspace, or replace its name. Raises AlreadyExistsError when another has its domain."""
        sql, args = insert_rows("teams", columns(Team), [encode(team)])
        await self._db.execute(f"{sql} ON DUPLICATE KEY UPDATE name = IF(id = VALUES(id), VALUES(name), name)", args)
        found = await self._db.rows("SELECT 1 FROM teams WHERE id = %s", (team.id,))
        if not found:
            raise AlreadyExistsError(f"another workspace has the domain {team.domain!r}")

    @query("workspace")
    async def set_team_icon(self, team_id: str, url: str, revision_us: int) -> None:
        """Set where a workspace's picture is, unless a write of a higher revision did. Idempotent.

        Tells nobody: svc.webapp.commit.log.PutTeamIcon does.
        """
        await self._db.execute(
            "UPDATE teams SET icon_url = %s, icon_revision_us = %s WHERE id = %s AND icon_revision_us < %s",
            (url, revision_us, team_id, revision_us),
        )

    @query("workspace")
    async def user(self, team_id: str, user_id: str) -> User | None:
        """Return a user of the workspace, deactivated ones too."""
        users = await self.users_by_id(team_id, [user_id])
        return users[0] if users else None

    @query("workspace")
    async def users_by_id(self, team_id: str, user_ids: Sequence[str]) -> list[User]:
        """Return those of the users that exist, in no particular order. At most 1,000 ids."""
        if not user_ids:
            return []
        rows = await self._db.rows(
            f"SELECT {columns(User)} FROM users WHERE team_id = %s AND id IN %s", (team_id, tuple(user_ids))
        )
        return decode_all(User, rows)

    @query("workspace", replica="users of a quiet workspace")
    async def users(self, team_id: str, after_id: str = "", limit: int = 100, *, is_quiet: bool = False) -> list[User]:
        """Return users with ids above `after_id`, in order of id. `is_quiet`: see ChannelStore.quiet, of the team."""
        read = self._db.settled_rows if is_quiet else self._db.rows
        rows = await read(
            f"SELECT {columns(User)} FROM users WHERE team_id = %s AND id > %s ORDER BY id LIMIT %s",
            (team_id, after_id, limit),
        )
        return decode_all(User, rows)

    @query("workspace")
    async def user_by_name(self, team_id: str, name: str) -> User | None:
        """Return the user with this handle."""
        rows = await self._db.rows(
            f"SELECT {columns(User)} FROM users WHERE team_id = %s AND name = %s", (team_id, name)
        )
        return decode(User, rows[0]) if rows else None

    @query("workspace")
    async def user_by_email(self, team_id: str, email: str) -> User | None:
        """Return the user with this email address; "" finds nobody."""
        rows = await self._db.rows(
            f"SELECT {columns(User)} FROM users WHERE team_id = %s AND email_key = %s", (team_id, email)
        )
        return decode(User, rows[0]) if rows and email else None

    @query("workspace")
    async def count_users(self, team_id: str) -> int:
        """Return how many users the workspace has, deactivated ones included."""
        rows = await self._db.rows("SELECT COUNT(*) FROM users WHERE team_id = %s", (team_id,))
        return int(rows[0][0])

    @query("workspace")
    async def count_public(self, team_id: str) -> int:
        """Return how many public conversations the workspace has, archived ones included."""
        rows = await self._db.rows(
            "SELECT COUNT(*) FROM conversations WHERE team_id = %s AND kind = %s",
            (team_id, int(ConversationKind.PUBLIC)),
        )
        return int(rows[0][0])

    @query("workspace")
    async def put_user(self, user: User) -> None:
        """Insert a user or replace it, unless a version of a higher `revision_us` is there. Idempotent.

        Tells nobody: the effect PutUser does. Raises AlreadyExistsError when another user of the team has its name or
        email.
        """
        sql, args = upsert_newer("users", User, [encode(user)], keep=("version",))
        await self._db.execute(sql, args)
        rows = await self._db.rows("SELECT 1 FROM users WHERE team_id = %s AND id = %s", (user.team_id, user.id))
        if not rows:
            raise AlreadyExistsError(f"the name {user.name!r} or the email {user.email!r} is taken")

    @query("workspace")
    async def bot(self, team_id: str, bot_id: str) -> Bot | None:
        """Return a bot of the workspace."""
        rows = await self._db.rows(f"SELECT {columns(Bot)} FROM bots WHERE team_id = %s AND id = %s", (team_id, bot_id))
        return decode(Bot, rows[0]) if rows else None

    @query("workspace")
    async def put_bot(self, bot: Bot) -> None:
        """Insert a bot, or replace its name, app and state."""
        sql, args = insert_rows("bots", columns(Bot), [encode(bot)])
        update = ", ".join(f"{c} = VALUES({c})" for c in ("app_id", "name", "deleted", "updated_s"))
        await self._db.execute(f"{sql} ON DUPLICATE KEY UPDATE {update}", args)

    @query("workspace")
    async def reserve_name(self, team_id: str, name: str, channel_id: str, now_s: int) -> None:
        """Take a conversation's name before its conversation is made (PutDirectory confirms it). Idempotent.

        Raises AlreadyExistsError when another conversation has it. A crash in between frees it after RESERVATION_S.
        """
        await self._db.execute(
            "INSERT INTO names (team_id, name, channel_id, reserved_s, confirmed) VALUES (%s, %s, %s, %s, 0)"
            " ON DUPLICATE KEY UPDATE"
            " channel_id = IF(confirmed = 0 AND reserved_s < VALUES(reserved_s) - %s, VALUES(channel_id), channel_id),"
            " reserved_s = IF(channel_id = VALUES(channel_id), VALUES(reserved_s), reserved_s)",
            (team_id, name, channel_id, now_s, RESERVATION_S),
        )
        owner = await self.name_owner(team_id, name)
        if owner != channel_id:
            raise AlreadyExistsError(f"the name {name!r} is taken", subject="name")

    @query("workspace")
    async def name_owner(self, team_id: str, name: str) -> str:
        """Return the id of the conversation that has (or reserved) the name; "" when it is free."""
        rows = await self._db.rows("SELECT channel_id FROM names WHERE team_id = %s AND name = %s", (team_id, name))
        return str(rows[0][0]) if rows else ""

    @query("workspace")
    async def conversation(self, team_id: str, channel_id: str) -> Conversation | None:
        """Return the directory's copy of a public or private conversation."""
        found = await self.conversations_by_id(team_id, [channel_id])
        return found[0] if found else None

    @query("workspace")
    async def conversations_by_id(self, team_id: str, channel_ids: Sequence[str]) -> list[Conversation]:
        """Return those of the conversations that the directory has (no direct messages). At most 1,000 ids."""
        if not channel_ids:
            return []
        rows = await self._db.rows(
            f"SELECT {columns(Conversation)} FROM conversations WHERE team_id = %s AND id IN %s",
            (team_id, tuple(channel_ids)),
        )
        return decode_all(Conversation, rows)

    @query("workspace")
    async def conversation_by_name(self, team_id: str, name: str) -> Conversation | None:
        """Return the conversation with this name."""
        owner = await self.name_owner(team_id, name)
        return await self.conversation(team_id, owner) if owner else None

    @query("workspace", replica="conversations of a quiet workspace")
    async def directory(
        self,
        team_id: str,
        kinds: Sequence[ConversationKind] = (ConversationKind.PUBLIC,),
        after_id: str = "",
        limit: int = 100,
        *,
        exclude_archived: bool = False,
        is_quiet: bool = False,
    ) -> list[Conversation]:
        """Return conversations of these kinds with ids above `after_id`, in order of id. Knows no membership.

        `is_quiet`: what ChannelStore.quiet says of the team; changes of public ones alone are told there.
        """
        if not kinds:
            return []
        archived = " AND is_archived = 0" if exclude_archived else ""
        read = self._db.settled_rows if is_quiet and set(kinds) == {ConversationKind.PUBLIC} else self._db.rows
        rows = await read(
            f"SELECT {columns(Conversation)} FROM conversations"
            f" WHERE team_id = %s AND kind IN %s AND id > %s{archived} ORDER BY id LIMIT %s",
            (team_id, tuple(int(kind) for kind in kinds), after_id, limit),
        )
        return decode_all(Conversation, rows)

    @query("workspace")
    async def general(self, team_id: str) -> Conversation | None:
        """Return the conversation that everyone of the workspace is in; None before it is made."""
        rows = await self._db.rows(
            f"SELECT {columns(Conversation)} FROM conversations WHERE team_id = %s AND is_general = 1 LIMIT 1",
            (team_id,),
        )
        return decode(Conversation, rows[0]) if rows else None

    @query("workspace")
    async def put_conversation(self, conversation: Conversation) -> None:
        """Copy a conversation into the directory and confirm its name, unless a newer version is there. Idempotent.

        The name that it has now is its own afterwards, and those that it had before are free. In one transaction: of
        two who copy different versions at once, none takes the name away that the newer one has.
        """
        sql, args = upsert_newer("conversations", Conversation, [encode(conversation)], keep=("version",))
        key = (conversation.team_id, conversation.id)
        async with self._db.transaction() as transaction:
            # Locks the row, whether it changes or not; what is there now may be newer than what was given.
            await transaction.execute(sql, args)
            rows = await transaction.rows("SELECT name FROM conversations WHERE team_id = %s AND id = %s", key)
            name = str(rows[0][0])
            if not name:
                return
            await transaction.execute(
                "INSERT INTO names (team_id, name, channel_id, reserved_s, confirmed) VALUES (%s, %s, %s, %s, 1)"
                " ON DUPLICATE KEY UPDATE confirmed = IF(channel_id = VALUES(channel_id), 1, confirmed)",
                (conversation.team_id, name, conversation.id, conversation.created_s),
            )
            await transaction.execute(
                "DELETE FROM names WHERE team_id = %s AND channel_id = %s AND name <> %s AND confirmed = 1",
                (*key, name),
            )

    @query("workspace", replica="emoji of a quiet workspace")
    async def emoji(self, team_id: str, after_name: str, limit: int, *, is_quiet: bool = False) -> list[Emoji]:
        """Return custom emoji with names above `after_name`, in order of name. `is_quiet`: as for `users`."""
        read = self._db.settled_rows if is_quiet else self._db.rows
        rows = await read(
            f"SELECT {columns(Emoji)} FROM emoji WHERE team_id = %s AND name > %s AND value <> ''"
            " ORDER BY name LIMIT %s",
            (team_id, after_name, limit),
        )
        return decode_all(Emoji, rows)

    @query("workspace")
    async def emoji_by_name(self, team_id: str, names: Sequence[str]) -> dict[str, Emoji]:
        """Return those of the emoji that are or once were there, by name; a removed one has no value. At most 100."""
        rows = await self._db.rows(
            f"SELECT {columns(Emoji)} FROM emoji WHERE team_id = %s AND name IN %s", (team_id, tuple(names))
        )
        return {row[1]: decode(Emoji, row) for row in rows}

    @query("workspace")
    async def emoji_aliases(self, team_id: str, name: str, limit: int) -> list[Emoji]:
        """Return other names of an emoji, in order of name. Looks through all of a workspace's, 10 ms for 10,000."""
        rows = await self._db.rows(
            f"SELECT {columns(Emoji)} FROM emoji WHERE team_id = %s AND value = %s ORDER BY name LIMIT %s",
            (team_id, f"alias:{name}", limit),
        )
        return decode_all(Emoji, rows)

    @query("workspace")
    async def count_emoji(self, team_id: str) -> int:
        """Return how many custom emoji the workspace has, other names included."""
        rows = await self._db.rows("SELECT COUNT(*) FROM emoji WHERE team_id = %s AND value <> ''", (team_id,))
        return int(rows[0][0])

    @query("workspace")
    async def put_emoji(self, emoji: Sequence[Emoji]) -> None:
        """Set emoji of one workspace, each unless a version of a higher `revision_us` is there. Idempotent.

        Tells nobody: svc.webapp.commit.log.PutEmoji does.
        """
        sql, args = upsert_newer("emoji", Emoji, [encode(each) for each in emoji], keep=("version",))
        await self._db.execute(sql, args)

    @query("workspace")
    async def set_emoji_version(self, team_id: str, names: Sequence[str], version: int) -> None:
        """Note the offset of the workspace's channel at which emoji were told. Never lowers one."""
        await self._db.execute(
            "UPDATE emoji SET version = GREATEST(version, %s) WHERE team_id = %s AND name IN %s",
            (version, team_id, tuple(names)),
        )

    @query("workspace")
    async def set_versions(self, team_id: str, version: int, *, user_id: str = "", channel_id: str = "") -> None:
        """Note the offset of the workspace's channel at which a user or conversation was told. Never lowers one."""
        for table, row_id in (("users", user_id), ("conversations", channel_id)):
            if row_id:
                await self._db.execute(
                    f"UPDATE {table} SET version = GREATEST(version, %s) WHERE team_id = %s AND id = %s",
                    (version, team_id, row_id),
                )
