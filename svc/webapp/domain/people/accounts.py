"""Workspaces, the people and bots in them, and the tokens that speak for these: how they come to be.

Used by the operator's commands (`parley seed`, `parley token`, the demo workspace), by invitations and by signing in.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from random import SystemRandom

from svc.kit.clock import Clock
from svc.kit.errors import AlreadyExistsError, UnavailableError
from svc.kit.ids import IdMint
from svc.kit.tokens import WEB_TOKEN, new_token, token_hash
from svc.webapp.cache.lookups import Lookups
from svc.webapp.commit.effects import Writes
from svc.webapp.commit.log import Effect, PutPassword, PutUser, Revoke, Write
from svc.webapp.domain import shapes
from svc.webapp.domain.conversations.conversations import Conversations
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.rows import Bot, Team, Token, TokenKind, User
from svc.webapp.store.user import UserStore
from svc.webapp.store.workspace import WorkspaceStore

BOT_SCOPES = "identify,bot:basic"
"""A classic bot's; clients that choose between RTM and Socket Mode by scopes choose RTM."""

USER_SCOPES = "identify,read,post,client"
"""A person's, of the same classic family."""


class Accounts:
    """Makes and finds accounts. Methods raise Refused, and UnavailableError when MySQL does not answer."""

    def __init__(
        self,
        workspaces: WorkspaceStore,
        users: UserStore,
        lookups: Lookups,
        writes: Writes,
        conversations: Conversations,
        clock: Clock,
        mint: IdMint,
    ) -> None:
        self._workspaces = workspaces
        self._users = users
        self._lookups = lookups
        self._writes = writes
        self._conversations = conversations
        self._clock = clock
        self._mint = mint

    async def team(self, name: str, domain: str) -> tuple[Team, bool]:
        """Return the workspace with this domain, made if need be; the second value says that it was made now."""
        for team in await self._workspaces.teams():
            if team.domain == domain:
                return team, False
        team = Team(self._mint.mint("T"), name, domain, self._now_s())
        await self._workspaces.put_team(team)
        await self._lookups.forget_team(team.id)
        return team, True

    async def person(self, user: User) -> User:
        """Add a person (id and times are set here), or return the one with this handle. Tells the team (team_join).

        Who comes later is put into the general conversation, if there is one already.
        """
        found = await self._workspaces.user_by_name(user.team_id, user.name)
        if found is not None:
            return found
        return await self._add(user)

    async def newcomer(self, user: User, password_hash: str) -> User:
        """Add a person (times are set here) who signs in with a password. Tells the team, as `person` does.

        Refused `name_taken`, `email_taken`.
        """
        password = PutPassword(user.team_id, user.id, password_hash, self._now_s())
        try:
            return await self._add(user, password)
        except AlreadyExistsError:
            other = await self._workspaces.user_by_name(user.team_id, user.name)
            raise Refused("name_taken" if other is not None else "email_taken") from None

    async def _add(self, user: User, *effects: Effect) -> User:
        now_s = self._now_s()
        added = replace(user, id=user.id or self._mint.mint("U"), created_s=now_s, updated_s=now_s)
        told = {"type": "team_join", "user": shapes.user(added, now_s=now_s), "cache_ts": now_s}
        await self._writes.commit(
            Write(added.team_id, request_id=f"join:{added.id}", effects=(PutUser(asdict(added), told), *effects))
        )
        general = await self._workspaces.general(added.team_id)
        if general is not None:
            await self._conversations.admit(general, added.id)
        return added

    async def bot(self, team_id: str, name: str) -> User:
        """Add a bot and the user that it acts as, or return that user when there is a bot of this name."""
        found = await self._workspaces.user_by_name(team_id, name)
        if found is not None:
            if not found.is_bot:
                raise Refused("name_taken")
            return found
        bot_id, app_id, user_id = self._mint.mint("B"), self._mint.mint("A"), self._mint.mint("U")
        await self._workspaces.put_bot(Bot(bot_id, team_id, user_id, app_id, name, updated_s=self._now_s()))
        return await self.person(
            User(user_id, team_id, name, real_name=name, is_bot=True, bot_id=bot_id, app_id=app_id)
        )

    async def token_for(self, user: User, lives_s: int = 0, *, is_web: bool = False) -> str:
        """Issue a token that speaks for `user`, and return it: this is the only time that it can be seen.

        `lives_s`: seconds until it ends by itself; 0: it does not. `is_web`: for a browser's cookie, and nothing else.
        Refused `account_inactive`.
        """
        kind = TokenKind.WEB if is_web else TokenKind.BOT if user.is_bot else TokenKind.USER
        prefix = WEB_TOKEN if is_web else "xoxb" if user.is_bot else "xoxp"
        token = new_token(prefix, user.team_id, user.id, SystemRandom())
        record = Token(
            user_id=user.id,
            token_hash=token_hash(token),
            kind=kind,
            team_id=user.team_id,
            bot_id=user.bot_id,
            app_id=user.app_id,
            scopes=BOT_SCOPES if user.is_bot else USER_SCOPES,
            created_s=self._now_s(),
            expires_s=self._now_s() + lives_s if lives_s else 0,
        )
        await self._users.add_token(record)
        await self._lookups.forget_token(record.token_hash)
        # Now that it is there: whoever deactivates the user revokes what is there after that.
        now = await self._workspaces.user(user.team_id, user.id)
        if now is not None and now.deleted:
            await self.revoke(user.id, record.token_hash)
            raise Refused("account_inactive")
        return token

    async def prolong(self, caller: Caller, lives_s: int) -> bool:
        """Let the token that the caller has shown live for `lives_s` from now on, if half of that is over.

        Returns whether it does; False also where it was revoked meanwhile.
        """
        ends_s = self._now_s() + lives_s
        if not caller.token_ends_s or ends_s - caller.token_ends_s < lives_s // 2:
            return False
        if not await self._users.prolong_token(caller.user_id, caller.token_hash, ends_s):
            return False
        await self._lookups.forget_token(caller.token_hash)
        return True

    async def revoke(self, user_id: str, hashed: bytes) -> bool:
        """Revoke a token by its hash, and end the sessions that were begun with it; False when it was not valid.

        Nobody gets in with it when this returns; open sockets are closed a moment later.
        """
        found = await self._users.token(user_id, hashed)
        if found is None:
            return False
        await self._writes.commit(Write(user_id, effects=(Revoke(user_id, (hashed.hex(),)),)))
        now = await self._users.token(user_id, hashed)
        if now is None or not now.revoked_s:
            raise UnavailableError("the token could not be revoked just now")
        return not found.revoked_s

    def _now_s(self) -> int:
        return self._clock.wall_us() // 1_000_000


def caller_of(user: User) -> Caller:
    """Return the caller that a token of `user` would be."""
    kind = TokenKind.BOT if user.is_bot else TokenKind.USER
    return Caller(user.team_id, user.id, kind, user.bot_id, user.app_id)
