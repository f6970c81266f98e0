"""How a simulated webapp sends a device to a gateway: often, as after a boot, with what it vouches for."""

from __future__ import annotations

from collections.abc import Mapping

from ops.sim.webapps import WebappProcess
from parley.boot.v1 import boot_pb2
from parley.edge.v1 import edge_service_pb2 as edge
from svc.shapes.vouching import Vouched
from svc.webapp.domain.boot.answers import Scope, Seen

VOUCHED_SHARE = 0.7
"""Of the connections of devices that come back."""


async def invite(
    webapp: WebappProcess, team_id: str, user_id: str, since: Mapping[str, int]
) -> tuple[str, Vouched | None]:
    """Return the gateway to go to, and what is known of the session of a device that has `since`; {}: nothing."""
    gateway_id = webapp.gateway()
    if not since or webapp.rng.random() > VOUCHED_SHARE:
        return gateway_id, None
    channels, users = webapp.stores.channels, webapp.stores.users
    # As in a boot: what the user is in is no older than the offset that it is labelled with.
    own_head = (await channels.heads([user_id])).get(user_id, 0)
    rows = await users.memberships(user_id)
    heads = await channels.heads([team_id, *(row.channel_id for row in rows)])
    activities = [
        boot_pb2.ConversationActivity(channel_id=row.channel_id, head_offset=heads.get(row.channel_id, 0))
        for row in rows
    ]
    model = edge.BootResponse(model_offset=heads.get(team_id, 0), activities=activities, is_delta=True)
    scope = Scope(Seen(team_id, user_id, rows, own_head, model, since), {}, webapp.host.clock.wall_us() / 1_000_000)
    return gateway_id, scope.vouched(is_away_by_hand=False)
