"""The demo workspace: who is in it, and the tokens that open it. Made once; found again ever after."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import TYPE_CHECKING

from ops.demo_tokens import DemoInfo, load, save
from ops.keyspaces import workspace_rules
from svc.kit.clock import SystemClock
from svc.kit.ids import IdMint
from svc.kit.tokens import token_hash
from svc.webapp.domain.messages.posts import Post
from svc.webapp.domain.people.accounts import caller_of
from svc.webapp.domain.services import Services
from svc.webapp.store.rows import Conversation, User

if TYPE_CHECKING:
    from ops.local.mesh import Mesh

WORKSPACE = "Demo"
DOMAIN = "demo"

PEOPLE = (
    ("ada", "Ada Lovelace", "Analyst"),
    ("grace", "Grace Hopper", "Rear admiral"),
    ("linus", "Linus Torvalds", "Kernel gardener"),
)
BOT = "helper"
COLOURS = 8
"""Of the web client's faces without a picture."""

WELCOME = (
    ("ada", "Welcome to Parley! This is #general: everybody is here."),
    ("grace", "Any Slack client can join us: change its base URL, and nothing else."),
    ("helper", "I am a bot. Post something, and everyone who is connected has it a few milliseconds later."),
)


async def ensure_demo(mesh: Mesh, progress: Callable[[str], None]) -> DemoInfo:
    """Return the demo workspace of a mesh, made or completed if need be. Tokens stay the same between starts."""
    async with workspace_rules(mesh.dsns, mesh.memcached_addrs) as bench:
        services = bench.services
        known = load(mesh.spec.var)
        if known is not None and await _is_intact(services, known):
            return known
        progress(f"making the workspace {WORKSPACE}")
        info = await _make(services, {name: token for name, _, token in known.users} if known else {})
    save(mesh.spec.var, info)
    return info


async def _is_intact(services: Services, info: DemoInfo) -> bool:
    """Tell whether the database still knows all that the file names: one of the two may have been deleted."""
    if await services.channels.conversation(info.channel_id) is None:
        return False
    names = {name for name, _, _ in info.users}
    if names != {*(name for name, _, _ in PEOPLE), BOT}:
        return False
    for _, user_id, token in info.users:
        if not await _is_valid(services, user_id, token):
            return False
    return True


async def _is_valid(services: Services, user_id: str, token: str) -> bool:
    record = await services.users.token(user_id, token_hash(token))
    return record is not None and not record.revoked_s


async def _make(services: Services, tokens: dict[str, str]) -> DemoInfo:
    accounts = services.accounts
    team, _ = await accounts.team(WORKSPACE, DOMAIN)
    ids = ids_of_colours(IdMint(SystemClock(), Random()), len(PEOPLE))
    users = [
        await accounts.person(
            User(
                id_,
                team.id,
                name,
                real_name=real_name,
                display_name=name,
                email=f"{name}@demo.example",
                title=title,
                is_admin=name == "ada",
                is_owner=name == "ada",
            )
        )
        for id_, (name, real_name, title) in zip(ids, PEOPLE, strict=True)
    ]
    users.append(await accounts.bot(team.id, BOT))
    general = await _channel(services, users, "general")
    await _channel(services, users, "random")
    await _welcome(services, users, general)
    entries = []
    for user in users:
        token = tokens.get(user.name, "")
        if not token or not await _is_valid(services, user.id, token):
            token = await accounts.token_for(user)
        entries.append((user.name, user.id, token))
    return DemoInfo(team.name, team.id, general.id, tuple(entries))


def colour_of(id_: str) -> int:
    """Return the number of the colour in which the web client shows who has no picture (`web/src/ui/initials.ts`)."""
    word = 0x811C9DC5
    for byte in id_.encode():
        word = (word ^ byte) * 0x01000193 & 0xFFFFFFFF
    return (word ^ word >> 15) % COLOURS


def ids_of_colours(mint: IdMint, count: int) -> list[str]:
    """Return ids of as many people, each of another colour: few are seen together, and are told apart by it."""
    found: dict[int, str] = {}
    while len(found) < min(count, COLOURS):
        id_ = mint.mint("U")
        found.setdefault(colour_of(id_), id_)
    return list(found.values())


async def _channel(services: Services, users: Sequence[User], name: str) -> Conversation:
    maker = users[0]
    found = await services.workspaces.conversation_by_name(maker.team_id, name)
    if found is None:
        sight = await services.conversations.create(
            caller_of(maker), name, is_private=False, is_general=name == "general"
        )
        found = sight.conversation
    for user in users:
        await services.conversations.admit(found, user.id)
    return found


async def _welcome(services: Services, users: Sequence[User], general: Conversation) -> None:
    by_name = {user.name: user for user in users}
    for number, (name, text) in enumerate(WELCOME):
        # The same id each time: a start that was cut short goes on where it stopped.
        post = Post(text=text, client_msg_id=f"demo-welcome-{number}")
        await services.messages.post(caller_of(by_name[name]), general.id, post)
