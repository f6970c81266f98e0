"""Posting over sockets: one at a time for each connection, so that acknowledgements come in the order of the posts."""

from __future__ import annotations

import logging
from collections import deque

from parley.webapp.v1 import webapp_service_pb2 as pb
from svc.gateway.answers import RtmError, posted, refused
from svc.gateway.session import Post
from svc.gateway.sockets import Connection
from svc.gateway.webapp import Webapp
from svc.kit.errors import ParleyError, ResourceExhaustedError
from svc.kit.lifecycle import Tasks

QUEUE_MAX = 64
"""Posts of one connection that may wait: at 5 ms each that is a third of a second."""

log = logging.getLogger(__name__)


class Posts:
    """Queues of posts, one for each connection that has any. A crash loses what was not acknowledged."""

    def __init__(self, webapp: Webapp, tasks: Tasks) -> None:
        """Post through `webapp`, in a task for each connection that posts."""
        self._webapp = webapp
        self._tasks = tasks
        self._queues: dict[Connection, deque[Post]] = {}

    def post(self, connection: Connection, post: Post) -> None:
        """Post soon, and acknowledge on the connection; what does not fit is refused at once."""
        queue = self._queues.get(connection)
        if queue is None:
            try:
                self._tasks.spawn(self._work(connection), "posts")
            except ResourceExhaustedError:
                connection.push(refused(post.reply_to, RtmError.UNAVAILABLE.value[1]))
            else:
                self._queues[connection] = deque((post,))
        elif len(queue) < QUEUE_MAX:
            queue.append(post)
        else:
            connection.push(refused(post.reply_to, RtmError.RATE_LIMITED.value[1]))

    async def _work(self, connection: Connection) -> None:
        queue = self._queues[connection]
        try:
            # Also after the connection closed: bots post and leave.
            while queue:
                connection.push(await self._answer(connection, queue.popleft()))
        finally:
            del self._queues[connection]

    async def _answer(self, connection: Connection, post: Post) -> bytes:
        request = pb.PostMessageRequest(
            team_id=connection.ticket.team_id,
            user_id=connection.user_id,
            bot_id=connection.ticket.bot_id,
            channel_id=post.channel_id,
            text=post.text,
            thread_ts=post.thread_ts,
            reply_broadcast=post.reply_broadcast,
            client_msg_id=post.client_msg_id,
            origin_connection_id=connection.id,
            token_prefix=b"" if connection.is_known else connection.ticket.token_prefix,
        )
        try:
            answer = await self._webapp.post(request)
        except ParleyError as error:
            log.warning("a post to %s failed: %s", post.channel_id, error)
            return refused(post.reply_to, RtmError.UNAVAILABLE.value[1])
        if answer.error:
            return refused(post.reply_to, answer.error)
        return posted(post.reply_to, answer.ts, answer.text, f"{post.channel_id}:{answer.offset}")
